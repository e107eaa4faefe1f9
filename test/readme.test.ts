/** What README and docs/options.md say of options, exit codes, files and scripts is what there is. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXIT } from '../src/cli/exit.ts';
import { optionsTable } from '../src/options/markdown.ts';
import { COMMAND_LINE_ROWS } from '../src/options/rows/logs-and-settings.ts';
import { PROXY_COMMAND_OPTIONS, PROXY_OPTIONS } from '../src/options/table.ts';

const root = new URL('../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
const options = readFileSync(new URL('docs/options.md', root), 'utf8');

test('docs/options.md has the table of options as the code makes it', () => {
  const table = optionsTable({ ...PROXY_COMMAND_OPTIONS, ...COMMAND_LINE_ROWS });
  assert.ok(options.includes(table), `the tables must be:\n\n${table}`);
});

test('docs/options.md names the options that only --help-hidden shows', () => {
  const hidden = Object.entries({ ...PROXY_OPTIONS, ...COMMAND_LINE_ROWS }).filter(([, row]) => 'hidden' in row && row.hidden);
  const named = /are shown by `--help-hidden`.*/.exec(options)?.[0] ?? '';
  const flags = [...named.matchAll(/`--([a-z-]+)`/g)].map(([, flag]) => flag).filter((flag) => !flag?.startsWith('help'));
  const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  assert.deepEqual(flags.toSorted(), hidden.map(([name]) => kebab(name)).sort());
});

test('docs/options.md has the exit codes', () => {
  const rows = [...options.matchAll(/^\| ([0-9]) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => ({ code: Number(code), meaning }));
  assert.deepEqual(rows, Object.values(EXIT));
});

test('its first screen has at most fifty lines, and the index of docs/ has every document', () => {
  const first = readme.slice(0, readme.indexOf('## Documents'));
  assert.ok(first.split('\n').length <= 50);
  const index = readFileSync(new URL('docs/README.md', root), 'utf8');
  for (const name of readdirSync(new URL('docs', root)).filter((each) => each.endsWith('.md') && each !== 'README.md')) {
    assert.ok(index.includes(`[${name}](${name})`), name);
    assert.ok(readme.includes(`(docs/${name})`), name);
  }
});

test('the files and scripts that the README names are there', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => path);
  const named = [...readme.matchAll(/\b(?:examples|bin)\/[\w.]+\.js\b/g)].map(([path]) => path);
  for (const path of [...links, ...named]) assert.ok(existsSync(new URL(path, root)), path);
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: Record<string, string> };
  for (const [, script = ''] of readme.matchAll(/npm run (\w+)/g)) assert.ok(Object.hasOwn(scripts, script), script);
});
