/**
 * `npm run demo`: a small site, the proxy, a visit to the site through the proxy, and the records that came of it.
 *
 * Needs no network. Everything is in a temporary folder, which is deleted at the end (kept with `npm run demo -- --keep`).
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { WARCParser } from 'warcio';
import { createProxy } from 'warctap';

const folder = await mkdtemp(join(tmpdir(), 'warctap-demo-'));
const warcs = join(folder, 'warcs');
const proxy = await createProxy({
  port: 0,
  dir: warcs,
  gzip: true,
  cacert: join(folder, 'ca.pem'),
  certsDir: join(folder, 'certs'),
  dedupDbFile: join(folder, 'warctap.db'),
  statsDbFile: join(folder, 'warctap.db'),
  // The site below is on this machine.
  allowLocalhost: true,
});
const site = await startSite();

try {
  const { http: plain, https: secure } = site;
  console.log(`site    ${plain} and ${secure}`);
  console.log(`proxy   ${proxy.url}\n`);
  await visit('GET', `${plain}/`);
  await visit('GET', `${plain}/old`);
  await visit('HEAD', `${secure}/`);
  await visit('GET', `${secure}/`);
  await visit('GET', `${secure}/story.txt`);
  await visit('POST', `${secure}/comments`, 'The first comment!');
  await visit('GET', `${secure}/nothing-here`);
} finally {
  // Writes what is still under way, and gives the file its final name.
  await proxy.close();
  await site.close();
}

const [name] = await readdir(warcs);
const file = join(warcs, name);
const { size } = await stat(file);
console.log(`\nrecords in ${name} (${size} bytes)\n`);
console.log(table(await recordsIn(file)));

if (process.argv.includes('--keep')) {
  console.log(`\nkept: ${file}`);
} else {
  await rm(folder, { recursive: true });
  console.log('\nThe file has been deleted; "npm run demo -- --keep" leaves it for a closer look.');
}

/** Ask for a page through the proxy, and say what came. */
async function visit(method, url, body = '') {
  const response = await (url.startsWith('https:') ? askSecurely(method, new URL(url), body) : ask(method, new URL(url), body));
  let bytes = 0;
  for await (const piece of response) bytes += piece.length;
  console.log(`${method.padEnd(5)} ${url}  ${response.statusCode} ${response.statusMessage}, ${bytes} bytes`);
}

/** Plain HTTP: the proxy gets the whole URL as the path. */
function ask(method, url, body) {
  return respond({ host: proxy.address, port: proxy.port, method, path: url.href, headers: { Host: url.host } }, body);
}

/** HTTPS: a tunnel by CONNECT, and TLS inside, in which the proxy shows a certificate of its own authority. */
async function askSecurely(method, url, body) {
  const connect = http.request({ host: proxy.address, port: proxy.port, method: 'CONNECT', path: url.host, headers: { Host: url.host } });
  const socket = await new Promise((resolve, reject) => {
    connect.once('connect', (_response, tunnel) => resolve(tunnel)).once('error', reject);
    connect.end();
  });
  const secure = tls.connect({ socket, host: url.hostname, ca: proxy.caCertificatePem });
  return respond({ createConnection: () => secure, method, path: url.pathname, headers: { Host: url.host, Connection: 'close' } }, body);
}

function respond(options, body) {
  return new Promise((resolve, reject) => {
    http.request(options, resolve).once('error', reject).end(body);
  });
}

/** The same pages over HTTP and HTTPS. */
async function startSite() {
  const pages = (request, response) => {
    if (request.url === '/') {
      response.setHeader('Content-Type', 'text/html').end('<h1>A small site</h1><a href="/story.txt">a story</a>');
    } else if (request.url === '/old') {
      response.writeHead(301, 'Moved For Good', { Location: '/' }).end();
    } else if (request.url === '/story.txt') {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' });
      const zip = createGzip();
      zip.pipe(response);
      zip.end('Once upon a time there was a page. '.repeat(100));
    } else if (request.method === 'POST') {
      request.resume().on('end', () => response.writeHead(201, { 'Content-Type': 'application/json' }).end('{"stored":true}'));
    } else {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('There is no such page.\n');
    }
  };
  // Any certificate will do for the site, as the proxy archives what it gets; the authority's own is at hand.
  const pem = await readFile(proxy.caFile);
  const servers = { http: http.createServer(pages), https: https.createServer({ key: pem, cert: pem }, pages) };
  for (const server of Object.values(servers)) await promisify(server.listen.bind(server))(0, '127.0.0.1');
  return {
    http: `http://localhost:${servers.http.address().port}`,
    https: `https://localhost:${servers.https.address().port}`,
    close: () =>
      Promise.all(Object.values(servers).map((server) => (server.closeAllConnections(), promisify(server.close.bind(server))()))),
  };
}

/** A row for each record, read back with a library that knows nothing of this proxy. */
async function recordsIn(path) {
  const rows = [['type', 'first line', 'content type', 'block', 'target']];
  const parser = new WARCParser(createReadStream(path), { parseHttp: false });
  for await (const record of parser) {
    const block = Buffer.from(await record.readFully(false));
    const [head] = block.toString('latin1').split('\r\n\r\n');
    const isHttp = record.warcType !== 'warcinfo';
    const contentType = (isHttp && /^content-type: *(.*)$/im.exec(head)?.[1]) || '';
    const target = record.warcHeaders.headers.get('WARC-Target-URI') ?? '';
    rows.push([record.warcType, head.split('\r\n')[0], contentType, `${block.length} bytes`, target]);
  }
  return rows;
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ');
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n');
}
