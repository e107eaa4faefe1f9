/**
 * What README and docs say of options, commands, exit codes, error codes and defaults is what the code has.
 *
 * Misspelt names are found because every name has to be known to somebody: to the tables of options and commands, or, for flags of other
 * programs, to the list below, and then only where that program stands on the same line.
 */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { buildProgram } from '../src/cli/build.ts';
import type { CommandFamily, CommandSpec } from '../src/cli/command.ts';
import { COMMANDS, DEFAULT_COMMAND } from '../src/cli/commands/list.ts';
import { EXIT } from '../src/cli/exit.ts';
import { ANSWERS, FETCH_ERRORS, MESSAGE_ERRORS, META_ERRORS } from '../src/messages/answers.ts';
import type { AnswerRow } from '../src/messages/row.ts';
import { shownDefault } from '../src/options/markdown.ts';
import { flagOf, namesIn, rowIn, variablesOf, type OptionRow, type OptionRows } from '../src/options/row.ts';
import { COMMAND_LINE_ROWS } from '../src/options/rows/logs-and-settings.ts';
import { CORE_OPTIONS, PROXY_OPTIONS } from '../src/options/table.ts';
import { cells, DOCS, found, read, sourcesIn } from './support/docs.ts';

/** Flags of other programs, by the words of which one has to stand on the line. */
const FOREIGN: readonly (readonly [RegExp, readonly string[]])[] = [
  [/curl/, ['proxy', 'cacert', 'header', 'request', 'request-target', 'data', 'data-binary', 'output']],
  [/[Cc]hromium|browsers|macOS/, ['proxy-server', 'proxy-bypass-list', 'disable-quic', 'ignore-certificate-errors-spki-list', 'gaia-url']],
  [/certutil/, ['empty-password']],
  [/node --import/, ['import', 'test']],
  [/test\/soak\/chaos/, [...read('test/soak/chaos/run.ts').matchAll(/\[--([a-z]+) /g)].map(([, flag = '']) => flag)],
  [/npm (ci|install)/, ['ignore-scripts', 'global']],
  [/podman/, ['format', 'name', 'stop-timeout', 'signal']],
  [/wget/, ['ca-certificate']],
  [/wb-manager/, ['unpack-wacz']],
  [/zstd/, ['train']],
  [
    /V8/,
    [
      'heap-growing-percent',
      'no-concurrent-marking',
      'no-allocation-site-pretenuring',
      'no-incremental-marking',
      'max-semi-space-size',
      'semi-space-growth-factor',
    ],
  ],
  [
    /npm run bench|needs Python/,
    [...read('test/bench/options.ts').matchAll(/^ {2}--([\w-]+)/gm)].map(([, flag = '']) => flag).concat('help'),
  ],
];

const SETTINGS: OptionRows = { ...PROXY_OPTIONS, ...COMMAND_LINE_ROWS };

function tablesOf(spec: CommandSpec | CommandFamily): readonly OptionRows[] {
  return 'commands' in spec ? spec.commands.flatMap(tablesOf) : [{ ...spec.settings, ...spec.own }];
}

/** Every option of every command: several may have one of the same name. */
const OPTIONS = [SETTINGS, ...[DEFAULT_COMMAND, ...COMMANDS].flatMap(tablesOf)].flatMap((rows) =>
  namesIn(rows).map((name) => ({ name, flag: flagOf(name), row: rowIn(rows, name) })),
);
const rowsOf = (flag: string): readonly OptionRow[] => OPTIONS.filter((each) => each.flag === flag).map(({ row }) => row);

function isOurFlag(flag: string): boolean {
  const negated = rowsOf(flag.replace(/^no-/, ''));
  return (
    rowsOf(flag).length > 0 ||
    ['help', 'help-hidden', 'version'].includes(flag) ||
    (flag.startsWith('no-') && negated.some(({ kind }) => kind.shape === 'switch'))
  );
}

/** Every place in the docs, with where it is. */
function places(pattern: RegExp): { at: string; line: string; name: string }[] {
  return DOCS.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => found(line, pattern).map((name) => ({ at: `${path}:${index + 1}`, line, name }))),
  );
}

describe('names in the docs', () => {
  test('every --flag is one of ours, or of the program that stands on its line', () => {
    // The beginning of a flag, as messages have it (`--no-…`), is none.
    const flags = places(/(?<![\w-])--(?![\w-]*…)([a-z][a-z0-9-]*)/g);
    assert.ok(flags.length > 200, `only ${flags.length} flags found`);
    const unknown = flags.filter(
      ({ line, name }) => !isOurFlag(name) && !FOREIGN.some(([program, theirs]) => program.test(line) && theirs.includes(name)),
    );
    assert.deepEqual(
      unknown.map(({ at, name }) => `${at}: --${name}`),
      [],
    );
  });

  test('every variable is that of an option, or of a test', () => {
    const tests = new Set(found(sourcesIn('test'), /process\.env\.(WARCTAP_\w+)/g));
    const options = new Set(OPTIONS.flatMap(({ name, row }) => variablesOf(name, row)));
    const variables = places(/\b(WARCTAP_[A-Z_]+)(?=[=`\s])/g).filter(({ line }) => !line.includes('`code`'));
    assert.ok(variables.length > 3);
    assert.deepEqual(
      variables.filter(({ name }) => !options.has(name) && !tests.has(name)).map(({ at, name }) => `${at}: ${name}`),
      [],
    );
  });

  test('every option that a program or a plugin gets by its name in code is one', () => {
    const given = (pattern: RegExp) =>
      places(pattern).flatMap(({ at, name }) => found(name, /(\w+):/g).map((option) => ({ at, name: option })));
    const ofProxy = [...places(/`options\.(\w+)`/g), ...given(/createProxy\(\{ ([^}]*) \}/g)];
    const ofCore = given(/createCore\(\{ ([^}]*) \}/g);
    assert.ok(ofProxy.length > 3 && ofCore.length > 1);
    const unknown = [
      ...ofProxy.filter(({ name }) => !Object.hasOwn(PROXY_OPTIONS, name)),
      ...ofCore.filter(({ name }) => !Object.hasOwn(CORE_OPTIONS, name)),
    ];
    assert.deepEqual(
      unknown.map(({ at, name }) => `${at}: ${name}`),
      [],
    );
  });
});

/** What a shell would make of a line, as far as the docs need it. */
function words(line: string): string[] {
  return [...line.replace(/\s[#|>]\s.*$/, '').matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word.replace(/^(['"])(.*)\1$/, '$2'));
}

const COMMAND_LINES = DOCS.flatMap(({ path, text }) => {
  const spans = [...text.matchAll(/(?<!`)`((?:(?:npx )?warctap|node bin\/warctap\.js|npm start --) [^`\n]+)`(?!`)/g)];
  const blocks = found(text, /^```(?:sh|console)\n([^]*?)^```/gm).join('\n');
  const lines = [...blocks.matchAll(/^(?:\$ )?((?:(?:npx )?warctap|node bin\/warctap\.js) (?:.*\\\n)*.*)$/gm)];
  return [...spans, ...lines].map(([, line = '']) => ({ path, line: line.replaceAll('\\\n', ' ') }));
});

/** The same commands, but their actions only look at their settings. */
function harmless<Spec extends CommandSpec | CommandFamily>(spec: Spec): Spec {
  if ('commands' in spec) return { ...spec, commands: spec.commands.map(harmless) };
  const run: CommandSpec['run'] = async ({ settings }) => {
    if (spec.settings !== undefined) await settings();
    return EXIT.ok.code;
  };
  return { ...spec, run };
}

describe('command lines in the docs are understood', () => {
  test('there are some', () => assert.ok(COMMAND_LINES.length > 10, String(COMMAND_LINES.length)));
  for (const { path, line } of COMMAND_LINES.filter(({ line }) => !/ --help$| help /.test(line))) {
    test(`${path}: ${line}`, async () => {
      const args = words(line.replace(/^((npx )?warctap|node bin\/warctap\.js|npm start --) /, ''));
      const parts = { version: '1', environment: {}, ended: () => undefined };
      const program = buildProgram({ root: harmless(DEFAULT_COMMAND), commands: COMMANDS.map(harmless), ...parts });
      await program.parseAsync(
        args.filter((word) => word !== '…'),
        { from: 'user' },
      );
    });
  }
});

describe('codes in the docs', () => {
  test('every exit code is in the registry, and those of signals are what a shell shows', () => {
    const codes = places(/(?:exit codes?|ends with(?: exit code)?|exits with code) (\d+)\b/g);
    assert.ok(codes.length > 4, String(codes.length));
    const known = Object.values(EXIT).map(({ code }) => String(code));
    assert.deepEqual(
      codes.filter(({ name }) => !known.includes(name)).map(({ at, name }) => `${at}: ${name}`),
      [],
    );
    const { SIGINT, SIGTERM } = constants.signals;
    assert.match(
      read('docs/options.md'),
      new RegExp(`^\\| ${128 + SIGINT}, ${128 + SIGTERM} \\| ended by a second signal, SIGINT or SIGTERM`, 'm'),
    );
  });

  test('the table of fetch errors in docs/api.md is that of the registry', () => {
    const text = read('docs/api.md');
    const table = text.slice(text.indexOf('| code '), text.indexOf('What is not printable ASCII is percent-encoded'));
    const rows = cells(table, 'code', 'the client gets', 'why').map(([code = '', status, why]) => [
      code.replaceAll('`', ''),
      Number(status),
      why,
    ]);
    assert.deepEqual(
      rows,
      Object.entries(FETCH_ERRORS).map(([code, { status, when }]) => [code, status, when]),
    );
    const examples = found(text, /"exception":"([^"]+)"/g);
    assert.ok(examples.length > 1);
    for (const exception of examples)
      assert.ok(exception === 'Cached_Failed_Connection' || rows.some(([code]) => code === exception), exception);
  });

  test('every status of the registry is among those of the proxy itself', () => {
    const text = read('docs/api.md');
    const section = text.slice(text.indexOf('## Statuses of the proxy itself'), text.indexOf('## Warcprox-Meta'));
    const listed = found(section, /^\| ([^|]+) \|/gm).flatMap((cell) => found(cell, /\b(\d{3})\b/g));
    const rows = [FETCH_ERRORS, MESSAGE_ERRORS, META_ERRORS, ANSWERS].flatMap((table) => Object.values<AnswerRow>(table));
    for (const { status } of rows) assert.ok(listed.includes(String(status)), String(status));
  });

  test('every code of an error at start is one', () => {
    const literals = new Set(found(sourcesIn('src'), /'([A-Z]+(?:_[A-Z]+)+)'/g));
    const told = new Set(
      places(/`((?:WARCTAP|DATABASE|CA|WARC|AUTH|META)_[A-Z_]+)`/g)
        .filter(({ line }) => line.includes('`code`'))
        .map(({ name }) => name),
    );
    assert.deepEqual(
      [...told].filter((code) => !literals.has(code)),
      [],
    );
  });

  test('every class of an error that is named is one', () => {
    const classes = new Set(found(sourcesIn('src'), /class (\w+Error) extends/g));
    const named = places(/`(\w+Error)`/g).filter(({ name }) => !(name in globalThis));
    assert.ok(named.length > 1);
    assert.deepEqual(
      named.filter(({ name }) => !classes.has(name)).map(({ at, name }) => `${at}: ${name}`),
      [],
    );
  });
});

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  s: 1,
  bytes: 1,
  'bytes/s': 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  MB: 1e6,
  GB: 1e9,
};

/** `1,800 s`, `256 MiB`, `none` and so on, as the default of this option. */
function isDefault(stated: string, row: OptionRow): boolean {
  const { text } = shownDefault(row);
  const [, digits, unit = ''] = /^([\d,.]+)(?: ([a-zA-Z/]+))?$/.exec(stated) ?? [];
  const number = digits === undefined ? NaN : Number(digits.replaceAll(',', '')) * (UNITS[unit] ?? NaN);
  const [before = '', behind] = stated.split('…');
  return stated === text || number === row.default || (behind !== undefined && text.startsWith(before) && text.endsWith(behind));
}

const flagsIn = (text: string): string[] => found(text, /--([a-z][a-z0-9-]*)/g);

function assertDefault(flag: string, stated: string, where: string): void {
  const rows = rowsOf(flag);
  assert.ok(rows.length > 0, `${where}: --${flag} is no option`);
  const defaults = rows.map((row) => shownDefault(row).text);
  assert.ok(
    rows.some((row) => isDefault(stated, row)),
    `${where}: the default of --${flag} is ${defaults.join(' or ')}, not ${stated}`,
  );
}

describe('defaults in the docs', () => {
  test('in tables of options and their defaults', () => {
    const rows = DOCS.flatMap(({ path, text }) =>
      cells(text, 'option', 'default').map(([option = '', stated = '']) => ({ path, option, stated })),
    );
    const withFlag = rows.filter(({ option }) => option.includes('--'));
    assert.ok(withFlag.length > Object.keys(SETTINGS).length, String(withFlag.length));
    for (const { path, option, stated } of withFlag) assertDefault(flagsIn(option)[0] ?? '', stated.replaceAll('`', ''), path);
  });

  test('in the table of where files go', () => {
    const rows = cells(read('docs/options.md'), 'what', 'where').filter(([, where]) => where?.includes('--'));
    assert.ok(rows.length > 4);
    for (const [what = '', where = ''] of rows) {
      const stated = found(where, /`([^`]*)`/g).find((span) => !span.startsWith('--')) ?? /\b(none) by default/.exec(where)?.[1] ?? '';
      for (const flag of flagsIn(where)) assertDefault(flag, stated, what);
    }
  });

  test('in sentences', () => {
    const sentences = DOCS.flatMap(({ path, text }) => text.split(/(?<=[.:])\s|\n|(?<=\|)/).map((sentence) => ({ path, sentence }))).filter(
      ({ sentence }) => sentence.includes('`--') && /\bdefaults?\b/.test(sentence),
    );
    let checked = 0;
    for (const { path, sentence } of sentences) {
      const value = /([\d,.]+(?: (?:s|[KMG]iB|MB|GB))?|none) by default|default of ([\d,.]*\d(?: (?:s|[KMG]iB|MB|GB)\b)?)/.exec(sentence);
      const chosen = /`--([a-z-]+) ([^`]+)` \(the default\)/.exec(sentence);
      assert.ok(value !== null || chosen !== null, `${path}: no default that this test can read: ${sentence}`);
      if (chosen !== null) assertDefault(chosen[1] ?? '', chosen[2] ?? '', path);
      else for (const flag of flagsIn(sentence)) assertDefault(flag, value?.[1] ?? value?.[2] ?? '', path);
      checked++;
    }
    assert.ok(checked >= 3, String(checked));
  });
});
