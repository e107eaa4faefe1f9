/**
 * A site of many pages on several addresses of loopback, as a process of its own. Prints its port.
 *
 *   node --import tsx test/bench/crawl/site.ts PAGES ADDRESSES
 *
 * Page N is on the address N modulo ADDRESSES. Each has about 10 kB, and a dozen links, by which all can be reached from page 0.
 */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

const [, , pages = '2000', addresses = '20'] = process.argv;
const COUNT = Number(pages);
const HOSTS = Number(addresses);
const WORDS = ['archive', 'of', 'the', 'web', 'pages', 'that', 'were', 'there', 'and', 'are', 'kept', 'for', 'whoever', 'comes', 'later'];

function textOf(n: number): string {
  const words = Array.from({ length: 1500 }, (_, index) => WORDS[(n * 7 + index * index) % WORDS.length]);
  return words.join(' ');
}

function pageOf(n: number, port: number): string {
  const to = [n * 4 + 1, n * 4 + 2, n * 4 + 3, n * 4 + 4, ...Array.from({ length: 8 }, (_, index) => (n * 31 + index * 17) % COUNT)];
  const links = to
    .filter((other) => other < COUNT)
    .map((other) => `<li><a href="http://127.0.0.${(other % HOSTS) + 1}:${port}/page/${other}">${other}</a></li>`);
  return `<!doctype html><title>${n}</title><h1>Page ${n}</h1><ul>${links.join('\n')}</ul><p>${textOf(n)}</p>`;
}

const servers: Server[] = [];
let port = 0;
for (let host = 1; host <= HOSTS; host++) {
  const server = createServer({ keepAlive: true, keepAliveTimeout: 60_000 }, (request, response) => {
    const n = Number(/^\/page\/(\d+)$/.exec(request.url ?? '')?.[1] ?? -1);
    const found = n >= 0 && n < COUNT;
    const body = found ? pageOf(n, port) : 'none';
    response.writeHead(found ? 200 : 404, { 'Content-Type': 'text/html', 'Content-Length': Buffer.byteLength(body) }).end(body);
  });
  server.listen(port, `127.0.0.${host}`);
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
  servers.push(server);
}
process.stdout.write(`${port}\n`);
