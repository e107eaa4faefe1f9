/**
 * Both sides of the proxy in HTTP/2: a client of Node inside of a tunnel, and an origin of Node.
 */
import { once } from 'node:events';
import {
  connect as connectHttp2,
  createSecureServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { testCertificate } from './certificate.ts';
import { RawClient } from './client.ts';
import { checkIdentity } from './identity.ts';

/**
 * TLS in a tunnel through the proxy, with what was offered in ALPN.
 *
 * @param fields lines of CONNECT
 * @throws when CONNECT is refused, with the head of the answer
 */
export async function tunnelTls(port: number, authority: string, ca: string, offered: readonly string[], fields = ''): Promise<TLSSocket> {
  const outer = await RawClient.connect(port);
  outer.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`);
  const head = await outer.head();
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`CONNECT was answered ${head}`);
  outer.socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
  outer.socket.on('error', () => undefined);
  const host = authority.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const socket = connectTls({ socket: outer.socket, ca, host, checkServerIdentity: checkIdentity, ALPNProtocols: [...offered] });
  await once(socket, 'secureConnect');
  // Otherwise it would stay half-open, as the outer one.
  socket.on('end', () => socket.destroy());
  return socket;
}

export interface Answered {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | undefined;
  /** informational answers, by status */
  readonly interim: readonly (IncomingHttpHeaders & IncomingHttpStatusHeader)[];
  /** 0 when it came whole */
  readonly rstCode: number;
}

export interface Http2Client extends Disposable {
  readonly session: ClientHttp2Session;
  /** Ask, and wait for the whole of the answer, or for its end. */
  get(path: string, headers?: OutgoingHttpHeaders, body?: Buffer | string): Promise<Answered>;
}

/**
 * @param authority where the tunnel leads
 * @param fields lines of CONNECT
 */
export async function http2Client(
  port: number,
  authority: string,
  ca: string,
  options: SecureClientSessionOptions = {},
  fields = '',
): Promise<Http2Client> {
  const socket = await tunnelTls(port, authority, ca, ['h2', 'http/1.1'], fields);
  if (socket.alpnProtocol !== 'h2') throw new Error(`not h2: ${String(socket.alpnProtocol)}`);
  const session = connectHttp2(`https://${authority}`, { ...options, createConnection: () => socket });
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return {
    session,
    get: (path, headers = {}, body) => {
      const stream = session.request({ ':path': path, ...headers }, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      return answered(stream);
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

export async function answered(stream: ClientHttp2Stream): Promise<Answered> {
  let headers: Answered['headers'] = {};
  let trailers: IncomingHttpHeaders | undefined;
  const interim: Answered['headers'][] = [];
  const body: Buffer[] = [];
  stream.on('error', () => undefined);
  stream.on('response', (told) => (headers = told));
  stream.on('headers', (told) => interim.push(told));
  stream.on('trailers', (told: IncomingHttpHeaders) => (trailers = told));
  stream.on('data', (piece: Buffer) => body.push(piece));
  await new Promise<void>((resolve) => stream.once('close', resolve));
  return { status: headers[':status'], headers, body: Buffer.concat(body), trailers, interim, rstCode: stream.rstCode };
}

export interface Http2Origin extends AsyncDisposable {
  readonly port: number;
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** sessions accepted so far */
  readonly sessions: readonly ServerHttp2Session[];
  /** streams so far */
  readonly asked: readonly { readonly headers: IncomingHttpHeaders; readonly raw: readonly string[] }[];
}

/** @param answer is given each stream */
export async function startHttp2Origin(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => unknown,
  options: SecureServerOptions = {},
): Promise<Http2Origin> {
  const sessions: ServerHttp2Session[] = [];
  const asked: { headers: IncomingHttpHeaders; raw: readonly string[] }[] = [];
  const server = createSecureServer({ ...(await testCertificate()), ...options });
  server.on('session', (session: ServerHttp2Session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    stream.on('error', () => undefined); // who answers may destroy it
    asked.push({ headers, raw });
    answer(stream, headers);
  });
  if (options.allowHTTP1 === true) server.on('request', (_request, response) => response.end('by HTTP/1.1'));
  server.on('sessionError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    sessions,
    asked,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
