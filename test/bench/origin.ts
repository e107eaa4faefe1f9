/**
 * A cheap origin for the benchmark: answers every request at once, without looking at more of it than its end.
 *
 * `node --import tsx test/bench/origin.ts http|https unique|same SIZE` prints its port.
 */
import { randomFillSync } from 'node:crypto';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { testCertificate } from '../support/certificate.ts';

const [scheme = 'http', kind = 'unique', size = '1024'] = process.argv.slice(2);
const length = Number(size);
const head = Buffer.from(
  `HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: ${length}\r\n\r\n`,
);
const body = randomFillSync(Buffer.alloc(length));
const same = Buffer.concat([head, body]);
let count = 0;

/** Incompressible, and different from all others by a number in it. */
function answer(): Buffer {
  if (kind === 'same') return same;
  const bytes = Buffer.concat([head, body]);
  bytes.writeUInt32LE(count++, head.length);
  return bytes;
}

function serve(socket: Socket): void {
  let received = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
    for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
      received = received.slice(end + 4);
      socket.write(answer());
    }
  });
}

const server: Server = scheme === 'https' ? createTlsServer(await testCertificate(), serve) : createTcpServer({ noDelay: true }, serve);
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
