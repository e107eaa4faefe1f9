/** Commands made up for the test: what a new one gets from its description alone. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { buildProgram, isSwitch } from '../../src/cli/build.ts';
import { defineCommand, type Call, type CommandFamily } from '../../src/cli/command.ts';
import { DEFAULT_COMMAND } from '../../src/cli/commands/list.ts';
import type { Gathered } from '../../src/cli/gather.ts';
import { onOff, text, wholeNumber } from '../../src/options/kinds.ts';
import { group, type OptionRows } from '../../src/options/row.ts';
import { LIMIT_ROWS } from '../../src/options/rows/limits.ts';
import { WARC_ROWS } from '../../src/options/rows/warc-files.ts';

const ROWS = {
  ...WARC_ROWS,
  ...LIMIT_ROWS,
  ...group('Bees', { bees: { argument: 'N', kind: wholeNumber(1), default: 3, summary: 'how many' } }),
};

interface Seen extends Pick<Call, 'operands' | 'own'> {
  readonly gathered?: Gathered<OptionRows>;
}

function program(environment: Record<string, string> = {}) {
  const seen: Seen[] = [];
  const ended: number[] = [];
  const hive = defineCommand({
    name: 'hive',
    summary: 'A program with options of its own.',
    settings: ROWS,
    exits: { ok: 'full of honey' },
    run: async ({ operands, own, settings }) => {
      seen.push({ operands, own, gathered: await settings() });
      return 7;
    },
  });
  const swarm = defineCommand({
    name: 'swarm',
    summary: 'A tool with flags only.',
    operands: { name: '[TREE...]', summary: 'where to' },
    own: group('Options', {
      loud: { kind: onOff, default: false, summary: 'hum' },
      key: { argument: 'K', kind: text('letters', (value) => /^[a-z]+$/.test(value)), secret: true, summary: 'to the hive' },
    }),
    exits: {},
    run: ({ operands, own }) => {
      seen.push({ operands, own });
      return Promise.resolve(0);
    },
  });
  const bee: CommandFamily = { name: 'bee', summary: 'Those two.', commands: [hive, swarm] };
  const built = buildProgram({
    root: DEFAULT_COMMAND,
    commands: [bee, hive],
    version: '1',
    environment,
    ended: (code) => ended.push(code),
  });
  return { run: (...args: string[]) => built.parseAsync(args, { from: 'user' }), seen, ended };
}

test('an action gets the settings of its own composition, from all sources, and its code is told', async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'warctap-build-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'c.yaml'), 'bees: 5\nqueue-size: 9\n');
  const { run, seen, ended } = program({ WARCTAP_MAX_THREADS: '4', WARCTAP_PORT: '1' });
  await run('--gzip', 'hive', '--config', join(folder, 'c.yaml'), '--dir', '/w');
  const { given, logLevel, unknownVariables } = seen[0]!.gathered!;
  assert.deepEqual(given, { dir: '/w', gzip: true, maxThreads: 4, queueSize: 9, bees: 5 });
  assert.deepEqual([logLevel, unknownVariables], ['info', ['WARCTAP_PORT']]);
  assert.deepEqual(ended, [7]);
});

test('a setting before the name of a command that has no such option is refused', async () => {
  await assert.rejects(program().run('--port', '1', 'bee', 'hive'), /^UsageError: --port is no option of bee hive, see bee hive --help$/);
});

test('a config file is refused for an option that another program has, with the nearest of this one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'warctap-build-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'c.yaml'), 'bee: 5\n');
  await assert.rejects(
    program().run('hive', '--config', join(folder, 'c.yaml')),
    /c\.yaml: unknown option "bee", the nearest known one is bees$/,
  );
});

test('flags of a command itself are checked, and are no settings', async () => {
  const { run, seen } = program({ WARCTAP_LOUD: 'yes' });
  await run('bee', 'swarm', 'a', '--key', 'abc', 'b');
  assert.deepEqual(seen, [{ operands: ['a', 'b'], own: { key: 'abc' } }]);
  await assert.rejects(
    program().run('bee', 'swarm', '--key', '123'),
    /^OptionError: --key: expected letters, got something else \(not shown: secret\)$/,
  );
});

test('a switch is known to be one, whichever command has it', () => {
  const commands = [{ name: 'x', summary: 'X.', commands: [DEFAULT_COMMAND] }];
  assert.equal(isSwitch('--gzip', commands), true);
  assert.equal(isSwitch('--trace', commands), true);
  assert.equal(isSwitch('--port', commands), false);
  assert.equal(isSwitch('--gzipp', commands), false);
});
