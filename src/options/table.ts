/**
 * Every option of the product, one row each. Types, flags, environment variables, config keys, `--help` and the README's table come from here.
 *
 * A row's key is its name in code; the long flag is the same name with dashes. To add an option, add a row.
 * Source: spec/warcprox.md §1.
 */
import {
  anyText,
  fieldValue,
  digestAlgorithm,
  filePrefix,
  host,
  hostPort,
  httpUrl,
  listOf,
  method,
  network,
  onOff,
  oneOf,
  orNone,
  path,
  pathOrOff,
  seconds,
  socksCredential,
  wholeNumber,
  type HostPort,
  type Kind,
} from './kinds.ts';

/** What defaults depend on. */
export interface Host {
  readonly hostname: string;
}

export interface OptionRow {
  readonly group:
    | 'Listening'
    | 'Certificates'
    | 'WARC files'
    | 'What is archived'
    | 'Deduplication and statistics'
    | 'Playback and plugins'
    | 'Limits'
    | 'Towards origins'
    | 'Logs and settings';
  /** one line for `--help` and the README */
  readonly summary: string;
  readonly kind: Kind<unknown>;
  readonly short?: string;
  /** name of the argument in `--help`; none for a switch */
  readonly argument?: string;
  /** the typed value, or a function for one that depends on the machine */
  readonly default?: unknown;
  /** how the default is shown, where that differs */
  readonly defaultText?: string;
  /** rarely needed: shown by `--help-hidden` only */
  readonly hidden?: true;
  /** never shown in messages or logs */
  readonly secret?: true;
}

/** The options of the proxy, however it is started. */
export const PROXY_OPTIONS = {
  port: {
    group: 'Listening',
    short: 'p',
    argument: 'N',
    kind: wholeNumber(0, 65535),
    default: 8000,
    summary: 'port to listen on; 0 picks a free one',
  },
  address: {
    group: 'Listening',
    short: 'b',
    argument: 'A',
    kind: host,
    default: 'localhost',
    summary: 'host name or IP address to listen on',
  },
  proxyAuthFile: {
    group: 'Listening',
    argument: 'FILE',
    kind: path,
    defaultText: 'none',
    summary: 'ask clients for a name and a password of this file, made by "warctap passwd"',
  },

  cacert: {
    group: 'Certificates',
    short: 'c',
    argument: 'FILE',
    kind: path,
    default: ({ hostname }: Host) => `./certs/${hostname}-warcprox-ca.pem`,
    defaultText: './certs/<hostname>-warcprox-ca.pem',
    summary: 'key and certificate of the certificate authority (CA), PEM; created if absent',
  },
  certsDir: {
    group: 'Certificates',
    argument: 'DIR',
    kind: path,
    default: ({ hostname }: Host) => `./certs/${hostname}-warcprox-ca`,
    defaultText: './certs/<hostname>-warcprox-ca',
    summary: 'where certificates made for hosts are kept and reused',
  },

  dir: { group: 'WARC files', short: 'd', argument: 'DIR', kind: path, default: './warcs', summary: 'where WARC files go' },
  prefix: {
    group: 'WARC files',
    short: 'n',
    argument: 'P',
    kind: filePrefix,
    default: 'WARCPROX',
    summary: 'file name prefix; "-" archives only what Warcprox-Meta gives a prefix',
  },
  subdirPrefix: { group: 'WARC files', kind: onOff, default: false, summary: 'write into a subfolder of --dir named after the prefix' },
  warcFilename: {
    group: 'WARC files',
    argument: 'T',
    kind: anyText,
    default: '{prefix}-{timestamp17}-{serialno}-{randomtoken}',
    summary: 'file name from {prefix} {timestamp14} {timestamp17} {serialno} {randomtoken} {hostname} {shorthostname} {port}',
  },
  gzip: { group: 'WARC files', short: 'z', kind: onOff, default: false, summary: 'compress, one gzip member per record' },
  size: {
    group: 'WARC files',
    short: 's',
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 1_000_000_000,
    summary: 'begin a new file once one has grown past N bytes',
  },
  rolloverIdleTime: {
    group: 'WARC files',
    argument: 'S',
    kind: orNone(seconds('above zero')),
    defaultText: 'none',
    summary: 'close a file that nothing was written to for S seconds',
  },
  warcVersion: {
    group: 'WARC files',
    argument: 'V',
    kind: oneOf('1.1', '1.0'),
    default: '1.1',
    summary: 'version of the WARC format, 1.1 or 1.0',
  },
  fsync: {
    group: 'WARC files',
    argument: 'WHEN',
    kind: oneOf('never', 'close', 'capture'),
    default: 'close',
    summary: 'wait until bytes are on the disk: never, on close of a file, or before a capture counts as written',
  },
  noWarcOpenSuffix: {
    group: 'WARC files',
    kind: onOff,
    default: false,
    hidden: true,
    summary: 'write to the final name, locked, instead of NAME.open',
  },

  digestAlgorithm: {
    group: 'What is archived',
    short: 'g',
    argument: 'A',
    kind: digestAlgorithm,
    default: 'sha1',
    summary: 'hash function of block and payload digests',
  },
  base32: { group: 'What is archived', kind: onOff, default: false, summary: 'digests in Base32 instead of hex' },
  methodFilter: {
    group: 'What is archived',
    argument: 'M',
    kind: listOf(method),
    default: [],
    defaultText: 'all methods',
    summary: 'archive only requests with this method; may be repeated',
  },
  maxResourceSize: {
    group: 'What is archived',
    argument: 'N',
    kind: orNone(wholeNumber(1, Number.MAX_SAFE_INTEGER, 'bytes')),
    defaultText: 'none',
    summary: 'stop a download past N bytes and mark its record as truncated',
  },

  dedupDbFile: {
    group: 'Deduplication and statistics',
    short: 'j',
    argument: 'F',
    kind: pathOrOff,
    default: './warctap.db',
    summary: 'LevelDB folder of the deduplication index; /dev/null: no deduplication',
  },
  statsDbFile: {
    group: 'Deduplication and statistics',
    argument: 'F',
    kind: pathOrOff,
    default: './warctap.db',
    summary: 'LevelDB folder of the statistics; /dev/null: no statistics, and no limits',
  },
  dedupMinTextSize: {
    group: 'Deduplication and statistics',
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 0,
    summary: 'deduplicate only textual payloads larger than N bytes',
  },
  dedupMinBinarySize: {
    group: 'Deduplication and statistics',
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 0,
    summary: 'deduplicate only other payloads larger than N bytes',
  },
  dedupOnlyWithBucket: {
    group: 'Deduplication and statistics',
    kind: onOff,
    default: false,
    summary: 'deduplicate only when Warcprox-Meta names a bucket',
  },
  blackoutPeriod: {
    group: 'Deduplication and statistics',
    argument: 'S',
    kind: seconds('zero allowed'),
    default: 0,
    summary: "write no revisit while the same URL's original is at most S seconds old",
  },
  cdxserverDedup: {
    group: 'Deduplication and statistics',
    argument: 'URL',
    kind: httpUrl,
    defaultText: 'none',
    summary: 'deduplicate against this CDX server instead',
  },
  cdxserverDedupCookies: {
    group: 'Deduplication and statistics',
    argument: 'C',
    kind: fieldValue,
    secret: true,
    defaultText: 'none',
    hidden: true,
    summary: 'value of the Cookie header sent to the CDX server',
  },
  cdxserverDedupMaxThreads: {
    group: 'Deduplication and statistics',
    argument: 'N',
    kind: wholeNumber(1),
    default: 50,
    hidden: true,
    summary: 'questions to the CDX server at once',
  },

  playbackPort: {
    group: 'Playback and plugins',
    short: 'P',
    argument: 'N',
    kind: wholeNumber(0, 65535),
    defaultText: 'none',
    summary: 'second proxy that answers from the WARC files only; 0 picks a free port',
  },
  plugin: {
    group: 'Playback and plugins',
    argument: 'MODULE',
    kind: listOf(anyText),
    default: [],
    defaultText: 'none',
    summary: 'ES module that sees captures, a path or the name of a package; may be repeated',
  },

  maxThreads: {
    group: 'Limits',
    argument: 'N',
    kind: wholeNumber(1),
    default: 1000,
    summary: 'exchanges in progress at once; further ones wait',
  },
  maxConnections: {
    group: 'Limits',
    argument: 'N',
    kind: wholeNumber(1),
    default: 10_000,
    summary: 'client connections open at once, idle ones included',
  },
  queueSize: { group: 'Limits', argument: 'N', kind: wholeNumber(1), default: 500, summary: 'captures that may wait to be written' },
  socketTimeout: {
    group: 'Limits',
    argument: 'S',
    kind: seconds('above zero'),
    default: 60,
    summary: 'seconds without a byte after which a connection is given up',
  },
  headTimeout: {
    group: 'Limits',
    argument: 'S',
    kind: seconds('above zero'),
    default: 60,
    summary: 'seconds that a client may take for the head of a request, or for a TLS handshake',
  },
  minRate: {
    group: 'Limits',
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes per second'),
    default: 10,
    summary: 'bytes per second, as an average over --socket-timeout, below which a body is given up; 0: no minimum',
  },
  fetchTimeout: {
    group: 'Limits',
    argument: 'S',
    kind: seconds('zero allowed'),
    default: 1800,
    summary: 'seconds that one fetch may take in all; 0: no limit',
  },
  minFreeSpace: {
    group: 'Limits',
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 1_073_741_824,
    summary: 'bytes left on the disk of --dir below which requests are answered 503; 0: no check',
  },
  maxMemory: {
    group: 'Limits',
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 268_435_456,
    summary: 'bytes of all captures together kept in memory; past them they go to temporary files at once',
  },
  tmpFileMaxMemorySize: {
    group: 'Limits',
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 524_288,
    hidden: true,
    summary: 'bytes of a capture kept in memory before they go to a temporary file',
  },

  socksProxy: { group: 'Towards origins', argument: 'H:P', kind: hostPort, defaultText: 'none', summary: 'SOCKS5 proxy for all traffic' },
  socksProxyUsername: {
    group: 'Towards origins',
    argument: 'U',
    kind: socksCredential,
    defaultText: 'none',
    summary: 'user name for --socks-proxy',
  },
  socksProxyPassword: {
    group: 'Towards origins',
    argument: 'P',
    kind: socksCredential,
    secret: true,
    defaultText: 'none',
    summary: 'password for --socks-proxy; the environment hides it better than a flag',
  },
  onionTorSocksProxy: {
    group: 'Towards origins',
    argument: 'H:P',
    kind: hostPort,
    defaultText: 'none',
    summary: 'SOCKS5 proxy for .onion hosts only',
  },
  sslContext: {
    group: 'Towards origins',
    argument: 'B',
    kind: oneOf('chrome', 'firefox'),
    defaultText: 'none',
    summary: 'TLS settings of that browser, chrome or firefox',
  },
  unsafeLegacyRenegotiation: {
    group: 'Towards origins',
    kind: onOff,
    default: false,
    hidden: true,
    summary: 'accept origins that need unsafe TLS renegotiation',
  },
  allowLocalhost: {
    group: 'Towards origins',
    kind: onOff,
    default: false,
    summary: 'let clients reach loopback addresses through the proxy',
  },
  allow: {
    group: 'Towards origins',
    argument: 'CIDR',
    kind: listOf(network),
    default: [],
    defaultText: 'none',
    summary: 'network that may be reached though a wider one may not; may be repeated',
  },
  deny: {
    group: 'Towards origins',
    argument: 'CIDR',
    kind: listOf(network),
    default: [],
    defaultText: 'none',
    summary: 'network that may not be reached; the smallest network that fits decides; may be repeated',
  },
  via: { group: 'Towards origins', kind: onOff, default: false, summary: 'send a Via header to origins' },

  crawlLogDir: {
    group: 'Logs and settings',
    argument: 'DIR',
    kind: path,
    defaultText: 'none',
    summary: 'write a crawl log for each prefix there, one line for each capture',
  },
} as const satisfies Record<string, OptionRow>;

/** The options of the command line alone. */
export const COMMAND_LINE_OPTIONS = {
  config: {
    group: 'Logs and settings',
    argument: 'FILE',
    kind: path,
    defaultText: 'none',
    summary: 'YAML or JSON file of options, named like the long flags',
  },
  quiet: { group: 'Logs and settings', short: 'q', kind: onOff, default: false, summary: 'log warnings and errors only' },
  verbose: { group: 'Logs and settings', short: 'v', kind: onOff, default: false, summary: 'log details' },
  trace: { group: 'Logs and settings', kind: onOff, default: false, summary: 'log everything, with stack traces of errors' },
} as const satisfies Record<string, OptionRow>;

export const OPTIONS = { ...PROXY_OPTIONS, ...COMMAND_LINE_OPTIONS };

export type ProxyOptionName = keyof typeof PROXY_OPTIONS;
export type CommandLineOptionName = keyof typeof COMMAND_LINE_OPTIONS;
export type OptionName = keyof typeof OPTIONS;

type Table = typeof OPTIONS;
type ValueOf<Row> = Row extends { readonly kind: Kind<infer Value> } ? Value : never;

/** A value as a program may give it: what comes out of the option, or a shorter way of writing that. */
type Given<Value> = Value extends HostPort ? HostPort | string : Value extends readonly string[] ? readonly string[] | string : Value;

/** The options as given: all may be left out. Durations in seconds, sizes in bytes. */
export type Options<Names extends OptionName> = { readonly [Name in Names]?: Given<ValueOf<Table[Name]>> | undefined };

/** The options in force: every one has its value; undefined only where the default is "none". */
export type Resolved<Names extends OptionName> = {
  readonly [Name in Names]: Table[Name] extends { readonly default: unknown } ? ValueOf<Table[Name]> : ValueOf<Table[Name]> | undefined;
};

/** What a program that embeds the proxy may set: the options of the command line, in camelCase. */
export type WarctapOptions = Options<ProxyOptionName>;
/** All options of the proxy, defaults filled in. */
export type ResolvedOptions = Resolved<ProxyOptionName>;

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** The row of an option, by the wide type that holds for every row. */
export function rowOf(name: OptionName): OptionRow {
  return OPTIONS[name];
}

/** `maxThreads` → `max-threads`: the long flag without its dashes, and the key in a config file. */
export function flagOf(name: OptionName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `maxThreads` → `WARCTAP_MAX_THREADS` */
export function variableOf(name: OptionName): string {
  return `WARCTAP_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}
