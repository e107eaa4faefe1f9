/**
 * The origins of the pages: one server for all their hosts, which answers at once.
 *
 * `node --import tsx test/bench/web/origin.ts` prints its port.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { bodies, COUNTER_CHARS } from '../bodies.ts';
import { originCertificate } from '../certificate.ts';
import { ORIGIN_ADDRESSES } from '../hosts.ts';
import { ANY_PAGE, resourceAt, type Coding, type Resource } from './page.ts';

const MAX_BYTES = 1 << 20;
const random = bodies('random', MAX_BYTES)[0] ?? Buffer.alloc(0);
const text = Buffer.concat(bodies('text', 50_000));
const coded: Readonly<Record<Coding, Buffer>> = { plain: random, br: brotliCompressSync(text), gzip: gzipSync(text) };

const PHRASES = { 200: '200 OK', 302: '302 Found', 404: '404 Not Found' } as const;

/** Head and body, with room for a number at the body's end, which tells it from all others. */
function templateOf({ status, type, coding, size }: Resource): Buffer {
  const fields = [
    'Date: Thu, 01 Jan 2026 00:00:00 GMT',
    `Content-Type: ${type}`,
    `Content-Length: ${size}`,
    ...(coding === 'plain' ? [] : [`Content-Encoding: ${coding}`, 'Vary: Accept-Encoding']),
    ...(status === 302 ? ['Location: /elsewhere'] : ['ETag: "5f3-61a0c9d4e7b80"', 'Last-Modified: Mon, 01 Dec 2025 09:12:44 GMT']),
    'Cache-Control: public, max-age=86400',
    'Server: nginx',
    'Strict-Transport-Security: max-age=31536000; includeSubDomains',
    'X-Content-Type-Options: nosniff',
    'Access-Control-Allow-Origin: *',
  ];
  const head = Buffer.from(`HTTP/1.1 ${PHRASES[status]}\r\n${fields.join('\r\n')}\r\n\r\n`);
  return Buffer.concat([head, coded[coding].subarray(0, size)]);
}

const templates = new Map(ANY_PAGE.map((resource) => [resource, templateOf(resource)]));
let count = 0;

function answer(socket: Socket, path: string): void {
  const resource = resourceAt(path);
  const template = resource === undefined ? undefined : templates.get(resource);
  if (resource === undefined || template === undefined) return void socket.destroy();
  if (path.startsWith('/all/') || resource.size < COUNTER_CHARS) return void socket.write(template);
  const at = template.length - COUNTER_CHARS;
  socket.cork();
  socket.write(template.subarray(0, at));
  socket.write(String(count++).padStart(COUNTER_CHARS, '0'), 'latin1');
  socket.uncork();
}

function serve(socket: Socket): void {
  let received = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
    for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
      const path = received.slice(received.indexOf(' ') + 1, received.indexOf(' HTTP/'));
      const last = / HTTP\/1\.0\r\n|\r\nconnection: close\r\n/i.test(received.slice(0, end + 2));
      received = received.slice(end + 4);
      answer(socket, path);
      if (last) socket.end();
    }
  });
}

const certificate = await originCertificate();
let port = 0;
for (const host of ORIGIN_ADDRESSES) {
  const server = createServer(certificate, serve);
  server.listen({ port, host, backlog: 4096 });
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
}
console.log(port);
