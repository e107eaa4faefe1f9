/**
 * Answers that are not quite HTTP: the client gets one consistent framing, the archive the exact bytes.
 *
 * Source: docs/http1.md (Responses).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, refusal } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

interface Case {
  readonly what: string;
  readonly answer: string;
  /** the origin closes after it */
  readonly closes?: true;
  /** all that the client gets, when the connection is closed; without `Via` and `Connection` of ours */
  readonly head: string;
  readonly body: string;
  /** what the archive has, when it is not the whole answer */
  readonly archived?: string;
  /** the connection to the origin, or to the client, cannot be used again */
  readonly reused?: false;
  readonly clientCloses?: true;
}

const CASES: readonly Case[] = [
  {
    what: 'bare LF',
    answer: 'HTTP/1.1 200 OK\nA: 1\nContent-Length: 2\n\nok',
    head: 'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'bare LF in some lines',
    answer: 'HTTP/1.1 200 OK\r\nA: 1\nContent-Length: 2\r\n\nok',
    head: 'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'no reason and no space before it',
    answer: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 \r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'an odd status line',
    answer: 'http/1.1 \t 299  odd\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 299  odd\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'no space before the reason',
    answer: 'HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'no status',
    answer: 'HTTP/1.1\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 \r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'words instead of a status',
    answer: 'HTTP/1.1 Not Found\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 \r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'no version',
    answer: 'HTTP 404 Gone\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 404 Gone\r\nContent-Length: 2\r\n',
    body: 'ok',
    reused: false,
  },
  {
    what: 'the status line of SHOUTcast',
    answer: 'ICY 200 OK\r\nicy-name: radio\r\n\r\nok',
    closes: true,
    head: 'HTTP/1.1 200 OK\r\nicy-name: radio\r\n',
    body: 'ok',
  },
  {
    what: 'a byte order mark in front',
    answer: '\xef\xbb\xbfHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'spaces and an empty line in front',
    answer: '\r\n  HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
    archived: '  HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  },
  {
    what: 'a later minor version',
    answer: 'HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'a lying version',
    answer: 'HTTP/2 200\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 \r\nContent-Length: 2\r\n',
    body: 'ok',
    reused: false,
  },
  {
    what: 'one length twice',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: 1\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: 1\r\n',
    body: 'ok',
  },
  {
    what: 'a list of one length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'leading zeros in a length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 002\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'folded fields',
    answer: 'HTTP/1.1 200 OK\r\nA: 1\r\n  2\r\n\t3\r\nContent-Length:\r\n 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nA: 1 2 3\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'white space before a colon',
    answer: 'HTTP/1.1 200 OK\r\nA : 1\r\nContent-Length\t: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'lines that are no fields',
    answer: 'HTTP/1.1 200 OK\r\nnonsense\r\n folded\r\n: x\r\na b: 1\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'NUL and CR in values',
    answer: 'HTTP/1.1 200 O\0K\r\nA: 1\x002\rB: 3\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 O K\r\nA: 1 2 B: 3\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'empty lines in front',
    answer: '\r\n\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
    archived: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  },
  {
    what: 'chunks and a length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n',
    body: '2\r\nok\r\n0\r\n\r\n',
  },
  {
    what: 'chunks in HTTP/1.0',
    answer: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n',
    body: '2\r\nok\r\n0\r\n\r\n',
    reused: false,
  },
  {
    what: 'a length in HTTP/1.0, kept alive',
    answer: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
    reused: false,
  },
  {
    what: 'a malformed length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok',
    closes: true,
    head: 'HTTP/1.1 200 OK\r\n',
    body: 'ok',
  },
  {
    what: 'an empty length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok',
    closes: true,
    head: 'HTTP/1.1 200 OK\r\n',
    body: 'ok',
  },
  {
    what: 'the coding identity with a length',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
  },
  {
    what: 'a coding that is not chunked',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nok',
    closes: true,
    head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n',
    body: 'ok',
  },
  {
    what: 'a length with 204, and a body',
    answer: 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 204 No Content\r\n',
    body: '',
    archived: 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n',
    reused: false,
  },
  {
    what: 'a connection that the origin closes',
    answer: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
    reused: false,
  },
  {
    what: 'more than its length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
    archived: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    reused: false,
  },
  {
    what: 'a second answer that nobody asked for',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    body: 'ok',
    archived: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    reused: false,
  },
];

for (const { what, answer, closes, head, body, archived, reused } of CASES) {
  test(`an answer with ${what}`, async () => {
    await using origin = await startOrigin(({ socket }) => {
      socket.write(answer, 'latin1');
      if (closes) socket.end();
    });
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${origin.url}/`));
    assert.equal(await client.head(), `${head}Via: 1.1 warcprox\r\n${closes ? 'Connection: close\r\n' : ''}\r\n`);
    if (closes) assert.equal((await client.rest()).toString('latin1'), body);
    else assert.equal((await client.bytes(body.length)).toString('latin1'), body);
    await proxy.captured(1);
    if (!closes) {
      // The client's connection is as good as before.
      client.send(get(`${origin.url}/`));
      assert.equal(await client.head(), `${head}Via: 1.1 warcprox\r\n\r\n`);
      assert.equal((await client.bytes(body.length)).toString('latin1'), body);
      await proxy.captured(2);
      assert.equal(origin.connections, reused === false ? 2 : 1);
    }
    const [response] = await proxy.records();
    assert.equal(response?.block.toString('latin1'), archived ?? answer);
    assert.equal(response.fields.get('warc-truncated'), undefined);
  });
}

for (const [what, answer, reason] of [
  ['no status line', 'I am not HTTP\r\n\r\n', 'invalid response: malformed status line: "I am not HTTP"'],
  ['a body without any head', '<p>as in HTTP/0.9\n\n', 'invalid response: malformed status line: "<p>as in HTTP/0.9"'],
  ['more than four octets in front', 'xxxxxHTTP/1.1 200 OK\r\n\r\n', 'invalid response: malformed status line: "xxxxxHTTP/1.1 200 OK"'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'invalid response: malformed status line: "HTTP/1.1 2000 OK"'],
  ['a status of two digits', 'HTTP/1.1 99 Low\r\n\r\n', 'invalid response: malformed status line: "HTTP/1.1 99 Low"'],
  [
    'differing lengths',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc',
    'invalid response: differing lengths in the response: "2, 3"',
  ],
  ['101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', 'invalid response: 101 Switching Protocols without being asked'],
  ['7,001 fields', `HTTP/1.1 200 OK\r\n${'A:1\r\n'.repeat(7001)}\r\n`, 'invalid response: more than 7000 header fields'],
  [
    'a head beyond 4 MiB',
    `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(4 * 1024 * 1024)}`,
    'invalid response: header block larger than 4194304 bytes',
  ],
] as const) {
  test(`an answer with ${what} becomes 502, and is not archived`, async () => {
    await using origin = await startOrigin(({ socket }) => socket.write(answer, 'latin1'));
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${origin.url}/`));
    const { head, body } = await client.response();
    assert.equal(head + body.toString(), refusal('502 Bad Gateway', reason, false));
    const capture = await proxy.captureOf(`${origin.url}/`);
    assert.ok(capture.kind === 'failure' && capture.error.code === 'invalid-response' && capture.status === 502);
    assert.deepEqual(await proxy.records(), []);
  });
}

for (const [what, chunks, passed] of [
  ['a size that is none', '2\r\nok\r\nzz\r\n', '2\r\nok\r\nzz\r\n'],
  ['data beyond its size', '2\r\nokay\r\n0\r\n\r\n', '2\r\nok'],
] as const) {
  test(`a chunk with ${what} ends the answer: what came is archived and marked, and the client is cut off`, async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';
    await using origin = await startOrigin(({ socket }) => socket.write(`${head}\r\n${chunks}`));
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${origin.url}/`));
    const received = (await client.rest()).toString();
    assert.ok(received.startsWith(`${head}Via: 1.1 warcprox\r\n\r\n`), received);
    await proxy.captured(1);
    const [response] = await proxy.records();
    assert.equal(response?.fields.get('warc-truncated'), 'unspecified');
    const block = response.block.toString();
    assert.ok(block.startsWith(`${head}\r\n${passed.slice(0, 2)}`), block);
    assert.ok(`${head}\r\n${chunks}`.startsWith(block));
    // The client got what the archive has, and no sign of a regular end.
    assert.equal(received.slice(`${head}Via: 1.1 warcprox\r\n\r\n`.length), block.slice(`${head}\r\n`.length));
  });
}

test('bare LF between chunks ends the connection to the client after the answer', async () => {
  const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n';
  await using origin = await startOrigin(({ socket }) => socket.write(answer));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.match((await client.rest()).toString(), /\r\n\r\n2\nok\n0\n\n$/);
  await proxy.captured(1);
  assert.equal((await proxy.records())[0]?.block.toString(), answer);
});
