/** Requests by the proxies that rules name, each of them a small real one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PatternMatch } from '../../../src/crawl/proto/starbelly_pb.ts';
import { testCertificate } from '../../support/certificate.ts';
import { startSocks } from '../../support/socks.ts';
import { crawl, openCrawls, pages, policy, startSite } from './support.ts';

const { MATCHES: match } = PatternMatch;
const portOf = (server: Server) => (server.address() as AddressInfo).port;

async function listening<Its extends Server>(t: TestContext, server: Its): Promise<Its> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server;
}

/** Of HTTP, with CONNECT. @param lines what it was asked */
function httpProxy(t: TestContext, lines: string[]): Promise<Server> {
  const proxy = createServer((request, response) => {
    lines.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
    const { port, pathname } = new URL(request.url ?? '');
    httpRequest({ port, path: pathname, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    }).end();
  });
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    lines.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
    const to = connect(Number((request.url ?? '').split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(to).pipe(socket);
    });
    for (const each of [socket, to]) each.on('error', () => undefined);
  });
  return listening(t, proxy);
}

/** Source: the SOCKS 4 memo of 1992. @param asked `address:port user` of each connection */
function socks4(t: TestContext, asked: string[]): Promise<Server> {
  const serve = (socket: Socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (head) => {
      const port = head.readUInt16BE(2);
      asked.push(`${head[0]}.${head[1]} ${[...head.subarray(4, 8)].join('.')}:${port} ${head.toString('latin1', 8, head.length - 1)}`);
      const to = connect(port, '127.0.0.1', () => {
        socket.write(Buffer.from([0, 90, 0, 0, 0, 0, 0, 0]));
        socket.pipe(to).pipe(socket);
      });
      to.on('error', () => socket.destroy());
    });
  };
  return listening(t, createTcpServer(serve));
}

test('rules send requests through HTTP and SOCKS proxies, and the record is that of the site', async (t) => {
  const site = await startSite(t, pages({ '/': 'home <a href="/socks"><a href="/direct">', '/socks': 's', '/direct': 'd' }));
  const lines: string[] = [];
  const proxy = await httpProxy(t, lines);
  await using socks = await startSocks();
  await using crawls = await openCrawls();
  const { MATCHES: match } = PatternMatch;
  const proxyRules = [
    { pattern: '/socks$', match, proxyUrl: `socks5://127.0.0.1:${socks.port}` },
    {
      pattern: '/direct$',
      match: PatternMatch.DOES_NOT_MATCH,
      proxyUrl: `http://me:pass@127.0.0.1:${portOf(proxy)}`,
    },
    {},
  ];
  const [job] = await crawl(crawls, `${site.url}/`, policy({ proxyRules }));
  assert.equal(job.counts.successes, 3);
  assert.deepEqual(lines, [`GET ${site.url}/ Basic bWU6cGFzcw==`]);
  assert.deepEqual(
    socks.asked.map(({ destination }) => destination),
    [`127.0.0.1:${site.port}`],
  );
  await crawls.close();
  const warc = readdirSync(crawls.warcDir)
    .map((name) => readFileSync(join(crawls.warcDir, name), 'latin1'))
    .join('');
  assert.match(warc, /\r\n\r\nGET \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1/);
  assert.doesNotMatch(warc, /bWU6cGFzcw/);
});

test('pages over TLS come by CONNECT, and by SOCKS 4 and 5 with a log-in', async (t) => {
  const texts = pages({ '/': '<a href="/four"><a href="/five">', '/four': '4', '/five': '5' });
  const site = await listening(t, createSecureServer(await testCertificate(), texts));
  const [lines, four]: [string[], string[]] = [[], []];
  const [proxy, old] = [await httpProxy(t, lines), await socks4(t, four)];
  await using five = await startSocks('me:pass');
  await using crawls = await openCrawls();
  const proxyRules = [
    { pattern: '/four$', match, proxyUrl: `socks4://127.0.0.1:${portOf(old)}` },
    { pattern: '/five$', match, proxyUrl: `socks5://me:pass@127.0.0.1:${five.port}` },
    { proxyUrl: `http://me:pass@127.0.0.1:${portOf(proxy)}` },
  ];
  const [job] = await crawl(crawls, `https://127.0.0.1:${portOf(site)}/`, policy({ proxyRules }));
  assert.equal(job.counts.successes, 3);
  assert.deepEqual(lines, [`CONNECT 127.0.0.1:${portOf(site)} Basic bWU6cGFzcw==`]);
  assert.deepEqual(four, [`4.1 127.0.0.1:${portOf(site)} `]);
  assert.deepEqual([five.users, five.asked.map(({ destination }) => destination)], [['me:pass'], [`127.0.0.1:${portOf(site)}`]]);
});
