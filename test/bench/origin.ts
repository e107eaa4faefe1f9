/**
 * A cheap origin: answers every request at once, without looking at more of it than its end.
 *
 * `node --import tsx test/bench/origin.ts http|https random|text|same SIZE http/1.1|h2` prints its port.
 */
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { bodies, COUNTER_CHARS } from './bodies.ts';
import { originCertificate } from './certificate.ts';
import { ORIGIN_ADDRESSES } from './hosts.ts';
import { Http2Session } from '../../src/http2/session.ts';
import { HTTP2, NOTHING_ELSE } from './http2-client.ts';
import type { BodyKind } from './workloads.ts';

const [scheme = 'http', kind = 'random', size = '1000', protocol = 'http/1.1'] = process.argv.slice(2);
const type = kind === 'text' ? 'text/html; charset=utf-8' : 'application/octet-stream';
const head = Buffer.from(
  `HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: ${type}\r\nContent-Length: ${size}\r\n\r\n`,
);
/** Larger bodies leave without being copied. */
const COPIED_BYTES = 100_000;
const templates = bodies(kind as BodyKind, Number(size)).map((body) => Buffer.concat([head, body]));
let count = 0;

function answer(socket: Socket): void {
  const template = templates[count % templates.length] ?? head;
  if (kind === 'same') return void socket.write(template);
  const number = String(count++).padStart(COUNTER_CHARS, '0');
  const afterNumber = head.length + COUNTER_CHARS;
  if (template.length > COPIED_BYTES) {
    socket.cork();
    socket.write(Buffer.concat([head, Buffer.from(number)]));
    socket.write(template.subarray(afterNumber));
    socket.uncork();
  } else {
    const bytes = Buffer.from(template);
    bytes.write(number, head.length, 'latin1');
    socket.write(bytes);
  }
}

function serve(socket: Socket): void {
  let received = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
    for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
      const last = / HTTP\/1\.0\r\n|\r\nconnection: close\r\n/i.test(received);
      received = received.slice(end + 4);
      answer(socket);
      if (last) socket.end();
    }
  });
}

/** By HTTP/2, by the engine of ours, since Node's takes longer than all that is measured. */
function serveSession(socket: Socket): void {
  const fields = ['server', 'bench', 'date', 'Thu, 01 Jan 2026 00:00:00 GMT', 'content-type', type, 'content-length', size];
  new Http2Session(socket, 'server', HTTP2, {
    ...NOTHING_ELSE,
    onRequest(stream) {
      const template = templates[count % templates.length] ?? head;
      const body = Buffer.from(template.subarray(head.length));
      if (kind !== 'same') body.write(String(count++).padStart(COUNTER_CHARS, '0'), 0, 'latin1');
      stream.tell({
        onData: () => undefined,
        onTrailers: () => undefined,
        onEnd: () => undefined,
        onDrain: () => undefined,
        onClosed: () => undefined,
      });
      stream.headers([':status', '200', ...fields], false);
      stream.write(body);
      stream.end();
    },
  });
}

const certificate = await originCertificate();
const secure = () =>
  protocol === 'h2'
    ? createTlsServer({ ...certificate, ALPNProtocols: ['h2'], noDelay: true }, serveSession)
    : createTlsServer({ ...certificate, noDelay: true }, serve);
let port = 0;
for (const host of ORIGIN_ADDRESSES) {
  const server = scheme === 'https' ? secure() : createTcpServer({ noDelay: true }, serve);
  server.listen({ port, host, backlog: 4096 });
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
}
console.log(port);
