/**
 * Requests that two programs could read differently are refused: answered in one line, nothing sent on, nothing archived, and the proxy goes on.
 *
 * Source: docs/http1.md (Requests); RFC 9112 §11.2.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

let origin: Origin;
let proxy: TestProxy;
before(async () => {
  origin = await startOrigin(({ socket }) => socket.write(ok()));
  proxy = await startProxy();
});
after(async () => {
  await origin[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

/** `{U}` stands for the URL of the origin, `{H}` for its host and port. */
const HEADS: readonly (readonly [request: string, line: string])[] = [
  ['GET  {U} HTTP/1.1\r\n\r\n', 'malformed request line: "GET  {U} HTTP/1.1"'],
  ['GET {U}  HTTP/1.1\r\n\r\n', 'malformed request line: "GET {U}  HTTP/1.1"'],
  [' GET {U} HTTP/1.1\r\n\r\n', 'malformed request line: "GET {U} HTTP/1.1"'],
  ['GET\tU HTTP/1.1\r\n\r\n', 'malformed request line: "GET\\tU HTTP/1.1"'],
  ['GET {U}\r\n\r\n', 'malformed request line: "GET {U}"'],
  ['GET {U} http/1.1\r\n\r\n', 'malformed request line: "GET {U} http/1.1"'],
  ['GET {U} HTTP/1.1 \r\n\r\n', 'malformed request line: "GET {U} HTTP/1.1"'],
  ['GET {U} HTTP/1.1\n\r\n', 'malformed request line: "GET {U} HTTP/1.1"'],
  ['GE(T {U} HTTP/1.1\r\n\r\n', 'malformed request line: "GE(T {U} HTTP/1.1"'],
  ['GET {U}/\x01 HTTP/1.1\r\n\r\n', 'malformed request line: "GET {U}/\\u0001 HTTP/1.1"'],
  ['\x00\x01\x02\r\n\r\n', 'malformed request line: "\\u0000\\u0001\\u0002"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA: 1\n\r\n', 'LF without CR at the end of a header field: "A: 1"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA: 1\n\n', 'LF without CR at the end of a header field: "A: 1"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA: 1\rB: 2\r\n\r\n', 'CR without LF in header field: "A: 1\\rB: 2"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA: 1\r\n B\r\n\r\n', 'folded header field: " B"'],
  ['GET {U} HTTP/1.1\r\n A: 1\r\nHost: {H}\r\n\r\n', 'folded header field: " A: 1"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA : 1\r\n\r\n', 'white space before the colon of a header field: "A : 1"'],
  [
    'GET {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length\t: 1\r\n\r\n',
    'white space before the colon of a header field: "Content-Length\\t: 1"',
  ],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA\r\n\r\n', 'header field without a colon: "A"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\n: 1\r\n\r\n', 'invalid name of a header field: ": 1"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA(: 1\r\n\r\n', 'invalid name of a header field: "A(: 1"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA\xe9: 1\r\n\r\n', 'invalid name of a header field: "A\xe9: 1"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA: 1\x002\r\n\r\n', 'control character in header field: "A: 1\\u00002"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nA: \x7f\r\n\r\n', 'control character in header field: "A: \\u007f"'],
  ['GET {U} HTTP/1.1\r\nHost: {H}\r\nHost: {H}\r\n\r\n', 'more than one Host: "{H}, {H}"'],
  ['GET {U} HTTP/1.1\r\nHost: a b\r\n\r\n', 'host not understood, expected host or host:port: "a b"'],
  ['GET {U} HTTP/1.1\r\nHost: u:p@{H}\r\n\r\n', 'host not understood, expected host or host:port: "***@{H}"'],
  [
    'POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'both Content-Length and Transfer-Encoding: "chunked"',
  ],
  ['POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc', 'more than one Content-Length: "3, 3"'],
  ['POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd', 'more than one Content-Length: "3, 4"'],
  ['POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 3, 3\r\n\r\nabc', 'malformed Content-Length, expected decimal digits: "3, 3"'],
  ['POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: +3\r\n\r\nabc', 'malformed Content-Length, expected decimal digits: "+3"'],
  ['POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: -1\r\n\r\n', 'malformed Content-Length, expected decimal digits: "-1"'],
  ['POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 0x3\r\n\r\nabc', 'malformed Content-Length, expected decimal digits: "0x3"'],
  ['POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 3 3\r\n\r\nabc', 'malformed Content-Length, expected decimal digits: "3 3"'],
  ['POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length:\r\n\r\nabc', 'malformed Content-Length, expected decimal digits: ""'],
  [
    'POST {U} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 9007199254740992\r\n\r\nabc',
    'malformed Content-Length, expected decimal digits: "9007199254740992"',
  ],
  ...['gzip', 'identity', 'chunked, gzip', 'chunked, chunked', 'xchunked', 'chunked;q=1', '', 'x, chunked', ', chunked', '"chunked"'].map(
    (coding): readonly [string, string] => [
      `POST {U} HTTP/1.1\r\nHost: {H}\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`,
      `Transfer-Encoding not understood, expected "chunked": ${JSON.stringify(coding)}`,
    ],
  ),
  [
    'POST {U} HTTP/1.1\r\nHost: {H}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding not understood, expected "chunked": "chunked, chunked"',
  ],
  ['POST {U} HTTP/1.0\r\nHost: {H}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Transfer-Encoding in an HTTP/1.0 request: "chunked"'],
  ['GET http://u:p@{H}/ HTTP/1.1\r\nHost: v:p@{H}\r\n\r\n', 'host not understood, expected host or host:port: "***@{H}"'],
  ['GET http://u:p\\@{H}/ HTTP/1.1\r\nHost: {H}\r\n\r\n', 'host not understood, expected host or host:port: "***@{H}"'],
  ['GET http://u:p@{H}/ x HTTP/1.1\r\nHost: {H}\r\n\r\n', 'malformed request line: "GET http://***@{H}/ x HTTP/1.1"'],
  ['GET {U}/ HTTP/1.1\r\nHost: u:p@{H}\r\nHost: {H}\r\n\r\n', 'more than one Host: "***@{H}, {H}"'],
  ['GET http:///x HTTP/1.1\r\nHost: {H}\r\n\r\n', 'host not understood, expected host or host:port: ""'],
  ['GET http://a..b/ HTTP/1.1\r\nHost: {H}\r\n\r\n', 'host with an empty label: "a..b"'],
  ['GET http://1.2.3.4.5/ HTTP/1.1\r\nHost: {H}\r\n\r\n', 'host not understood, expected a name or an address: "1.2.3.4.5"'],
  ['GET http://[fe80::1%25lo]/ HTTP/1.1\r\nHost: {H}\r\n\r\n', 'host not understood, expected host or host:port: "[fe80::1%25lo]"'],
  ['GET http://a:0/ HTTP/1.1\r\nHost: {H}\r\n\r\n', 'port not understood, expected 1 to 65535: "a:0"'],
  ['GET http://a:65536/ HTTP/1.1\r\nHost: {H}\r\n\r\n', 'port not understood, expected 1 to 65535: "a:65536"'],
  ['GET http://a:8x/ HTTP/1.1\r\nHost: {H}\r\n\r\n', 'host not understood, expected host or host:port: "a:8x"'],
];

async function refused(request: string | Buffer, expected: string): Promise<void> {
  const connections = origin.connections;
  using client = await RawClient.connect(proxy.port);
  client.send(request);
  assert.equal((await client.rest()).toString(), expected);
  assert.equal(origin.connections, connections);
}

for (const [request, line] of HEADS) {
  test(`refused: ${JSON.stringify(request)}`, async () => {
    const real = (text: string) => text.replaceAll('{U}', origin.url).replaceAll('{H}', `127.0.0.1:${origin.port}`);
    using client = await RawClient.connect(proxy.port);
    client.send(real(request));
    assert.equal((await client.rest()).toString(), refusal('400 Bad Request', real(line)));
    assert.equal(origin.connections, 0);
    assert.equal(proxy.captures.length, 0);
  });
}

for (const version of ['2.0', '0.9', '3.1']) {
  test(`HTTP/${version} is answered 505`, async () => {
    const line = `HTTP version not supported, expected HTTP/1.1: "HTTP/${version}"`;
    await refused(`GET ${origin.url}/ HTTP/${version}\r\n\r\n`, refusal('505 HTTP Version Not Supported', line));
  });
}

test('the preface of HTTP/2 is answered 505', async () => {
  await refused(
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    refusal('505 HTTP Version Not Supported', 'HTTP version not supported, expected HTTP/1.1: "HTTP/2.0"'),
  );
});

test('a head of exactly 4 MiB goes through, one byte more is answered 431', async () => {
  const line = refusal('431 Request Header Fields Too Large', 'header block larger than 4194304 bytes');
  const empty = get(`${origin.url}/`, 'X: \r\n');
  await refused(get(`${origin.url}/`, `X: ${'x'.repeat(4 * 1024 * 1024 - empty.length + 1)}\r\n`), line);
  using client = await RawClient.connect(proxy.port);
  const value = 'x'.repeat(4 * 1024 * 1024 - empty.length);
  client.send(get(`${origin.url}/`, `X: ${value}\r\n`));
  assert.equal((await client.response()).status, 200);
  assert.ok(origin.requests.at(-1)?.bytes.includes(`\r\nX: ${value}\r\n`));
});

test('a head without an end is answered 431 once it is too large', async () => {
  using client = await RawClient.connect(proxy.port);
  client.send(Buffer.alloc(4 * 1024 * 1024 + 1, 'x'));
  assert.equal((await client.rest()).toString(), refusal('431 Request Header Fields Too Large', 'header block larger than 4194304 bytes'));
});

test('7,000 fields go through, one more is answered 431', async () => {
  const fields = (count: number) => get(`${origin.url}/`, 'A:1\r\n'.repeat(count - 1));
  using client = await RawClient.connect(proxy.port);
  client.send(fields(7000));
  assert.equal((await client.response()).status, 200);
  client.send(fields(7001));
  assert.equal((await client.rest()).toString(), refusal('431 Request Header Fields Too Large', 'more than 7000 header fields'));
});

test('a request that is refused after others were answered gets its refusal, too', async () => {
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.equal((await client.response()).status, 200);
  client.send('nonsense\r\n\r\n');
  assert.equal((await client.rest()).toString(), refusal('400 Bad Request', 'malformed request line: "nonsense"'));
});

test('a request that is refused behind a pipelined one does not take away the answer of that one', async () => {
  using client = await RawClient.connect(proxy.port);
  client.send(`${get(`${origin.url}/`)}nonsense\r\n\r\n${get(`${origin.url}/never`)}`);
  assert.equal((await client.response()).status, 200);
  assert.equal((await client.rest()).toString(), refusal('400 Bad Request', 'malformed request line: "nonsense"'));
  assert.ok(!origin.requests.some(({ path }) => path === '/never'));
});

test('the answer to a refused HEAD has no body', async () => {
  await refused(
    `HEAD ftp://a/ HTTP/1.1\r\n\r\n`,
    refusal('400 Bad Request', 'request target not understood, expected http://host[:port]/path: "ftp://a/"').replace(
      /\r\n\r\n[^]*$/,
      '\r\n\r\n',
    ),
  );
});

const BODIES: readonly (readonly [body: string, line: string])[] = [
  ['5\r\nhello\r\nx\r\n', 'malformed chunk size: "x"'],
  ['5\r\nhello\r\n\r\n', 'malformed chunk size: ""'],
  ['5\r\nhello\r\n-1\r\n', 'malformed chunk size: "-1"'],
  ['5\r\nhello\r\n0x1\r\n', 'malformed chunk size: "0x1"'],
  ['5\r\nhello\r\n1 \r\n', 'malformed chunk size: "1"'],
  ['5\r\nhello\r\n 1\r\n', 'malformed chunk size: "1"'],
  ['5\r\nhello\r\n1\n', 'malformed chunk size: "1"'],
  ['5\r\nhello\r\n1;a\rb\r\n', 'malformed chunk size: "1;a\\rb"'],
  ['5\r\nhello\r\n11111111111111\r\n', 'malformed chunk size: "11111111111111"'],
  ['5\r\nhelloworld\r\n', 'chunk data longer than its size'],
  ['5\r\nhello\n', 'chunk data not followed by CRLF'],
  ['5\r\nhello\r\n0\r\nbad trailer\r\n', 'header field without a colon: "bad trailer"'],
  ['5\r\nhello\r\n0\r\nA: 1\n', 'LF without CR at the end of a header field: "A: 1"'],
];

for (const [index, [body, line]] of BODIES.entries()) {
  test(`an upload that goes wrong is cut off, and not archived: ${JSON.stringify(body)}`, async () => {
    const requests = origin.requests.length;
    using client = await RawClient.connect(proxy.port);
    const url = `${origin.url}/bad/${index}`;
    client.send(`POST ${url} HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await new Promise(setImmediate);
    client.send(body);
    assert.equal((await client.rest()).toString(), refusal('400 Bad Request', line));
    const capture = await proxy.captureOf(url);
    assert.ok(capture.kind === 'failure' && capture.error.code === 'request-aborted');
    assert.equal(origin.requests.length, requests);
  });
}

test('a chunk size line that does not end is answered 431', async () => {
  using client = await RawClient.connect(proxy.port);
  client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(16 * 1024)}`);
  const line = 'chunk size line larger than 16384 bytes';
  assert.equal((await client.rest()).toString(), refusal('431 Request Header Fields Too Large', line));
});

test('a wrong chunk in the middle of an upload cuts the connection to the origin', async () => {
  await using cut = await startOrigin(() => undefined);
  using client = await RawClient.connect(proxy.port);
  client.send(`POST ${cut.url}/ HTTP/1.1\r\nHost: 127.0.0.1:${cut.port}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
  while (cut.connections === 0) await new Promise(setImmediate);
  client.send('zz\r\n');
  assert.equal((await client.response()).status, 400);
  while (cut.open > 0) await new Promise(setImmediate);
  assert.equal(cut.requests.length, 0);
});

test('after all that the proxy serves the next request, and its archive holds only what was answered', async () => {
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/last`));
  assert.equal((await client.response()).status, 200);
  const records = await proxy.records();
  assert.equal(records.filter(({ type }) => type === 'request').length, origin.requests.length);
  assert.equal(records.at(-1)?.url, `${origin.url}/last`);
});
