/**
 * One request as a stream of HTTP/2, inside of a tunnel or straight to the origin. All share one session for each connection.
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectSession, type ClientHttp2Session } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import type { Load } from './load.ts';

/** @returns a session through the proxy of this load. @throws Error when there is no HTTP/2 */
export async function openSession({ proxyPort, originPort }: Load, host: string): Promise<ClientHttp2Session> {
  const authority = `${host}:${originPort}`;
  const tcp = connectTcp({ port: proxyPort === 0 ? originPort : proxyPort, host: '127.0.0.1', noDelay: true });
  if (proxyPort !== 0) await openTunnel(tcp, authority);
  const tls = connectTls({ socket: tcp, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await once(tls, 'secureConnect');
  if (tls.alpnProtocol !== 'h2') throw new Error('no HTTP/2');
  return connectSession(`https://${authority}`, { createConnection: () => tls });
}

async function openTunnel(tcp: Socket, authority: string): Promise<void> {
  tcp.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  let answer = '';
  while (!answer.endsWith('\r\n\r\n')) answer += ((await once(tcp, 'data')) as [Buffer])[0].toString('latin1');
  if (!/^HTTP\/1\.[01] 200 /.test(answer)) throw new Error(answer);
}

/** @param done called once, with what was wrong */
export function requestStream(session: ClientHttp2Session, { size }: Load, path: string, done: (error: string | undefined) => void): void {
  const stream = session.request({ ':path': path, 'user-agent': 'bench', accept: '*/*' });
  let status = 0;
  let left = size;
  stream.on('response', (headers) => (status = headers[':status'] ?? 0));
  stream.on('data', (bytes: Buffer) => (left -= bytes.length));
  stream.on('error', () => undefined);
  stream.on('close', () => {
    if (status !== 200) done(`status ${status}`);
    else done(left === 0 ? undefined : `${left} bytes are missing`);
  });
}
