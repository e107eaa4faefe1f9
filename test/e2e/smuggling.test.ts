/**
 * Request smuggling and response splitting (RFC 9112 §11.1, §11.2), end to end: a second message is hidden in a first one, and must never
 * come out as one of its own.
 *
 * Also covered elsewhere:
 *
 * | what                                                                             | where                                   |
 * | -------------------------------------------------------------------------------- | --------------------------------------- |
 * | each malformed head, length, coding and chunk by itself, with its line           | test/e2e/strictness.test.ts             |
 * | a refused request behind a pipelined one                                         | test/e2e/strictness.test.ts             |
 * | hosts, user and password, fragments and ports in the target                      | test/e2e/targets.test.ts, strictness    |
 * | CONNECT with a body, or in a tunnel                                              | test/e2e/tunnels.test.ts                |
 * | answers with both framings, CR and NUL in fields, more than a length, two at once | test/e2e/lenient.test.ts               |
 * | everything between, and what node:http makes of it                               | test/fuzz/http1.test.ts, differential   |
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

let origin: Origin;
let proxy: TestProxy;
let reply = ok();
before(async () => {
  origin = await startOrigin(({ path, socket }) => socket.write(path === '/next' ? ok('next') : reply, 'latin1'));
  proxy = await startProxy();
});
after(async () => {
  await origin[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const host = () => `127.0.0.1:${origin.port}`;
const hidden = () => get(`${origin.url}/hidden`);
const post = (fields: string, body: string) => `POST ${origin.url}/outer HTTP/1.1\r\nHost: ${host()}\r\n${fields}\r\n${body}`;

const REFUSED: readonly (readonly [what: string, request: () => string])[] = [
  ['CL.TE', () => post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${hidden()}`)],
  ['TE.CL', () => post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${hidden()}`)],
  ['TE.TE, two fields', () => post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n', `0\r\n\r\n${hidden()}`)],
  ['differing lengths', () => post('Content-Length: 0\r\nContent-Length: 40\r\n', hidden())],
  ['a request that is refused, and a good one behind it', () => `GET ${origin.url} HTTP/1.1\r\nA b: 1\r\n\r\n${hidden()}`],
  ...[
    'Transfer-Encoding : chunked',
    'Transfer-Encoding\t: chunked',
    ' Transfer-Encoding: chunked',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: \x0bchunked',
    'Transfer-Encoding:\x0cchunked',
    'Transfer-Encoding: chunked\t',
    'Transfer-Encoding: chunked\0',
    'Transfer-Encoding: chunked\xa0',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity, chunked',
    'Transfer-Encoding: chunked,',
    'Transfer-Encoding:\r\n chunked',
    'Transfer-Encoding:\n chunked',
    'Transfer-Encoding\r\n: chunked',
    'X: 1\rTransfer-Encoding: chunked',
    'X: 1\nTransfer-Encoding: chunked',
    'X: 1\r\n\tTransfer-Encoding: chunked',
    'X: 1\0\r\nTransfer-Encoding: chunked',
  ].map((field) => [JSON.stringify(field), () => post(`${field}\r\n`, `0\r\n\r\n${hidden()}`)] as const),
  ...[
    'Content-Length : 40',
    'Content-Length: +40',
    'Content-Length: 4 0',
    'Content-Length: 0x28',
    'Content-Length: 40, 40',
    'Content-Length: 40,',
    'Content-Length: \xa040',
    'Content-Length: 40\x0b',
    'Content-Length: 4e1',
    'Content-Length: 40.0',
    'Content-Length: -0',
    'Content-Length: 18446744073709551656',
    'Content-Length:\r\n 40',
    'X: 1\rContent-Length: 40',
    'X: 1\nContent-Length: 40',
  ].map((field) => [JSON.stringify(field), () => post(`${field}\r\n`, hidden())] as const),
  ...[
    '10000000000000000\r\n',
    'ffffffffffffffff1\r\n',
    '+0\r\n',
    '0_0\r\n',
    '0\n',
    '0\r',
    '0;\n',
    '0;x="\n"\r\n',
    '0;x\r\n\n',
    '0 \r\n',
    '0\x0b\r\n',
    '0x0\r\n',
    '1\r\nxx\r\n0\r\n',
    '1\r\nx\n0\r\n',
    '1\r\nx\r0\r\n',
    '1\r\nx0\r\n',
    '0\r\n\n',
    '0\r\n\r',
    '0\r\n \r\n',
    '0\r\nX: 1\n',
    '0\r\nX : 1\r\n',
    '0\r\nContent-Length: 1\r\n',
    '0\r\ntransfer-encoding:x\r\n',
  ].map((body) => [`the chunks ${JSON.stringify(body)}`, () => post('Transfer-Encoding: chunked\r\n', `${body}\r\n${hidden()}`)] as const),
  ...['\r', '\n', '\r\n', '\0', '\x0b', '\t', ' ', '\x7f'].map(
    (octet) =>
      [
        `${JSON.stringify(octet)} in the target`,
        () => `GET ${origin.url}/x${octet}Host:y HTTP/1.1\r\nHost: ${host()}\r\n\r\n${hidden()}`,
      ] as const,
  ),
];

describe('a request with another one hidden behind it is refused', () => {
  for (const [what, request] of REFUSED) {
    test(what, async () => {
      const before = origin.requests.length;
      using client = await RawClient.connect(proxy.port);
      client.send(request());
      const answer = (await client.rest()).toString('latin1');
      // One answer, then the connection ends; the rest of it is no second one.
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.match(answer, /\r\nConnection: close\r\n/);
      assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1);
      assert.equal(origin.requests.length, before);
    });
  }
});

test('what is undecided when an upload breaks off has not been sent on as the beginning of another request', async () => {
  let seen = '';
  await using raw = await startOrigin(() => undefined, {
    onHead: (_head, socket) => socket.on('data', (bytes: Buffer) => (seen += bytes.toString('latin1'))),
  });
  using client = await RawClient.connect(proxy.port);
  client.send(`POST ${raw.url}/ HTTP/1.1\r\nHost: 127.0.0.1:${raw.port}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n`);
  while (raw.connections === 0) await new Promise(setImmediate);
  // Without the line's end nobody knows yet that it is no field.
  client.send('\rGET /hidden HTTP/1.1\rHost: a\r\r');
  assert.equal((await client.response()).status, 400);
  while (raw.open > 0) await new Promise(setImmediate);
  assert.doesNotMatch(seen, /hidden/);
});

describe('a request with another one inside of it is one request', () => {
  for (const [what, request] of [
    [
      'GET with a length',
      () => `GET ${origin.url}/outer HTTP/1.1\r\nHost: ${host()}\r\nContent-Length: ${hidden().length}\r\n\r\n${hidden()}`,
    ],
    ['a chunk', () => post('TRANSFER-ENCODING: CHUNKED\r\n', `${hidden().length.toString(16)}\r\n${hidden()}\r\n0\r\n\r\n`)],
    ['a chunk extension', () => post('Transfer-Encoding: chunked\r\n', `1;x="GET ${origin.url}/hidden HTTP/1.1"\r\nx\r\n0\r\n\r\n`)],
    ['HTTP/1.0 with a length', () => post(`Content-Length: ${hidden().length}\r\n`, hidden()).replace('HTTP/1.1', 'HTTP/1.0')],
    ['Connection that names the length', () => post(`Connection: content-length\r\nContent-Length: ${hidden().length}\r\n`, hidden())],
    ['line ends as percent-encodings in its target', () => get(`${origin.url}/outer%0d%0aHost:%20x%0d%0a%0d%0aGET%20/hidden`)],
  ] as const) {
    test(what, async () => {
      reply = ok();
      const before = origin.requests.length;
      using client = await RawClient.connect(proxy.port);
      client.send(request());
      assert.equal((await client.response()).status, 200);
      if (what !== 'HTTP/1.0 with a length') {
        client.send(get(`${origin.url}/next`));
        assert.equal((await client.response()).body.toString(), 'next');
      }
      const paths = origin.requests.slice(before).map(({ path }) => path.replace(/%.*/, ''));
      assert.deepEqual(paths, what === 'HTTP/1.0 with a length' ? ['/outer'] : ['/outer', '/next']);
    });
  }
});

describe('a response with another one in it is one response', () => {
  const HIDDEN = 'HTTP/1.1 299 Hidden\r\nContent-Length: 0\r\n\r\n';
  for (const [what, answer] of [
    ['bare CRs in a field', `HTTP/1.1 200 OK\r\nA: x\r\rHTTP/1.1 299 Hidden\rContent-Length: 0\r\r\r\nContent-Length: 2\r\n\r\nok`],
    ['bare CRs in the reason', `HTTP/1.1 200 OK\rContent-Length: 0\r\rHTTP/1.1 299 Hidden\r\nContent-Length: 2\r\n\r\nok`],
    ['a CR in front of the empty line', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\r\n\r\nok`],
    ['a folded field', `HTTP/1.1 200 OK\r\nA: x\r\n HTTP/1.1 299 Hidden\r\nContent-Length: 2\r\n\r\nok`],
    ['a body', `HTTP/1.1 200 OK\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
    ['another behind it', `${ok()}${HIDDEN}`],
    ['one behind 204', `HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n${HIDDEN}`],
    ['both framings', `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
    ...['chunked, identity', 'chunked,', 'chunked\t', 'chunked\r\nTransfer-Encoding: identity'].map(
      (coding) =>
        [`the coding ${JSON.stringify(coding)}`, `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n`] as const,
    ),
  ] as const) {
    test(what, async () => {
      reply = answer;
      using client = await RawClient.connect(proxy.port);
      client.send(get(`${origin.url}/outer`));
      const first = await client.response();
      assert.ok(!/[\r\n]/.test(first.head.replaceAll('\r\n', '')), 'a line end of another kind');
      const codings = [...first.head.matchAll(/^transfer-encoding:(.*)\r$/gim)].map(([, value]) => value);
      assert.ok(codings.length === 0 || (codings.length === 1 && codings[0] === ' chunked'), String(codings));
      // What else the origin said is nobody's answer.
      client.send(get(`${origin.url}/next`));
      const second = await client.response();
      assert.deepEqual([second.status, second.body.toString()], [200, 'next']);
    });
  }

  for (const [what, trailer] of [
    ['bare CRs in its trailer', `\r${HIDDEN}`],
    ['framing fields in its trailer', 'Transfer-Encoding: x\r\nContent-Length: 3\r\n\r\n'],
  ] as const) {
    test(`${what}: the client’s connection ends behind it`, async () => {
      reply = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailer}`;
      using client = await RawClient.connect(proxy.port);
      client.send(get(`${origin.url}/outer`) + get(`${origin.url}/next`));
      assert.doesNotMatch((await client.rest()).toString('latin1'), /next/);
    });
  }
});
