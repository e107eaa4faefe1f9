/**
 * What is passed on and what is not, both ways; and that nothing else is touched.
 *
 * Source: spec/warcprox.md §2.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';
import type { WarctapOptions } from '../../src/index.ts';

interface Passed {
  /** what the origin received */
  readonly sent: string;
  /** what the client received */
  readonly head: string;
  /** what the archive has: response, request */
  readonly archived: readonly string[];
}

/** @param fields of the request and of the answer, each with its CRLF; Host and length are added in front */
async function pass(fields: { request?: string; answer?: string }, options: WarctapOptions = {}): Promise<Passed & { host: string }> {
  const { request = '', answer = '' } = fields;
  await using origin = await startOrigin(({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${answer}\r\n`, 'latin1'));
  await using proxy = await startProxy(options);
  using client = await RawClient.connect(proxy.port);
  const host = `127.0.0.1:${origin.port}`;
  client.send(`GET ${origin.url}/ HTTP/1.1\r\nHost: ${host}\r\n${request}\r\n`);
  const head = await client.head();
  await proxy.captured(1);
  const archived = (await proxy.records()).map(({ block }) => block.toString('latin1'));
  return { sent: origin.requests[0]?.bytes.toString('latin1') ?? '', head, archived, host };
}

const ONE_CONNECTION = [
  'Connection: keep-alive, X-Named',
  'Proxy-Connection: keep-alive',
  'keep-ALIVE: timeout=5',
  'Proxy-Authenticate: Basic',
  'Proxy-Authorization: Basic eDp5',
  'Upgrade: h2c',
  'X-named: hidden',
]
  .map((line) => `${line}\r\n`)
  .join('');

test('fields of one connection are not sent to the origin, nor what Connection names', async () => {
  const { sent, archived, host } = await pass({ request: `A: 1\r\n${ONE_CONNECTION}B: 2\r\n` });
  assert.equal(sent, `GET / HTTP/1.1\r\nHost: ${host}\r\nA: 1\r\nB: 2\r\n\r\n`);
  assert.equal(archived[1], sent);
});

test('fields of one connection are not sent to the client, nor what Connection names; the archive has them', async () => {
  const { head, archived } = await pass({ answer: `A: 1\r\n${ONE_CONNECTION}B: 2\r\n` });
  assert.equal(head, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: 1\r\nB: 2\r\nVia: 1.1 warcprox\r\n\r\n');
  assert.equal(archived[0], `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: 1\r\n${ONE_CONNECTION}B: 2\r\n\r\n`);
});

test('Connection cannot take away what frames and routes a request', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  const host = `Host: 127.0.0.1:${origin.port}\r\n`;
  for (const [framing, body] of [
    ['Content-Length: 2\r\n', 'ab'],
    ['Transfer-Encoding: chunked\r\n', '2\r\nab\r\n0\r\n\r\n'],
  ]) {
    client.send(
      `POST ${origin.url}/ HTTP/1.1\r\n${host}Connection: Host, content-length, Transfer-Encoding\r\n${framing ?? ''}\r\n${body ?? ''}`,
    );
    assert.equal((await client.response()).status, 204);
    assert.equal(origin.requests.at(-1)?.bytes.toString(), `POST / HTTP/1.1\r\n${host}${framing ?? ''}\r\n${body ?? ''}`);
  }
});

test('Connection cannot take away what frames an answer', async () => {
  const { head } = await pass({ answer: 'Connection: Content-Length\r\n' });
  assert.equal(head, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nVia: 1.1 warcprox\r\n\r\n');
});

test('Warcprox-Meta is neither sent nor archived', async () => {
  const { sent, archived, host } = await pass({ request: 'A: 1\r\nwarcprox-META: {"warc-prefix":"p"}\r\nB: 2\r\n' });
  assert.equal(sent, `GET / HTTP/1.1\r\nHost: ${host}\r\nA: 1\r\nB: 2\r\n\r\n`);
  assert.equal(archived[1], sent);
});

test('Strict-Transport-Security is not passed on, but archived', async () => {
  const { head, archived } = await pass({ answer: 'strict-transport-security: max-age=1\r\nA: 1\r\n' });
  assert.equal(head, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: 1\r\nVia: 1.1 warcprox\r\n\r\n');
  assert.ok(archived[0]?.includes('strict-transport-security: max-age=1\r\n'));
});

test('Via is appended to the last one there is, in the copy of the client only', async () => {
  const { head, archived } = await pass({ answer: 'via: 1.0 a\r\nA: 1\r\nVIA:  1.1 b,  2 c \r\nB: 2\r\n' });
  assert.equal(head, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nvia: 1.0 a\r\nA: 1\r\nVIA: 1.1 b,  2 c, 1.1 warcprox\r\nB: 2\r\n\r\n');
  assert.ok(archived[0]?.includes('VIA:  1.1 b,  2 c \r\n'));
});

test('the request carries no Via of ours', async () => {
  const { sent, host } = await pass({ request: 'Via: 1.1 client\r\n' });
  assert.equal(sent, `GET / HTTP/1.1\r\nHost: ${host}\r\nVia: 1.1 client\r\n\r\n`);
});

test('with --via the request carries one, behind those of others', async () => {
  const { sent, archived, host } = await pass({ request: 'Via: 1.1 client\r\nA: 1\r\n' }, { via: true });
  assert.equal(sent, `GET / HTTP/1.1\r\nHost: ${host}\r\nVia: 1.1 client\r\nA: 1\r\nVia: 1.1 warcprox\r\n\r\n`);
  assert.equal(archived[1], sent);
});

const ODD =
  'b:1\r\nA:2\r\na:   3\r\nA:\t4 \t\r\nX-Empty:\r\nX-Blank:   \r\nx~!#$%&\'*+-.^_`|9: "q;\\" , \xe9\xff\r\nCookie: a=b; c\r\nCookie: d\r\nTE: trailers\r\nTrailer: X\r\n';

test('order, case, spacing and repetition of all other fields are kept, both ways', async () => {
  const { sent, head, archived, host } = await pass({ request: ODD, answer: ODD });
  assert.equal(sent, `GET / HTTP/1.1\r\nHost: ${host}\r\n${ODD}\r\n`);
  assert.equal(archived[1], sent);
  assert.equal(head, `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${ODD}Via: 1.1 warcprox\r\n\r\n`);
  assert.equal(archived[0], `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${ODD}\r\n`);
});

test('a request body is passed on with its chunks, extensions and trailers as they are', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  const head = `Host: 127.0.0.1:${origin.port}\r\ntransfer-ENCODING:  gzip , Chunked\r\n\r\n`;
  const body = '0005;a="b;c" ;d\r\nhello\r\nA ; x\r\n0123456789\r\n000;last\r\nX-T: 1\r\nx-t:\t2\r\n\r\n';
  client.send(`PUT ${origin.url}/ HTTP/1.1\r\n${head}${body}`);
  assert.equal((await client.response()).status, 204);
  assert.equal(origin.requests[0]?.bytes.toString(), `PUT / HTTP/1.1\r\n${head}${body}`);
  await proxy.captured(1);
  assert.equal((await proxy.records())[1]?.block.toString(), `PUT / HTTP/1.1\r\n${head}${body}`);
});
