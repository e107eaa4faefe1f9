/**
 * The queue manager, its worker, and the commands that ask it.
 *
 * Source: for names and numbers the wiki page "Heroshi programming interface" (September 2010) and the manager published after it.
 */
import { anyText, fieldValue, httpUrl, minutes, onOff, oneOf, path, seconds, text, wholeNumber } from '../kinds.ts';
import { group, withPrefixes, type Resolved } from '../row.ts';
import { LIMIT_ROWS } from './limits.ts';
import { LISTENING_ROWS, TLS_ROWS } from './listening.ts';
import { WARC_ROWS } from './warc-files.ts';

const HEROSHI = 'HEROSHI';
const QUEUE = 'WARCTAP_QUEUE';

const FOLLOW = {
  argument: 'WHICH',
  kind: oneOf('off', 'same-site', 'all'),
} as const;

const KEY = text('8 to 1024 printable ASCII characters, none of them a space at an end', (value) =>
  /^(?! )[\x20-\x7e]{8,1024}(?<! )$/.test(value),
);

/** Where people and workers reach the manager, and what it keeps. */
const MANAGER_ROWS = withPrefixes(
  group('Queue', {
    port: { ...LISTENING_ROWS.port, default: 8001 },
    address: { ...LISTENING_ROWS.address, variables: ['HEROSHI_HOST'] },
    ...TLS_ROWS,
    db: { argument: 'DIR', kind: path, default: './warctap-queue.db', summary: 'folder of the database, which only its owner can read' },
    adminKeyFile: {
      argument: 'FILE',
      kind: path,
      defaultText: 'none',
      summary: "file whose first line is the administrator's key, in place of the variable HEROSHI_ADMIN_KEY",
    },
    hashKeys: { kind: onOff, default: false, summary: 'keep only hashes of the keys of workers' },
    sync: { kind: onOff, default: false, summary: 'what is answered survives a loss of power, too' },
    leaseSeconds: {
      argument: 'S',
      kind: seconds('above zero'),
      default: 1800,
      summary: 'seconds after which a URL that was handed out and not reported is handed out again',
    },
    maxAttempts: {
      argument: 'N',
      kind: wholeNumber(1),
      default: 5,
      summary: 'leases that may end without a report before a URL is given up',
    },
    minRevisitMinutes: { argument: 'M', kind: minutes, default: 2880, summary: 'minutes after which a visited URL is due again' },
    retryMinutes: {
      argument: 'M',
      kind: minutes,
      default: 10,
      summary: 'minutes after which a visit that failed (no answer, status 429 or 5xx) is made again, doubled each time; 0: as any other',
    },
    maxQueueLimit: { argument: 'N', kind: wholeNumber(1, 10_000), default: 1000, summary: 'URLs that one call may get' },
    recheckInterval: {
      argument: 'S',
      kind: seconds('above zero'),
      default: 90,
      summary: 'seconds after which a held-back worker asks again',
    },
    maxPerHost: { argument: 'N', kind: wholeNumber(0), default: 0, summary: 'URLs of a host that may be out at once; 0: no limit' },
    hostDelay: { argument: 'S', kind: seconds('zero allowed'), default: 0, summary: 'seconds between two hand-outs of a host' },
    followLinks: { ...FOLLOW, default: 'off', summary: 'links in reported pages that the manager adds: off, same-site or all' },
    storeContent: {
      argument: 'WHICH',
      kind: oneOf('digest', 'warc'),
      default: 'digest',
      summary: 'what is kept of reported pages: length, type and digest alone, or the page, too, as a resource record in --dir',
    },
    dir: { ...WARC_ROWS.dir, summary: 'where WARC files go, with --store-content warc' },
    gzip: { ...WARC_ROWS.gzip, summary: 'compress them, one gzip member per record' },
    linkFilter: { argument: 'REGEX', kind: anyText, defaultText: 'none', summary: 'only links that match it, whole, are added' },
  }),
  QUEUE,
  HEROSHI,
);

const { maxConnections, headTimeout, socketTimeout, minRate } = LIMIT_ROWS;

export const QUEUE_ROWS = {
  ...MANAGER_ROWS,
  ...withPrefixes({ maxConnections, headTimeout, socketTimeout, minRate }, QUEUE),
};

/** Never a flag: other users of the machine could read it. */
export const ADMIN_KEY_ROWS = withPrefixes(
  group('Queue', {
    adminKey: { argument: 'KEY', kind: KEY, defaultText: 'none', secret: true, summary: "the administrator's key" },
  }),
  HEROSHI,
  QUEUE,
);

const MANAGER_URL = {
  argument: 'URL',
  kind: httpUrl,
  default: 'http://127.0.0.1:8001',
  summary: 'where the manager listens',
  variables: ['HEROSHI_MANAGER_URL'],
} as const;

/** Of the commands by which an administrator asks a manager. */
export const QUEUE_CLIENT_ROWS = {
  ...withPrefixes(group('Queue', { manager: MANAGER_URL }), QUEUE),
  adminKeyFile: MANAGER_ROWS.adminKeyFile,
};

export const QUEUE_WORKER_ROWS = withPrefixes(
  group('Worker', {
    manager: MANAGER_URL,
    key: { argument: 'KEY', kind: KEY, defaultText: 'none', secret: true, summary: 'key of this worker', variables: ['HEROSHI_API_KEY'] },
    connections: { short: 'c', argument: 'N', kind: wholeNumber(1, 1000), default: 20, summary: 'URLs that are fetched at once' },
    perHost: { argument: 'N', kind: wholeNumber(1, 100), default: 1, summary: 'of them, of one host' },
    userAgent: {
      argument: 'TEXT',
      kind: fieldValue,
      defaultText: 'heroshi-worker and the version',
      summary: 'how it calls itself; robots.txt is looked up by what stands before the slash',
      variables: ['HEROSHI_USER_AGENT'],
    },
    follow: { ...FOLLOW, default: 'same-site', summary: 'links in pages that it reports: off, same-site or all' },
    outbox: {
      argument: 'FILE',
      kind: path,
      default: './warctap-queue-worker.jsonl',
      summary: 'where reports wait that the manager could not take',
    },
    untilEmpty: { kind: onOff, default: false, summary: 'end when there is nothing more to fetch' },
  }),
  QUEUE,
);

export type QueueSlice = Resolved<typeof QUEUE_ROWS>;
export type QueueWorkerSlice = Resolved<typeof QUEUE_WORKER_ROWS>;
