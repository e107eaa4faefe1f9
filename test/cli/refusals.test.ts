import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gather } from '../../src/cli/gather.ts';
import { OptionError } from '../../src/options/error.ts';
import { flagOf, namesIn, rowIn, variableOf } from '../../src/options/row.ts';
import { COMMAND_LINE_ROWS } from '../../src/options/rows/logs-and-settings.ts';
import { PROXY_OPTIONS } from '../../src/options/table.ts';
import { runHere, runToEnd } from './child.ts';

const ROWS = { ...PROXY_OPTIONS, ...COMMAND_LINE_ROWS };

/** They take any text: what is no path of a database is said when it is opened. */
type Unrefused = 'dedupDbFile' | 'statsDbFile';
type Refused = Exclude<keyof typeof ROWS, Unrefused>;

/** One refused text for each option; for a switch, one that the environment or a file could hold. */
const BAD: Record<Refused, string> = {
  port: '65536',
  address: 'not a host',
  proxyAuthFile: '',
  metaSecret: 'hunter2',
  metaSecretFile: '',
  http2: 'maybe',
  http2Streams: '0',
  pageHost: 'not a host',
  cacert: '',
  certsDir: '',
  dir: '',
  collection: '',
  cdxj: 'maybe',
  onFinished: '',
  onFinishedTimeout: '0',
  upload: 'http://bucket',
  uploadEndpoint: 'ftp://x',
  uploadRegion: '',
  uploadDelete: 'maybe',
  prefix: 'a/b',
  subdirPrefix: 'maybe',
  warcFilename: '',
  gzip: 'maybe',
  size: '1X',
  rolloverIdleTime: '-1',
  warcVersion: '1.2',
  fsync: 'always',
  noWarcOpenSuffix: 'maybe',
  digestAlgorithm: 'sha0',
  base32: 'maybe',
  recordFailures: 'maybe',
  tlsEvidence: 'all',
  noWarcProtocol: 'maybe',
  originCertificates: 'ask',
  methodFilter: 'GET POST',
  maxResourceSize: '1.5',
  websocketMaxSize: 'much',
  store: 'hunter2://a.example/0',
  storePasswordFile: '',
  dedupMinTextSize: '-1',
  dedupMinBinarySize: '1.5',
  dedupOnlyWithBucket: 'maybe',
  blackoutPeriod: '1y',
  cdxserverDedup: 'ftp://cdx.example/',
  cdxserverDedupCookies: 'hunter2\r\nX-Injected: 1',
  cdxserverDedupMaxThreads: '0',
  playbackPort: '65536',
  replaywebpage: '',
  playbackWebsocket: 'maybe',
  plugin: '',
  maxThreads: '0',
  maxConnections: 'many',
  queueSize: '0',
  socketTimeout: '0',
  headTimeout: '0',
  minRate: '-1',
  fetchTimeout: '1 week',
  minFreeSpace: '5%',
  maxSpool: 'plenty',
  finishAbandoned: 'sometimes',
  maxMemory: 'lots',
  maxHeadMemory: '1000',
  tmpFileMaxMemorySize: '-5',
  socksProxy: 'nohost',
  socksProxyUsername: 'u'.repeat(256),
  socksProxyPassword: `hunter2${'p'.repeat(256)}`,
  onionTorSocksProxy: '::1:9050',
  sslContext: 'safari',
  unsafeLegacyRenegotiation: 'maybe',
  allowLocalhost: 'maybe',
  allow: '10.0.0.1/8',
  deny: '127.1',
  via: 'maybe',
  websocket: 'allow',
  crawlLogDir: '',
  config: '',
  quiet: 'maybe',
  verbose: 'maybe',
  trace: 'maybe',
  summaryInterval: '-1',
};

const REFUSED_NAMES = namesIn(ROWS).filter((name): name is Refused => Object.hasOwn(BAD, name));

function assertTold(line: string, name: Refused, place: string): void {
  const { kind, secret } = rowIn(ROWS, name);
  assert.ok(line.includes(place), line);
  assert.ok(line.includes(`--${flagOf(name)}`), line);
  assert.ok(line.includes(`expected ${kind.expected}`), line);
  if (secret === true) assert.doesNotMatch(line, /hunter2/);
  else assert.ok(line.includes(`got "${BAD[name].slice(0, 100)}`), line);
  assert.doesNotMatch(line.trimEnd(), /\n/);
}

describe('a bad value ends the program with exit code 2 and one line', () => {
  for (const name of REFUSED_NAMES.filter((name) => rowIn(ROWS, name).kind.shape !== 'switch')) {
    test(`--${flagOf(name)}`, async () => {
      // Were the value taken, the folder would keep it from starting.
      const { code, stdout, stderr } = await runHere('--dir=/dev/null/nowhere', `--${flagOf(name)}`, BAD[name]);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assertTold(stderr, name, `warctap: --${flagOf(name)}: `);
    });
  }

  test('an option of warcprox that does not exist here, with what there is instead and without its value', async () => {
    const { code, stdout, stderr } = await runToEnd(['--gzip', '--rethinkdb-dedup-url=rethinkdb://u:hunter2@db/wp']);
    const told = 'an option of warcprox that does not exist here: there is no RethinkDB here, use --dedup-db-file';
    assert.deepEqual([code, stdout, stderr], [2, '', `warctap: --rethinkdb-dedup-url is ${told}\n`]);
  });

  test('a variable of the environment', async () => {
    const { code, stderr } = await runToEnd([], { env: { WARCTAP_MAX_THREADS: 'five' } });
    assert.equal(code, 2);
    assert.equal(stderr, 'warctap: WARCTAP_MAX_THREADS (--max-threads): expected a whole number, at least 1, got "five"\n');
  });

  test('a value that only the started proxy can judge is told with its place, too', async () => {
    const { code, stderr } = await runToEnd([], { env: { WARCTAP_WARC_FILENAME: '{nope}' }, fake: 'late option error' });
    assert.equal(code, 2);
    assert.equal(stderr, 'warctap: WARCTAP_WARC_FILENAME (--warc-filename): expected known variables, got "{nope}"\n');
  });
});

describe('the same value in the environment', () => {
  // An empty variable counts as not set.
  for (const name of REFUSED_NAMES.filter((name) => BAD[name] !== '')) {
    test(variableOf(name), async () => {
      await assert.rejects(gather(PROXY_OPTIONS, {}, { [variableOf(name)]: BAD[name] }), (error) => {
        assert.ok(error instanceof OptionError);
        assertTold(error.message, name, `${variableOf(name)} (`);
        return true;
      });
    });
  }
});

describe('what is no option ends the program with exit code 2 and one line', { concurrency: 2 }, () => {
  const cases: [readonly string[], RegExp][] = [
    [['--prot', '80'], /^warctap: unknown option --prot \(Did you mean --port\?\), see --help\n$/],
    [['--socks-proxy-pasword=hunter2'], /^warctap: unknown option --socks-proxy-pasword, see --help\n$/],
    [['-x'], /^warctap: unknown option -x, see --help\n$/],
    [['--gzip=false'], /^warctap: option --gzip takes no value \(to take it back: --no-gzip\)\n$/],
    [['--port'], /^warctap: option '-p, --port <N>' argument missing\n$/],
    [['somewhere'], /^warctap: unexpected argument "somewhere", see --help\n$/],
    [['--gzip', 'a\nb'], /^warctap: unexpected argument "a\\nb", see --help\n$/],
    [['ca'], /^warctap: ca: expected a command, one of: export\n$/],
    [['verfy'], /^warctap: unknown command "verfy" \(Did you mean verify\?\), see --help\n$/],
    // A letter swapped with its neighbour is one fault.
    [['crwal'], /^warctap: unknown command "crwal" \(Did you mean crawl\?\), see --help\n$/],
    [['ca', 'exprot'], /^warctap: unknown command "exprot" \(Did you mean export\?\), see --help\n$/],
    [['help', 'ca', 'exprot'], /^warctap: unknown command "exprot" \(Did you mean export\?\), see --help\n$/],
    [['help', 'somewhere'], /^warctap: unexpected argument "somewhere", see --help\n$/],
    [['--quiet', '--verbose'], /^warctap: --verbose and --quiet ask for opposite logs, expected one of them\n$/],
    [['-q', '--trace'], /^warctap: --trace and --quiet ask for opposite logs, expected one of them\n$/],
    [['ca', 'nothing'], /^warctap: unexpected argument "nothing", see --help\n$/],
    [['ca', 'export', 'more'], /^warctap: unexpected argument "more", see --help\n$/],
    [['ca', 'export', '--port', '1'], /^warctap: unknown option --port.*\n$/],
  ];
  for (const [args, expected] of cases) {
    test(JSON.stringify(args), async () => {
      const { code, stdout, stderr } = await runToEnd(args);
      assert.match(stderr, expected);
      assert.equal(stdout, '');
      assert.equal(code, 2);
    });
  }
});
