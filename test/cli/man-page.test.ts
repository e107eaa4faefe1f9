/** The manual page has what `--help` has, in a form that man reads. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMANDS, DEFAULT_COMMAND } from '../../src/cli/commands/list.ts';
import { manPage } from '../../src/cli/man-page.ts';
import { outlineOf } from '../../src/cli/outline.ts';
import { findTool } from '../support/tools.ts';
import { runToEnd } from './child.ts';

const mandoc = findTool({ commands: ['mandoc'], ask: ['-T', 'lint', '/nonexistent'], says: /^mandoc: \/nonexistent: /m });
const man = findTool({ commands: ['man'], ask: ['--version'], says: /^man 2\./ });
const OUTLINE = outlineOf(DEFAULT_COMMAND, COMMANDS);

test('warctap man prints it, with every command and every option, its meaning and its default', async () => {
  const { code, stdout, stderr } = await runToEnd(['man']);
  assert.deepEqual([code, stderr], [0, '']);
  const plain = stdout.replaceAll('\\-', '-').replace(/\\f[BIR]/g, '');
  for (const { path, options, commands } of OUTLINE) {
    if (path !== '' && commands.length === 0) assert.match(plain, new RegExp(`^\\.SS warctap ${path}( |$)`, 'm'));
    for (const { long, argument, meaning } of options) {
      assert.match(plain, new RegExp(`^(-\\w, )?--${long}${argument === undefined ? '' : ` ${argument}`}$`, 'm'));
      assert.ok(
        plain.includes(meaning.replace(/[^\0-\x7f]/gu, (one) => `\\[u${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`)),
        meaning,
      );
    }
  }
});

test('nothing that it says is taken for a request', () => {
  const [program] = OUTLINE;
  assert.ok(program !== undefined);
  const spec = { ...program.spec, notes: ".first line\n'second \\n", summary: 'Dots.' };
  const page = manPage([program, { ...program, path: 'dots', commands: [], spec }], '1.0');
  assert.match(page, /^\\&\.first line$/m);
  assert.match(page, /^\\&'second \\en$/m);
});

test('mandoc finds nothing wrong with it but its long lines and that it has no date', { skip: mandoc.skip }, () => {
  const page = manPage(OUTLINE, '1.0');
  const { stdout } = spawnSync(mandoc.command, ['-T', 'lint'], { input: page, encoding: 'utf8' });
  const faults = stdout.split('\n').filter((line) => line !== '' && !/input text line longer than 80 bytes|missing date/.test(line));
  assert.deepEqual(faults, []);
});

test('man shows it without a warning', { skip: man.skip }, () => {
  const page = manPage(OUTLINE, '1.0');
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', MANWIDTH: '80' };
  const { status, stdout, stderr } = spawnSync(man.command, ['--warnings', '-l', '-'], { input: page, env, encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^WARCTAP\(1\)/);
});
