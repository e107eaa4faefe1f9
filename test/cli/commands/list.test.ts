/** Every command on the list can be found and understood by its help. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CommandFamily, CommandSpec } from '../../../src/cli/command.ts';
import { COMMANDS, DEFAULT_COMMAND } from '../../../src/cli/commands/list.ts';
import { EXIT, type ExitName } from '../../../src/cli/exit.ts';
import { flagOf } from '../../../src/options/row.ts';
import { runHere, runToEnd } from '../child.ts';

type Listed = CommandSpec | CommandFamily;

/** Each with the words that are typed for it. */
function withWords(specs: readonly Listed[], before: readonly string[] = []): { words: readonly string[]; spec: Listed }[] {
  return specs.flatMap((spec) => {
    const words = [...before, spec.name];
    return [{ words, spec }, ...('commands' in spec ? withWords(spec.commands, words) : [])];
  });
}

/** Text as it is before lines are broken for the terminal. */
function unfolded(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** Those that read their own arguments have a help of their own, too. */
const ALL = [{ words: [], spec: DEFAULT_COMMAND }, ...withWords(COMMANDS)].filter(({ spec }) => !('raw' in spec));

describe('every command', () => {
  for (const { words, spec } of ALL) {
    test(`${['warctap', ...words].join(' ')} has a summary of one line, and a help that ends with 0 and names its options and exit codes`, async () => {
      assert.match(spec.summary, /^[A-Z][^\n]{20,110}\.$/);
      const { code, stdout, stderr } = await runHere(...words, '--help');
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(unfolded(stdout).includes(unfolded(spec.summary)), stdout);
      for (const line of stdout.split('\n')) assert.ok(line.length <= 84, line);
      if ('commands' in spec) {
        for (const each of spec.commands) {
          const operands = 'commands' in each || each.operands === undefined ? '' : `${each.operands.name} `;
          assert.ok(unfolded(stdout).includes(unfolded(`${each.name} ${operands}${each.summary}`)), each.name);
        }
        assert.match(stdout, /exit codes/);
        return;
      }
      for (const name of Object.keys(spec.own ?? {})) assert.match(stdout, new RegExp(`^  (-., )?--${flagOf(name)}( |$)`, 'm'));
      const told = [...stdout.slice(stdout.indexOf('\nExit codes:')).matchAll(/^ {2}(\d) {2}(.*)$/gm)].map(([, exit, meaning]) => [
        exit,
        meaning,
      ]);
      assert.deepEqual(
        told,
        Object.entries(spec.exits).map(([name, meaning]) => [String(EXIT[name as ExitName].code), meaning]),
      );
      for (const always of ['ok', 'failed', 'usage'] as const) assert.ok(Object.hasOwn(spec.exits, always), always);
    });
  }
});

test('warctap --help lists the commands with a line each, in front of the options', async () => {
  const { stdout } = await runToEnd(['--help']);
  const beginning = unfolded(stdout.slice(0, stdout.indexOf('Listening:')));
  assert.ok(beginning.includes('Without a command it runs the proxy.'), beginning);
  for (const { name, summary } of COMMANDS) {
    assert.match(beginning, new RegExp(`Commands:.* ${name} `));
    assert.ok(beginning.includes(unfolded(summary)), beginning);
  }
});

test('no two commands have the same name', () => {
  const names = ALL.map(({ words }) => words.join(' '));
  assert.equal(new Set(names).size, names.length);
});
