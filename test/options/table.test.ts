import assert from 'node:assert/strict';
import { test } from 'node:test';
import prettier from 'prettier';
import type { CommandFamily, CommandSpec } from '../../src/cli/command.ts';
import { COMMANDS, DEFAULT_COMMAND } from '../../src/cli/commands/list.ts';
import { OptionError } from '../../src/options/error.ts';
import { isMeasure } from '../../src/options/kinds.ts';
import { optionsTable } from '../../src/options/markdown.ts';
import { resolve, resolveOptions } from '../../src/options/resolve.ts';
import { flagOf, namesIn, rowIn, variableOf, type OptionRows } from '../../src/options/row.ts';
import { COMMAND_LINE_ROWS } from '../../src/options/rows/logs-and-settings.ts';
import { TRANSFORM_ROWS } from '../../src/options/rows/transform.ts';
import { PROXY_OPTIONS } from '../../src/options/table.ts';

const ROWS = { ...PROXY_OPTIONS, ...COMMAND_LINE_ROWS };
const OPTION_NAMES = namesIn(ROWS);

/** Of everything that has options, whatever it is called by. */
function tablesOf(specs: readonly (CommandSpec | CommandFamily)[]): OptionRows[] {
  return specs.flatMap((spec) => ('commands' in spec ? tablesOf(spec.commands) : [{ ...spec.settings, ...spec.own }]));
}

test('every default is a value that the option itself would accept', () => {
  const tables = [TRANSFORM_ROWS, ...tablesOf([DEFAULT_COMMAND, ...COMMANDS])];
  assert.ok(tables.length > 10);
  for (const rows of tables) {
    const resolved = resolve(rows, {});
    assert.deepEqual(resolve(rows, resolved), resolved);
  }
});

test('defaults are those of the specification', () => {
  assert.deepEqual(resolveOptions({}), {
    port: 8000,
    address: 'localhost',
    proxyAuthFile: undefined,
    metaSecret: undefined,
    metaSecretFile: undefined,
    http2: 'auto',
    http2Streams: 100,
    pageHost: [],
    cacert: undefined,
    certsDir: undefined,
    dir: './warcs',
    collection: undefined,
    cdxj: false,
    onFinished: undefined,
    onFinishedTimeout: 600,
    upload: undefined,
    uploadEndpoint: undefined,
    uploadRegion: undefined,
    uploadDelete: false,
    prefix: 'WARCPROX',
    subdirPrefix: false,
    warcFilename: '{prefix}-{timestamp17}-{serialno}-{randomtoken}',
    gzip: false,
    size: 1_000_000_000,
    rolloverIdleTime: undefined,
    warcVersion: '1.1',
    fsync: undefined,
    noWarcOpenSuffix: false,
    noWarcProtocol: false,
    tlsEvidence: 'chain',
    recordFailures: false,
    originCertificates: 'accept',
    digestAlgorithm: 'sha1',
    base32: false,
    methodFilter: [],
    maxResourceSize: undefined,
    websocketMaxSize: 104_857_600,
    dedupDbFile: './warctap.db',
    statsDbFile: './warctap.db',
    store: undefined,
    storePasswordFile: undefined,
    dedupMinTextSize: 0,
    dedupMinBinarySize: 0,
    dedupOnlyWithBucket: false,
    blackoutPeriod: 0,
    cdxserverDedup: undefined,
    cdxserverDedupCookies: undefined,
    cdxserverDedupMaxThreads: 50,
    playbackPort: undefined,
    replaywebpage: undefined,
    playbackWebsocket: 'log',
    plugin: [],
    maxThreads: 1000,
    maxConnections: 10_000,
    queueSize: 500,
    socketTimeout: 60,
    headTimeout: 60,
    minRate: 10,
    fetchTimeout: 1800,
    minFreeSpace: undefined,
    maxSpool: undefined,
    finishAbandoned: 'small',
    maxMemory: 268_435_456,
    maxHeadMemory: 33_554_432,
    tmpFileMaxMemorySize: 524_288,
    socksProxy: undefined,
    socksProxyUsername: undefined,
    socksProxyPassword: undefined,
    onionTorSocksProxy: undefined,
    sslContext: undefined,
    unsafeLegacyRenegotiation: false,
    allowLocalhost: false,
    allow: [],
    deny: [],
    via: false,
    websocket: 'archive',
    crawlLogDir: undefined,
  });
});

test('no two options share a flag, a short flag or a variable', () => {
  const names = [
    ...OPTION_NAMES.map(flagOf),
    ...OPTION_NAMES.flatMap((name) => rowIn(ROWS, name).short ?? []),
    ...OPTION_NAMES.map(variableOf),
  ];
  assert.equal(new Set(names).size, names.length);
});

test('flags and variables follow from the name', () => {
  assert.equal(flagOf('onionTorSocksProxy'), 'onion-tor-socks-proxy');
  assert.equal(variableOf('maxThreads'), 'WARCTAP_MAX_THREADS');
});

test('a program gives typed values, or texts where those are shorter', () => {
  const { socksProxy, onionTorSocksProxy, methodFilter } = resolveOptions({
    socksProxy: '[::1]:1080',
    onionTorSocksProxy: { host: 'tor', port: 9050 },
    methodFilter: 'get',
  });
  assert.deepEqual(socksProxy, { host: '::1', port: 1080 });
  assert.deepEqual(onionTorSocksProxy, { host: 'tor', port: 9050 });
  assert.deepEqual(methodFilter, ['GET']);
});

test('undefined means not given', () => {
  assert.equal(resolveOptions({ port: undefined }).port, 8000);
});

test('a bad value from a program is told by its name in code', () => {
  assert.throws(
    () => resolveOptions({ maxThreads: 0 }),
    (error) => {
      assert.ok(error instanceof OptionError);
      assert.equal(error.option, 'maxThreads');
      assert.equal(error.message, 'option maxThreads: expected a whole number, at least 1, got 0');
      return true;
    },
  );
});

test('sizes and times may have a unit: in a program, too, and the table has a word for each', () => {
  const { size, fetchTimeout, rolloverIdleTime } = resolveOptions({ size: '1.5G', fetchTimeout: '2h', rolloverIdleTime: '500ms' });
  assert.deepEqual([size, fetchTimeout, rolloverIdleTime], [1_610_612_736, 7200, 0.5]);
  const words = { bytes: 'SIZE', seconds: 'TIME' };
  for (const name of OPTION_NAMES) {
    const { kind, argument = '' } = rowIn(ROWS, name);
    const word = isMeasure(kind) ? words[kind.unit] : undefined;
    assert.equal(
      ['SIZE', 'TIME'].find((each) => each === argument),
      word,
      name,
    );
  }
});

test('a size or time that will not do is told with the forms that do', () => {
  const told = (given: object) => {
    try {
      resolveOptions(given);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  assert.equal(
    told({ maxMemory: '1X' }),
    'option maxMemory: expected a number of bytes, plain or with a unit (512k, 10M, 1.5G: powers of 1024; 10MB: of 1000), at least 0, got "1X"',
  );
  assert.equal(
    told({ socketTimeout: 0 }),
    'option socketTimeout: expected a number of seconds, plain or with a unit (500ms, 90s, 5m, 2h, 1d), above 0 and up to 2147483 s, got 0',
  );
});

test('a name that is no option is refused with the nearest one', () => {
  assert.throws(() => resolveOptions({ maxThread: 1 } as object), /no option maxThread, the nearest is maxThreads/);
});

test('messages are one line of bounded length, without secrets', () => {
  const message = (option: string, value: unknown) => new OptionError(option, value, 'something else').message;
  assert.ok(message('dir', `a\n${'b'.repeat(1000)}`).length < 250);
  assert.doesNotMatch(message('dir', 'a\nb'), /\n/);
  assert.doesNotMatch(message('socksProxy', 'socks5://bob:hunter2@host:1'), /hunter2|bob/);
  assert.doesNotMatch(message('socksProxyPassword', 'hunter2'), /hunter2/);
  assert.equal(new OptionError('socksProxyPassword', 'hunter2', 'x').value, undefined);
  assert.match(message('port', 10n), /got bigint/);
});

test('the Markdown table lists every option and is laid out as prettier would', async () => {
  const markdown = optionsTable(ROWS);
  for (const name of OPTION_NAMES) assert.ok(markdown.includes(`--${flagOf(name)}`), name);
  assert.equal(await prettier.format(markdown, { parser: 'markdown', printWidth: 140 }), markdown);
});
