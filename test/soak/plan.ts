/**
 * What every request of a soak is, and every byte of its answer: functions of its number and the seed, so that nothing has to be kept
 * until the WARC files are read back.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** Steps of a session have the numbers from `session * MAX_STEPS` on. */
export const MAX_STEPS = 8;

export type Answering =
  | 'length'
  | 'chunked'
  | 'gzip'
  | 'until-close'
  | 'empty'
  | 'not-modified'
  | 'early-hints'
  | 'lenient'
  | 'duplicate'
  | 'late'
  | 'dribble'
  | 'cut'
  | 'cut-chunks'
  | 'bad-chunk'
  | 'reset'
  | 'nonsense'
  | 'no-answer';

export type SessionKind =
  | 'plain'
  | 'tunnel'
  | 'http-tunnel'
  | 'one-off'
  | 'pipeline'
  | 'records'
  | 'limits'
  | 'blocked'
  | 'not-archived'
  | 'leaves-answer'
  | 'leaves-upload'
  | 'leaves-handshake'
  | 'garbage'
  | 'refused'
  | 'bad-tls'
  | 'slow-reader'
  | 'status'
  | 'playback'
  | 'again'
  | 'not-logged-in';

export interface Upload {
  readonly kind: 'length' | 'chunked' | 'expect';
  readonly size: number;
}

export interface Step {
  readonly index: number;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'WARCPROX_WRITE_RECORD';
  /** 0 for HTTP/1.0 */
  readonly minor: 0 | 1;
  readonly close: boolean;
  readonly answering: Answering;
  /** of the body, before any coding */
  readonly size: number;
  readonly upload: Upload | undefined;
  /** as the archive has it */
  readonly url: string;
  readonly host: string;
  readonly path: string;
  readonly statsBucket: string | undefined;
  readonly dedupBucket: string | undefined;
  readonly prefix: string | undefined;
  readonly meta: Readonly<Record<string, unknown>>;
}

export interface Session {
  readonly number: number;
  readonly kind: SessionKind;
  /** TLS inside of CONNECT */
  readonly tls: boolean;
  /** `host:port` of all steps of a tunnel */
  readonly authority: string;
  readonly steps: readonly Step[];
  /** for choices of the kind itself */
  readonly variant: number;
}

/** Ports of a run. */
export interface Ports {
  readonly http: number;
  readonly https: number;
  /** nobody listens there */
  readonly refusing: number;
  /** what is sent there is answered with something that is not TLS */
  readonly notTls: number;
}

export interface Wire {
  /** final head and body as they go over the wire when nothing is cut */
  readonly bytes: Buffer;
  readonly headSize: number;
  /** body without chunks */
  readonly payload: Buffer;
  /** 1xx in front of it */
  readonly interim: string;
  /** so many bytes are sent, then the connection ends */
  readonly cutAt: number | undefined;
}

type Random = () => number;
type Weights<Name extends string> = readonly (readonly [Name, number])[];

const SESSIONS: Weights<SessionKind> = [
  ['plain', 24],
  ['tunnel', 24],
  ['http-tunnel', 5],
  ['one-off', 6],
  ['pipeline', 6],
  ['records', 6],
  ['limits', 3],
  ['blocked', 3],
  ['not-archived', 3],
  ['leaves-answer', 4],
  ['leaves-upload', 3],
  ['leaves-handshake', 4],
  ['garbage', 3],
  ['refused', 2],
  ['bad-tls', 2],
  ['slow-reader', 1],
  ['status', 1],
  ['playback', 3],
  ['again', 3],
  ['not-logged-in', 1],
];
const WHOLE: Weights<Answering> = [
  ['length', 30],
  ['chunked', 14],
  ['gzip', 8],
  ['duplicate', 16],
];
const ALL: Weights<Answering> = [
  ...WHOLE,
  ['until-close', 4],
  ['empty', 3],
  ['not-modified', 3],
  ['early-hints', 3],
  ['lenient', 2],
  ['late', 3],
  ['dribble', 2],
  ['cut', 2],
  ['cut-chunks', 2],
  ['bad-chunk', 1],
  ['reset', 2],
  ['nonsense', 2],
  ['no-answer', 2],
];
/** upper bound of the body and weight; the last is spooled to a temporary file */
const SIZES = [
  [4_000, 750],
  [64_000, 220],
  [600_000, 25],
  [6_000_000, 5],
] as const;
const HOSTS = 3_000;
const POOL_BYTES = 8_000_000;
const DUPLICATE_BYTES = 30_000;
/** One of so many hosts is reached by the SOCKS proxy. */
const ONION = 5;
/** `--max-resource-size`: a few of the largest answers are cut by it. */
export const MAX_RESOURCE_BYTES = 3_000_000;
/** No answer is nearer to it: a download ends with the read that reaches it, and one that ends within that read is whole. */
const CLEAR_BYTES = 128 * 1024;
/** Of these, half is sent. */
const HALVED: readonly Answering[] = ['cut', 'cut-chunks', 'reset'];
/** `user:password` that the program asks for. */
export const LOGIN = 'soak:Mixed traffic with faults';
/** For requests to the proxy outside of tunnels. */
export const LOGIN_LINE = `Proxy-Authorization: Basic ${btoa(LOGIN)}\r\n`;
export const STATS_BUCKETS = ['s0', 's1', 's2', 's3'];
/** Requests that one client's limit lets pass. */
export const LIMIT = 3;

export class Plan {
  readonly #seed: number;
  readonly #ports: Ports;
  readonly #random: Buffer;
  readonly #text: Buffer;
  #last: Session | undefined;

  constructor(seed: number, ports: Ports) {
    this.#seed = seed;
    this.#ports = ports;
    const random = randomOf(seed, 0);
    this.#random = Buffer.alloc(POOL_BYTES);
    for (let at = 0; at < POOL_BYTES; at += 4) this.#random.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
    const words = Array.from({ length: 500 }, () => Math.floor(random() * 1e9).toString(36));
    let text = '';
    while (text.length < POOL_BYTES) text += `${words[Math.floor(random() * words.length)]} `;
    this.#text = Buffer.from(text.slice(0, POOL_BYTES));
  }

  session(number: number): Session {
    if (this.#last?.number !== number) this.#last = this.#session(number);
    return this.#last;
  }

  #session(number: number): Session {
    const random = randomOf(this.#seed, number + 1);
    const kind = pick(SESSIONS, random);
    const variant = Math.floor(random() * 1000);
    const tls = kind === 'tunnel' || kind === 'bad-tls' || (kind !== 'http-tunnel' && kind !== 'refused' && random() < 0.4);
    const fixed = hostOf(Math.floor(random() * HOSTS));
    // What cannot be reached is remembered by host and port for a minute: names of their own.
    const host = kind === 'refused' ? `r${number}.localhost` : kind === 'bad-tls' ? `t${number}.localhost` : fixed;
    const port =
      kind === 'refused' ? this.#ports.refusing : kind === 'bad-tls' ? this.#ports.notTls : tls ? this.#ports.https : this.#ports.http;
    const authority = `${host}:${port}`;
    const count =
      kind === 'plain' || kind === 'tunnel' || kind === 'http-tunnel'
        ? 1 + Math.floor(random() * MAX_STEPS)
        : kind === 'pipeline'
          ? 6
          : kind === 'records' || kind === 'limits'
            ? LIMIT + 2
            : 1;
    const steps = Array.from({ length: count }, (_, at) => this.#step(number, at, kind, tls, authority, variant, random));
    return { number, kind, tls, authority, steps, variant };
  }

  step(index: number): Step | undefined {
    return this.session(Math.floor(index / MAX_STEPS)).steps[index % MAX_STEPS];
  }

  #step(session: number, at: number, kind: SessionKind, tls: boolean, fixed: string, variant: number, random: Random): Step {
    const index = session * MAX_STEPS + at;
    const mixed = kind === 'plain' || kind === 'tunnel' || kind === 'http-tunnel';
    const large = kind === 'leaves-answer' || kind === 'slow-reader';
    const plainly = large || kind === 'leaves-upload' || kind === 'again';
    const answering = mixed ? pick(ALL, random) : plainly ? 'length' : pick(WHOLE, random);
    const any = large ? 200_000 + Math.floor(random() * 2_000_000) : sizeOf(random);
    // What is cut is no answer that a second one could repeat.
    const size = kind === 'again' ? Math.min(any, MAX_RESOURCE_BYTES - CLEAR_BYTES) : clearSize(any, answering);
    const turn = random();
    const isWhole = answering === 'length' || answering === 'chunked' || answering === 'gzip';
    const posts = kind === 'leaves-upload' || (isWhole && mixed && turn < 0.2);
    const uploadKind = (['length', 'chunked', 'expect'] as const)[Math.floor(random() * 3)] ?? 'length';
    const uploadSize = kind === 'leaves-upload' ? 50_000 + sizeOf(random) : Math.min(sizeOf(random), 1_000_000);
    const anyHost = kind === 'plain' && !tls ? `${hostOf(Math.floor(random() * HOSTS))}:${this.#ports.http}` : fixed;
    const path = `/${index}/${answering}?s=${size}`;
    const labelled = mixed || kind === 'one-off' || kind === 'pipeline' || kind === 'records';
    const statsBucket = labelled && random() < 0.25 ? STATS_BUCKETS[Math.floor(random() * STATS_BUCKETS.length)] : undefined;
    const dedupBucket = answering === 'duplicate' && random() < 0.5 ? `b${Math.floor(random() * 2)}` : undefined;
    const prefix = kind === 'not-archived' && variant % 2 === 0 ? '-' : labelled && random() < 0.15 ? `job${index % 2}` : undefined;
    const host = kind === 'plain' && !tls ? anyHost : fixed;
    const isRecord = kind === 'records';
    return {
      index,
      method: isRecord ? 'WARCPROX_WRITE_RECORD' : posts ? 'POST' : isWhole && mixed && turn > 0.93 ? 'HEAD' : 'GET',
      minor: kind === 'one-off' && variant % 3 === 0 ? 0 : 1,
      close: kind === 'one-off',
      answering,
      size,
      upload: isRecord ? { kind: uploadKind, size } : posts ? { kind: uploadKind, size: uploadSize } : undefined,
      url: isRecord ? `urn:soak:${index}` : `${tls ? 'https' : 'http'}://${host}${path}`,
      host,
      path,
      statsBucket,
      dedupBucket,
      prefix,
      meta: {
        ...(statsBucket !== undefined && { stats: { buckets: [statsBucket] } }),
        ...(dedupBucket !== undefined && { 'dedup-bucket': dedupBucket }),
        ...(prefix !== undefined && { 'warc-prefix': prefix }),
        ...(kind === 'not-archived' && prefix === undefined && { 'mime-type-filters': [{ type: 'REJECT', regex: '.*' }] }),
        ...(kind === 'blocked' && { blocks: [{ substring: `/${index}/` }] }),
        ...(kind === 'limits' && {
          stats: { buckets: [`limited-${session}`] },
          [variant % 2 === 0 ? 'limits' : 'soft-limits']: { [`limited-${session}/total/urls`]: LIMIT },
        }),
      },
    };
  }

  /** Bytes that a session moves, about. */
  cost({ steps }: Session): number {
    return steps.reduce((sum, { size, upload }) => sum + size + (upload?.size ?? 0), 0);
  }

  /** Of one payload there are equal ones in this session and in some before and after it. */
  duplicateOf(index: number): number {
    const newest = Math.floor(index / (MAX_STEPS * 20));
    return Math.max(0, newest - Math.floor(randomOf(this.#seed, index + 0.5)() * 20));
  }

  /** Its download is stopped, as it has more bytes than that. */
  isTooLarge(step: Step): boolean {
    const { bytes, cutAt = Infinity } = this.answer(step);
    return Math.min(bytes.length, cutAt) > MAX_RESOURCE_BYTES;
  }

  /** What the origin sends for a step. */
  answer(step: Step): Wire {
    const { index, answering, method } = step;
    const id = `X-Id: ${index}\r\n`;
    const type = `Content-Type: ${index % 2 === 0 ? 'text/plain' : 'application/octet-stream'}\r\n`;
    const wire = (head: string, payload: Buffer, more: Partial<Wire> & { body?: Buffer } = {}): Wire => {
      const headBytes = Buffer.from(head);
      const sent = method === 'HEAD' ? Buffer.alloc(0) : payload;
      const bytes = Buffer.concat([headBytes, method === 'HEAD' ? sent : (more.body ?? sent)]);
      return { bytes, headSize: headBytes.length, payload: sent, interim: more.interim ?? '', cutAt: more.cutAt };
    };
    const withLength = (payload: Buffer, fields = '') =>
      `HTTP/1.1 200 OK\r\n${id}${type}${fields}Content-Length: ${payload.length}\r\n\r\n`;
    const half = (head: string, body: Buffer) => head.length + Math.floor(body.length / 2);

    switch (answering) {
      case 'duplicate': {
        const payload = this.duplicate(this.duplicateOf(index));
        return wire(withLength(payload), payload);
      }
      case 'gzip': {
        const payload = gzipSync(this.#body(step), { level: 1 });
        return wire(withLength(payload, 'Content-Encoding: gzip\r\n'), payload);
      }
      case 'chunked':
      case 'cut-chunks':
      case 'bad-chunk': {
        const payload = this.#body(step);
        const head = `HTTP/1.1 200 OK\r\n${id}${type}Trailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n`;
        const body = chunked(payload, answering === 'bad-chunk' ? 'no chunk size\r\n' : `0\r\nX-End: ${index}\r\n\r\n`);
        return wire(head, payload, { body, ...(answering === 'cut-chunks' && { cutAt: half(head, body) }) });
      }
      case 'until-close': {
        const payload = this.#body(step);
        return wire(`HTTP/1.1 200 OK\r\n${id}${type}\r\n`, payload, { cutAt: Infinity });
      }
      case 'empty':
        return wire(`HTTP/1.1 204 No Content\r\n${id}\r\n`, Buffer.alloc(0));
      case 'not-modified':
        return wire(`HTTP/1.1 304 Not Modified\r\n${id}ETag: "${index}"\r\nContent-Length: 1000\r\n\r\n`, Buffer.alloc(0));
      case 'lenient': {
        const payload = this.#body(step);
        return wire(`HTTP/1.1 200 OK\n${id.replace('\r', '')}Content-Length: ${payload.length}\n\n`, payload);
      }
      case 'nonsense':
        return wire('This is no HTTP.\r\n\r\n', Buffer.alloc(0), { cutAt: Infinity });
      case 'no-answer':
        return wire('', Buffer.alloc(0), { cutAt: 0 });
      default: {
        const payload = this.#body(step);
        const head = withLength(payload);
        const isCut = answering === 'cut' || answering === 'reset';
        const interim = answering === 'early-hints' ? 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n' : '';
        return wire(head, payload, { interim, ...(isCut && { cutAt: half(head, payload) }) });
      }
    }
  }

  duplicate(number: number): Buffer {
    const size = 1000 + Math.floor(randomOf(this.#seed, -number - 1)() * DUPLICATE_BYTES);
    return this.#bytes(`duplicate ${number} `, size, number);
  }

  /** Body of an upload or of a record. */
  uploadBody({ index, upload }: Step): Buffer {
    return this.#bytes(`upload ${index} `, upload?.size ?? 0, index);
  }

  /** The same with its framing. */
  uploadBytes(step: Step): Buffer {
    if (step.upload === undefined) return Buffer.alloc(0);
    const body = this.uploadBody(step);
    return step.upload.kind === 'chunked' ? chunked(body, '0\r\n\r\n') : body;
  }

  /** @param target as in the request line @param toOrigin without what is meant for the proxy */
  requestHead(step: Step, target: string, toOrigin: boolean): string {
    const { upload, meta, host } = step;
    const metaLine = Object.keys(meta).length > 0 ? `Warcprox-Meta: ${JSON.stringify(meta)}\r\n` : '';
    return [
      `${step.method} ${target} HTTP/1.${step.minor}\r\nHost: ${host}\r\nUser-Agent: soak\r\nX-Number: ${step.index}\r\n`,
      toOrigin ? '' : metaLine,
      toOrigin || target.startsWith('/') ? '' : LOGIN_LINE,
      step.close && step.minor === 1 && !toOrigin ? 'Connection: close\r\n' : '',
      step.method === 'WARCPROX_WRITE_RECORD' ? 'WARC-Type: resource\r\n' : '',
      upload === undefined ? '' : 'Content-Type: application/octet-stream\r\n',
      upload?.kind === 'expect' ? 'Expect: 100-continue\r\n' : '',
      upload === undefined
        ? ''
        : upload.kind === 'chunked'
          ? 'Transfer-Encoding: chunked\r\n'
          : `Content-Length: ${this.uploadBody(step).length}\r\n`,
      '\r\n',
    ].join('');
  }

  /** What the origin receives. */
  received(step: Step): Buffer {
    return Buffer.concat([Buffer.from(this.requestHead(step, step.path, true)), this.uploadBytes(step)]);
  }

  #body({ index, size }: Step): Buffer {
    return this.#bytes(`body ${index} `, size, index);
  }

  #bytes(label: string, size: number, key: number): Buffer {
    const pool = key % 2 === 0 ? this.#text : this.#random;
    const start = (key * 7919) % (POOL_BYTES - size);
    return Buffer.concat([Buffer.from(label), pool.subarray(start, start + size)]);
  }
}

export function sha1(bytes: Buffer): string {
  return `sha1:${createHash('sha1').update(bytes).digest('hex')}`;
}

function chunked(payload: Buffer, last: string): Buffer {
  const parts: Buffer[] = [];
  const step = Math.max(1, Math.ceil(payload.length / 5));
  for (let at = 0; at < payload.length; at += step) {
    const slice = payload.subarray(at, at + step);
    parts.push(Buffer.from(`${slice.length.toString(16)}${at === 0 ? ';first' : ''}\r\n`), slice, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from(last)]);
}

function hostOf(number: number): string {
  return `h${number}.${number % ONION === 0 ? 'onion' : 'localhost'}`;
}

function sizeOf(random: Random): number {
  let turn = random() * SIZES.reduce((sum, [, weight]) => sum + weight, 0);
  let from = 0;
  for (const [to, weight] of SIZES) {
    if (turn < weight) return from + Math.floor(random() * (to - from));
    turn -= weight;
    from = to;
  }
  return 0;
}

/** Clearly below the limit, or clearly above it. */
function clearSize(size: number, answering: Answering): number {
  // How much is left of it by its compression is not known yet.
  if (answering === 'gzip') return Math.min(size, MAX_RESOURCE_BYTES - CLEAR_BYTES);
  const times = HALVED.includes(answering) ? 2 : 1;
  const [limit, clear] = [MAX_RESOURCE_BYTES * times, CLEAR_BYTES * times];
  return Math.abs(size - limit) < clear ? limit - clear : size;
}

function pick<Name extends string>(weights: Weights<Name>, random: Random): Name {
  let turn = random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of weights) {
    if (turn < weight) return name;
    turn -= weight;
  }
  return weights[0]![0];
}

/** mulberry32 */
function randomOf(seed: number, number: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(Math.floor(number * 2), 0x85ebca6b)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
