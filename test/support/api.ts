/**
 * A proxy with an origin behind it, asked as clients of the API ask: over HTTP or in a TLS tunnel, with Warcprox-Meta.
 *
 * Each request has a connection of its own, unless a test takes one with `connect`.
 */
import type { WarctapOptions } from '../../src/index.ts';
import type { Log } from '../../src/util/log.ts';
import { RawClient } from './client.ts';
import { ok } from './messages.ts';
import { startOrigin, type Origin, type OriginRequest } from './origin.ts';
import { startProxy, type TestProxy, type TestRecord } from './proxy.ts';
import { startSocks } from './socks.ts';

export const WAYS = ['over HTTP', 'in a TLS tunnel'] as const;
export type Way = (typeof WAYS)[number];

export interface Ask {
  readonly method?: string;
  /** value of Warcprox-Meta: as it is if a string or bytes, else as JSON */
  readonly meta?: unknown;
  /** field lines, each with its CRLF */
  readonly more?: string;
  /** sent with a Content-Length */
  readonly body?: string | Buffer;
  /** instead of 127.0.0.1; needs `names` */
  readonly host?: string;
}

export interface Answered {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** everything that came until the end of the response, or of the connection if it was to be closed */
  readonly text: string;
}

export interface ApiOptions extends WarctapOptions {
  readonly log?: Log;
  /** what the origin writes to `request.socket`; `ok(path)` by default */
  readonly answer?: (request: OriginRequest) => unknown;
  /** any host name leads to the origin, through a SOCKS proxy */
  readonly names?: boolean;
}

export interface Api extends AsyncDisposable {
  /** the one that runs; after a restart another one, with the same folders */
  readonly proxy: TestProxy;
  readonly origin: Origin;
  url(path: string, host?: string): string;
  /** @param port instead of the proxy's */
  connect(host?: string, port?: number): Promise<RawClient>;
  /** Bytes of a request; `path` is a whole URI for records. */
  request(path: string, ask?: Ask): Buffer;
  /** Send and read the answer, on a new connection. */
  ask(path: string, ask?: Ask): Promise<Answered>;
  /** WARCPROX_WRITE_RECORD or what `ask` says. */
  write(uri: string, body: string | Buffer, ask?: Ask): Promise<Answered>;
  status(): Promise<Record<string, unknown>>;
  /** Close the proxy, and start another with the same folders. */
  restart(more?: WarctapOptions): Promise<void>;
}

export async function startApi(
  way: Way,
  { answer = ({ path, socket }) => socket.write(ok(path)), names, ...options }: ApiOptions = {},
): Promise<Api> {
  const tls = way === 'in a TLS tunnel';
  const origin = await startOrigin(answer, { tls });
  const socks = names === true ? await startSocks() : undefined;
  const settings = { ...(socks && { socksProxy: `127.0.0.1:${socks.port}` }), ...options };
  let proxy = await startProxy(settings);
  const earlier: TestProxy[] = [];
  const url = (path: string, host = '127.0.0.1') => `${tls ? 'https' : 'http'}://${host}:${origin.port}${path}`;
  const connect = (host = '127.0.0.1', port = proxy.port) =>
    tls ? RawClient.tunnel(port, `${host}:${origin.port}`, { ca: proxy.ca }) : RawClient.connect(port);
  const request = (path: string, { method = 'GET', meta, more = '', body, host }: Ask = {}) => {
    const target = path.startsWith('/') && !tls ? url(path, host) : path;
    const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    return Buffer.concat([
      Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: ${host ?? '127.0.0.1'}:${origin.port}\r\n${more}${length}`, 'latin1'),
      metaLine(meta),
      Buffer.from('\r\n'),
      Buffer.from(body ?? ''),
    ]);
  };
  const send = async (path: string, ask: Ask = {}): Promise<Answered> => {
    using client = await connect(ask.host);
    client.send(request(path, ask));
    return await answered(client, ask.method);
  };
  return {
    get proxy() {
      return proxy;
    },
    origin,
    url,
    connect,
    request,
    ask: send,
    write: (uri, body, ask = {}) => {
      const more = ask.more ?? 'WARC-Type: resource\r\nContent-Type: image/png\r\n';
      return send(uri, { method: 'WARCPROX_WRITE_RECORD', ...ask, more, body });
    },
    async status() {
      using client = await RawClient.connect(proxy.port);
      client.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return JSON.parse((await client.response()).body.toString()) as Record<string, unknown>;
    },
    async restart(more = {}) {
      await proxy.proxy.close();
      earlier.push(proxy);
      proxy = await startProxy({ ...settings, ...more }, proxy.dir);
    },
    async [Symbol.asyncDispose]() {
      for (const part of [proxy, ...earlier, socks, origin]) await part?.[Symbol.asyncDispose]();
    },
  };
}

/** One response, and whatever comes behind it where the connection is to end. */
export async function answered(client: RawClient, method?: string): Promise<Answered> {
  const { head, status, body } = await client.response(method);
  const rest = /^connection: close\r$/im.test(head) ? (await client.rest()).toString() : '';
  return { head, status, body: body.toString(), text: head + body.toString() + rest };
}

/** The field as a client writes it: JSON in UTF-8. */
export function metaLine(meta: unknown): Buffer {
  if (meta === undefined) return Buffer.alloc(0);
  const value = Buffer.isBuffer(meta) ? meta : Buffer.from(typeof meta === 'string' ? meta : JSON.stringify(meta));
  return Buffer.concat([Buffer.from('Warcprox-Meta: '), value, Buffer.from('\r\n')]);
}

/** The value of Warcprox-Meta in the head of an answer. */
export function answeredMeta({ head }: Pick<Answered, 'head'>): unknown {
  const value = /^warcprox-meta: (.*)\r$/im.exec(head)?.[1];
  return value === undefined ? undefined : JSON.parse(value);
}

export const isRequest = ({ type }: TestRecord): boolean => type === 'request';

/** `type url` of all principal records, in the order in which they were written. */
export function principals(records: readonly TestRecord[]): string[] {
  return records.filter((record) => !isRequest(record)).map(({ type, url }) => `${type} ${url}`);
}

export interface KeptLog extends Log {
  /** `level message {fields}` */
  readonly lines: readonly string[];
  /** Resolves with the first line that contains this. */
  line(part: string): Promise<string>;
}

/** A log that keeps its lines. */
export function keptLog(): KeptLog {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const keep = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    for (const look of waiting) look();
  };
  const line = (part: string): Promise<string> =>
    new Promise((resolve) => {
      const look = () => {
        const found = lines.find((text) => text.includes(part));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { lines, line, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
