/**
 * One request as a stream of HTTP/2, inside of a tunnel or straight to the origin. All share one session for each connection.
 *
 * By the engine of ours: with Node's `http2` load and origin take longer for a request than a proxy that records it.
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Http2Session } from '../../src/http2/session.ts';
import type { SessionEvents, SessionOptions } from '../../src/http2/session-events.ts';
import type { Load } from './load.ts';

const MIB = 1024 * 1024;

/** As browsers are, about. */
export const HTTP2: SessionOptions = {
  settings: { enablePush: false, initialWindowSize: MIB },
  sessionWindow: 16 * MIB,
  maxListSize: 64 * 1024,
  maxFields: 100,
};
/** A session that is lost shows in its streams. */
export const NOTHING_ELSE: SessionEvents = {
  onClosed: () => undefined,
  onFault: (error) => {
    throw error;
  },
};

/** @returns a session through the proxy of this load. @throws Error when there is no HTTP/2 */
export async function openSession({ proxyPort, originPort }: Load, host: string): Promise<Http2Session> {
  const authority = `${host}:${originPort}`;
  const tcp = connectTcp({ port: proxyPort === 0 ? originPort : proxyPort, host: '127.0.0.1', noDelay: true });
  if (proxyPort !== 0) await openTunnel(tcp, authority);
  const tls = connectTls({ socket: tcp, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await once(tls, 'secureConnect');
  if (tls.alpnProtocol !== 'h2') throw new Error('no HTTP/2');
  return new Http2Session(tls, 'client', HTTP2, NOTHING_ELSE);
}

async function openTunnel(tcp: Socket, authority: string): Promise<void> {
  tcp.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  let answer = '';
  while (!answer.endsWith('\r\n\r\n')) answer += ((await once(tcp, 'data')) as [Buffer])[0].toString('latin1');
  if (!/^HTTP\/1\.[01] 200 /.test(answer)) throw new Error(answer);
}

/** @param done called once, with what was wrong */
export function requestStream(
  session: Http2Session,
  load: Load,
  host: string,
  path: string,
  done: (error: string | undefined) => void,
): void {
  const authority = `${host}:${load.originPort}`;
  const list = [':method', 'GET', ':scheme', 'https', ':authority', authority, ':path', path, 'user-agent', 'bench', 'accept', '*/*'];
  let status = '';
  let left = load.size;
  session.request(list, true, {
    onHead: (head) => (status = head[1] ?? ''),
    onData: (bytes) => (left -= bytes.length),
    onTrailers: () => undefined,
    onEnd: () => undefined,
    onDrain: () => undefined,
    onClosed: () => {
      if (status !== '200') done(`status ${status}`);
      else done(left === 0 ? undefined : `${left} bytes are missing`);
    },
  });
}
