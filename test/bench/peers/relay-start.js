/**
 * `node relay-start.js PORT [HASHES]`: reads where the first request of a connection goes, and from then on only passes bytes on; what comes
 * back is put through so many SHA-1 hashes.
 */
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';

const hashes = Number(process.argv[3] ?? 0);

createServer({ noDelay: true }, (client) => {
  client.on('error', () => client.destroy());
  client.once('data', (bytes) => {
    const head = bytes.toString('latin1');
    const [, method, host, port] = /^(\w+) (?:http:\/\/)?([^:/ ]+):(\d+)/.exec(head) ?? [];
    if (host === undefined) return client.destroy();
    const origin = connect({ host, port: Number(port), noDelay: true });
    origin.on('error', () => client.destroy());
    client.on('error', () => origin.destroy());
    if (method === 'CONNECT') client.write('HTTP/1.1 200 OK\r\n\r\n');
    else origin.write(bytes);
    for (let nth = 0; nth < hashes; nth++) {
      const hash = createHash('sha1');
      origin.on('data', (piece) => hash.update(piece));
    }
    client.pipe(origin).pipe(client);
  });
}).listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
process.once('SIGTERM', () => process.exit(0));
