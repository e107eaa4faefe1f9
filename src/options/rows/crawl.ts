/**
 * The crawl server: where its clients reach it, what it keeps, and how it crawls.
 *
 * Source: for names and numbers the published server of Starbelly, its sample configuration and its clients.
 */
import { anyText, onOff, path, seconds, size, text, wholeNumber } from '../kinds.ts';
import { group, withPrefixes, type Resolved } from '../row.ts';
import { LIMIT_ROWS } from './limits.ts';
import { LISTENING_ROWS, TLS_ROWS } from './listening.ts';

const CRAWL = 'WARCTAP_CRAWL';

const serverUrl = text(
  'a URL that begins with http://, https://, ws:// or wss://',
  (value) => /^(?:http|ws)s?:\/\//.test(value) && URL.canParse(value),
);

const { maxConnections, headTimeout } = LIMIT_ROWS;

const SERVER_ROWS = group('Crawl', {
  port: { ...LISTENING_ROWS.port, default: 8010, variables: ['STARBELLY_PORT'] },
  address: { ...LISTENING_ROWS.address, variables: ['STARBELLY_HOST'] },
  ...TLS_ROWS,
  pageHost: {
    ...LISTENING_ROWS.pageHost,
    summary: 'a host name for the page, beside IP addresses, localhost and the names of this machine; may be repeated',
  },
  db: {
    argument: 'DIR',
    kind: path,
    default: './warctap-crawl',
    summary: 'folder of the database, the accounts and the key that passwords are encrypted with, which only its owner can read',
  },
  authFile: {
    argument: 'FILE',
    kind: path,
    defaultText: 'users in the folder of --db',
    reloadable: true,
    summary: 'names and passwords of clients, made by "warctap passwd" or htpasswd; a missing one is made with the user admin',
  },
  maxDownloads: { argument: 'N', kind: wholeNumber(1, 1000), default: 20, summary: 'requests to sites at once, of all jobs together' },
  rateLimiterCapacity: {
    argument: 'N',
    kind: wholeNumber(1, 100_000),
    default: 1000,
    summary: 'requests that may wait for their host; with more, jobs wait',
  },
  retries: {
    argument: 'N',
    kind: wholeNumber(0, 100),
    default: 0,
    summary: 'times that a request is tried again after a failed connection, a time-out, 429 or 503',
  },
  checkSeeds: { kind: onOff, default: false, summary: 'robots.txt counts for seeds, too' },
  resumeJobs: { kind: onOff, default: false, summary: 'jobs that ran when the server stopped go on at its start' },
  downloadTimeout: { argument: 'TIME', kind: seconds('above zero'), default: 20, summary: 'time that one request may take in all' },
  browser: {
    argument: 'FILE',
    kind: path,
    defaultText: 'Chromium, Chrome or Edge where it is installed',
    summary: 'program of the browser that loads pages where a policy says "render"; needs the package playwright-core',
  },
  maxRendered: { argument: 'N', kind: wholeNumber(1, 100), default: 2, summary: 'pages in the browser at once, of all jobs together' },
  renderTimeout: {
    argument: 'TIME',
    kind: seconds('above zero'),
    default: 20,
    summary: 'time that a page may take in the browser; what it has loaded by then counts',
  },
  maxRequest: { argument: 'SIZE', kind: size(1_048_576), default: 16_777_216, summary: 'bytes of one request of a client' },
  replayUrl: {
    argument: 'URL',
    kind: text(
      'a URL of http or https with {URL} in it, such as https://replay.example/all/{TIMESTAMP}/{URL}',
      (value) => /^https?:\/\/[^{}/]+\/.*\{URL\}/.test(value) && URL.canParse(value),
    ),
    defaultText: 'none',
    summary: 'where the page has a fetched URL replayed from the WARC files; {TIMESTAMP} stands for its time, 14 digits',
  },
  maxConnections,
  headTimeout,
});

export const CRAWL_ROWS = withPrefixes(SERVER_ROWS, CRAWL);

const PASSWORD = text('8 to 1024 bytes of text in one line', (value) => !/[\0-\x1f\x7f]/.test(value) && /^.{8,1024}$/su.test(value));

/** Never a flag: other users of the machine could read it. */
export const ADMIN_PASSWORD_ROWS = withPrefixes(
  group('Crawl', {
    adminPassword: {
      argument: 'TEXT',
      kind: PASSWORD,
      defaultText: 'a random one',
      secret: true,
      summary: 'password of the user admin, when --auth-file is made',
    },
  }),
  CRAWL,
);

export type CrawlSlice = Resolved<typeof CRAWL_ROWS>;

/** Of the commands that ask a server. */
export const CRAWL_CLIENT_ROWS = withPrefixes(
  group('Crawl', {
    url: {
      short: 'U',
      argument: 'URL',
      kind: serverUrl,
      default: 'http://127.0.0.1:8010',
      summary: 'where the crawl server listens',
      variables: ['STARBELLY_URL'],
    },
    username: {
      short: 'u',
      argument: 'NAME',
      kind: anyText,
      default: 'admin',
      summary: 'name to log in with',
      variables: ['STARBELLY_USERNAME'],
    },
    password: {
      argument: 'TEXT',
      kind: anyText,
      secret: true,
      defaultText: 'none',
      summary: 'password to log in with; the environment hides it better than a flag',
      variables: ['STARBELLY_PASSWORD'],
    },
  }),
  CRAWL,
);
