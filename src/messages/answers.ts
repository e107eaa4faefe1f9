/**
 * What clients are answered by the proxy itself: by the `code` of the error, which programs and plugins see as well, or by its line.
 *
 * Source: spec/warcprox.md §2, table of errors.
 */
import type { AnswerRow } from './row.ts';

/** Why a request got no answer from its origin. `when` is what docs/api.md says of each as well. */
export const FETCH_ERRORS = {
  'not-resolved': {
    status: 502,
    when: 'there is no such name, or nobody answers for it',
    fix: 'look at the name, and at the resolver of the proxy’s machine; `.onion` names need `--onion-tor-socks-proxy`',
  },
  'not-connected': {
    status: 502,
    when: 'the connection was refused or broke',
    fix: 'nothing at the proxy: the origin is down, or a firewall is between',
    says: ['… failed: …', '… failed: closed by the other side'],
  },
  'connect-timeout': {
    status: 504,
    when: 'looking up the name, connecting, or the TLS handshake took too long',
    fix: 'try later, or give it more time with `--socket-timeout`',
  },
  'tls-failed': {
    status: 502,
    when: 'no TLS with the origin',
    fix: 'see the reason in the line; `--ssl-context` and `--unsafe-legacy-renegotiation` help with old or choosy origins',
    says: ['… failed: …'],
  },
  'certificate-refused': {
    status: 502,
    when: 'the certificate of the origin is not to be trusted, and `--origin-certificates` is `refuse`',
    fix: 'nothing at the proxy if the origin is to prove who it is; otherwise `--origin-certificates accept`. `NODE_EXTRA_CA_CERTS` adds authorities',
    says: ['the certificate of …:… is not to be trusted: … (--origin-certificates of the proxy is refuse)'],
  },
  'proxy-failed': {
    status: 502,
    when: 'the SOCKS proxy failed',
    fix: 'look at `--socks-proxy` or `--onion-tor-socks-proxy`, and whether that runs',
    says: ['connection to …:… by SOCKS proxy failed: …'],
  },
  'empty-response': {
    status: 502,
    when: 'the connection ended before the first byte of an answer',
    fix: 'try again; nothing at the proxy',
    says: ['origin closed the connection without an answer', 'no answer: …'],
  },
  'invalid-response': {
    status: 502,
    when: 'what came is no answer, or ends within its head',
    fix: 'nothing at the proxy: the origin sends it so',
    says: ['invalid response: …', 'connection closed in the middle of the response head'],
  },
  'response-timeout': {
    status: 502,
    when: 'no answer, no whole head of one, or no beginning of HTTP/2 in time',
    fix: 'try later, or raise `--socket-timeout` and `--fetch-timeout`',
  },
  'failed-before': {
    status: 502,
    when: 'this host failed within the last minute, with the same status as then; `Cached_Failed_Connection` in the crawl log',
    fix: 'wait for a minute',
    says: ['… (failed less than a minute ago, not tried again)'],
  },
  'forbidden-address': {
    status: 400,
    when: 'the address must not be reached',
    fix: 'permit it with the option that the line names: `--allow-localhost`, `--allow`, or one `--deny` less',
    says: [
      'request rejected by warcprox: localhost access is not permitted (--allow-localhost of the proxy permits it)',
      'request rejected by warcprox: access to link-local and metadata addresses is not permitted (--allow of the proxy permits single ones)',
      'request rejected by warcprox: localhost access is not permitted (this is where the proxy itself listens)',
      'request rejected by warcprox: access to this address is not permitted (--deny of the proxy forbids it)',
      'request rejected by warcprox: access to this address is not permitted (it is none)',
    ],
  },
  'request-aborted': {
    status: 400,
    when: 'the client left before its request was complete, or with `--finish-abandoned never` before an answer had come',
    fix: 'nothing: nobody is there to be answered',
  },
  'recording-failed': {
    status: 500,
    when: 'the temporary file of the recording could not be written, or hashing it has failed',
    fix: 'make room in the folder of temporary files (`TMPDIR`)',
  },
  'too-large': {
    status: 413,
    when: 'the body of the request takes more than half of `--max-spool` by itself, and there was no room for more',
    fix: 'send less, or raise `--max-spool`',
  },
  'no-space': {
    status: 503,
    when: 'less than `--min-free-space` is left, or no room for the body of a request',
    fix: 'make room on the disk of `--dir` and in `TMPDIR`, whichever the line names, or lower `--min-free-space`',
    says: ['too little space is left on the disk of … (… free…, --min-free-space is …)'],
  },
  'too-many-websockets': {
    status: 503,
    when: 'half of `--max-threads` are WebSockets that are open already',
    fix: 'raise `--max-threads`, or close some',
  },
  'shutting-down': {
    status: 503,
    when: 'the proxy stops, or cannot write its WARC files any more',
    fix: 'start it again; its log says why it stops',
    says: ['proxy is shutting down', 'nothing can be archived any more: …'],
  },
} as const satisfies Readonly<Record<string, AnswerRow>>;

/** What is wrong with the request itself; its connection is closed. */
export const MESSAGE_ERRORS = {
  syntax: {
    status: 400,
    when: 'the request is malformed, or asks for what no request can ask for',
    fix: 'the client has to send it right; `docs/http1.md` lists what is refused and why',
  },
  'too-large': { status: 431, when: 'the head, a chunk line or the trailer is past its bound', fix: 'send less of it' },
  'uri-too-long': { status: 414, when: 'the target or URL is longer than 128 KiB', fix: 'send less of it, or more of it in a body' },
  version: { status: 505, when: 'the request is not HTTP/1', fix: 'use HTTP/1.1 with the proxy' },
} as const satisfies Readonly<Record<string, AnswerRow>>;

/** What is wrong with Warcprox-Meta. */
export const META_ERRORS = {
  syntax: { status: 400, when: 'it is no JSON object, or stands there twice', fix: 'send one field with one JSON object' },
  type: { status: 400, when: 'a field has another type than it should', fix: 'give the type that the line expects' },
  value: {
    status: 400,
    when: 'a field has a value that is not allowed',
    fix: 'give one that the line expects; `docs/api.md` has all of them',
  },
  regex: {
    status: 400,
    when: 'a regex is malformed, or of a kind that cannot be matched in linear time',
    fix: 'write it without what the line names',
  },
  'too-large': { status: 400, when: 'something in it is past its bound', fix: 'send fewer or smaller rules' },
} as const satisfies Readonly<Record<string, AnswerRow>>;

/** Answers that no error stands behind: by their line. */
export const ANSWERS = {
  'the API is a WebSocket at /ws/': {
    status: 404,
    when: 'the crawl server was asked for another page, or without an upgrade to a WebSocket',
    fix: 'ask for `/ws/` as docs/crawl.md tells',
  },
  'authentication required': {
    status: 401,
    when: 'one of the proxy’s own pages wants a log-in',
    fix: 'send `Authorization` (Basic) with a user of `--proxy-auth-file`',
  },
  'proxy authentication required': {
    status: 407,
    when: 'the proxy wants a log-in',
    fix: 'send `Proxy-Authorization` (Basic) with a user of `--proxy-auth-file`',
  },
  'too many log-ins at once, try again later': {
    status: 503,
    when: 'more log-ins than can be checked wait already',
    fix: 'try again after `Retry-After`',
  },
  'request rejected by warcprox: blocked by rule found in Warcprox-Meta header: …': {
    status: 403,
    when: 'a rule in `blocks` or `compressed_blocks` matches the URL',
    fix: 'nothing, if it is meant so; else change the rule, which the field Warcprox-Meta of the answer holds',
  },
  'request rejected by warcprox: WebSockets are refused (--websocket of the proxy says so)': {
    status: 403,
    when: 'a WebSocket is asked for, and `--websocket` is `refuse`',
    fix: 'nothing, if it is meant so; else leave the option out',
  },
  'limits cannot be compared with what was counted: …': {
    status: 503,
    when: 'the store of `--store` is away or full, and the request has limits',
    fix: 'try again when the store is back; requests without limits go on meanwhile',
  },
  'request rejected by warcprox: reached … …=…': {
    status: 420,
    when: 'a limit of Warcprox-Meta is reached; 430 for a soft limit',
    fix: 'end this crawl, or raise the limit',
  },
  '… is not for pages in a browser, whose requests have …': {
    status: 403,
    when: '`WARCPROX_WRITE_RECORD` or `PUTMETA` comes with a field that only pages in a browser send',
    fix: 'write records from a program, without that field',
  },
  'this page is not asked for by the host …; use an IP address, or --page-host': {
    status: 421,
    when: 'a page of the proxy is asked for by a host name that is not its own',
    fix: 'do as the line says, if the name is meant to be one of the proxy',
  },
  'a page of … may not open a WebSocket here; see --page-host': {
    status: 403,
    when: 'a browser opens a WebSocket to the crawl server for a page that is not one of the server, by its Origin',
    fix: 'nothing, as it may be an attack; behind a proxy that asks by another host name, give that of the page with `--page-host`',
  },
  'Warcprox-Meta: stats.buckets: … of them are new, expected at most … new ones a second, try again in … s': {
    status: 429,
    when: 'the request begins more statistics buckets than may begin at the moment, or others wait for their turn',
    fix: 'ask again after `Retry-After`; use fewer names for buckets',
  },
  'no such page': { status: 404, when: 'the proxy has no page of its own with this path', fix: 'ask for `/`' },
  'pages are not for …': { status: 405, when: 'a page of the proxy is asked for by another method than GET and HEAD', fix: 'ask with GET' },
  'this page failed, see the log of the proxy': { status: 500, when: 'a page of the proxy has thrown', fix: 'report the line of the log' },
  '404 Not in Archive': { status: 404, when: 'playback has no capture of this URL', fix: 'fetch it through the proxy first' },
  'the archive cannot be read': { status: 500, when: 'the playback index or a WARC file cannot be read', fix: 'see the log' },
  'record not written: …': {
    status: 503,
    when: 'a record of a client is lost, or cannot be taken now',
    fix: 'send it again once the reason is gone',
  },
  'record not written: it is larger than temporary files may be (--max-spool)': {
    status: 413,
    when: 'a record takes more than half of `--max-spool` by itself, and there was no room for more',
    fix: 'send less, or raise `--max-spool`',
  },
  'record not written: too little space is left for temporary files': {
    status: 503,
    when: 'other bodies take what temporary files may, or a disk runs low',
    fix: 'send it again later; make room in `TMPDIR`, or raise `--max-spool`',
  },
  'record not written: see the log of the proxy': {
    status: 503,
    when: 'the temporary file of a record could not be written',
    fix: 'make room in `TMPDIR`, then send it again',
  },
  'record not written: the archive cannot be written any more': {
    status: 503,
    when: 'the proxy is at its end',
    fix: 'start it again, then send it again',
  },
  'Warcprox-Meta could not be followed: …': {
    status: 500,
    when: 'the statistics that limits are compared with cannot be read',
    fix: 'see the log; look at `--stats-db-file`',
  },
  'request head not complete within the time limit': {
    status: 408,
    when: 'the head takes longer than `--head-timeout`',
    fix: 'send it faster, or raise the option',
  },
  'request head not complete within the idle time-out': {
    status: 408,
    when: 'nothing more of a head comes for `--socket-timeout`',
    fix: 'send it faster, or raise the option',
  },
  'request body comes too slowly': {
    status: 408,
    when: 'the body comes slower than `--min-rate`',
    fix: 'send it faster, or lower the option',
  },
} as const satisfies Readonly<Record<string, AnswerRow>>;

export type FetchErrorCode = keyof typeof FETCH_ERRORS;
export type MessageErrorCode = keyof typeof MESSAGE_ERRORS;
export type MetaErrorCode = keyof typeof META_ERRORS;
