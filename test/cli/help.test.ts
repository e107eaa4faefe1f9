import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { EXIT } from '../../src/cli/exit.ts';
import { flagOf, namesIn, rowIn } from '../../src/options/row.ts';
import { COMMAND_LINE_ROWS } from '../../src/options/rows/logs-and-settings.ts';
import { PROXY_OPTIONS } from '../../src/options/table.ts';
import { runToEnd } from './child.ts';

const ROWS = { ...PROXY_OPTIONS, ...COMMAND_LINE_ROWS };
const OPTION_NAMES = namesIn(ROWS);

test('--help groups the options by purpose, without the rarely needed, and tells the exit codes', async () => {
  const { code, stdout, stderr } = await runToEnd(['--help']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  const groups = [...stdout.matchAll(/^([A-Z][\w ]+):$/gm)].map(([, heading]) => heading);
  assert.deepEqual(groups, ['Commands', ...new Set(OPTION_NAMES.map((name) => rowIn(ROWS, name).group)), 'Help', 'Exit codes']);
  for (const name of OPTION_NAMES) {
    assert.equal(new RegExp(`^  (-., )?--${flagOf(name)}( |$)`, 'm').test(stdout), rowIn(ROWS, name).hidden !== true, name);
  }
  for (const { code: exit, meaning } of Object.values(EXIT)) assert.ok(stdout.includes(`  ${exit}  ${meaning}`));
  assert.match(stdout, /-p, --port <N> .*\(default\s+8000\)/);
  for (const line of stdout.split('\n')) assert.ok(line.length <= 84, line);
});

test('--help-hidden shows all options, and switches only once', async () => {
  const { code, stdout } = await runToEnd(['--help-hidden']);
  assert.equal(code, 0);
  for (const name of OPTION_NAMES) assert.match(stdout, new RegExp(`^  (-., )?--${flagOf(name)}( |$)`, 'm'));
  assert.doesNotMatch(stdout, /^ +--no-gzip/m);
});

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  for (const flag of ['--version', '-V']) assert.deepEqual(await runToEnd([flag]), { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('help shows what --help does, of a command, too', async () => {
  for (const words of [[], ['verify'], ['ca'], ['ca', 'export']]) {
    const [byWord, byFlag] = await Promise.all([runToEnd(['help', ...words]), runToEnd([...words, '--help'])]);
    assert.deepEqual(byWord, byFlag);
    assert.equal(byWord.code, 0);
  }
});

test('ca export has its own help', async () => {
  const { code, stdout } = await runToEnd(['ca', 'export', '--help']);
  assert.equal(code, 0);
  assert.match(stdout, /--p12[^]*--out <FILE>[^]*--cacert <FILE>/);
});
