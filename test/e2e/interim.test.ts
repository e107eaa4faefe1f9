/**
 * Interim answers, Expect, and answers that come before their request is complete.
 *
 * Source: RFC 9110 §10.1.1 and §15.2.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok, okHead, refusal } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** The head of an upload that waits for 100. */
function expecting(url: string, body = 5): string {
  return `POST ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nExpect: 100-Continue\r\nContent-Length: ${body}\r\n\r\n`;
}

test('100 Continue of the origin reaches the client before it has sent its body', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()), { onHead: (_head, socket) => socket.write(CONTINUE) });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  for (let i = 0; i < 2; i++) {
    client.send(expecting(`${origin.url}/`));
    assert.equal(await client.head(), CONTINUE);
    assert.equal(origin.requests.length, i);
    client.send('hello');
    assert.equal(await client.head(), okHead());
    assert.equal((await client.bytes(2)).toString(), 'ok');
  }
  await proxy.captured(2);
  const [response, request] = await proxy.records();
  assert.equal(response?.block.toString(), ok());
  assert.equal(request?.block.toString(), `${expecting(`${origin.url}/`).replace(origin.url, '')}hello`);
});

for (const status of ['401 Unauthorized', '417 Expectation Failed', '200 OK']) {
  test(`a final answer ${status} instead of 100 ends the connection of the client; the request is archived as it was sent`, async () => {
    const answer = `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`;
    await using origin = await startOrigin(() => undefined, { onHead: (_head, socket) => socket.write(answer) });
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(expecting(`${origin.url}/`));
    assert.equal((await client.rest()).toString(), answer.replace('\r\n\r\n', '\r\nVia: 1.1 warcprox\r\n\r\n'));
    assert.ok(client.socket.readableEnded, 'closed, not reset');
    await proxy.captured(1);
    const [response, request] = await proxy.records();
    assert.equal(response?.block.toString(), answer);
    assert.equal(request?.block.toString(), expecting(`${origin.url}/`).replace(origin.url, ''));
    assert.equal(origin.open, 0);
  });
}

test('a client that sends its body without waiting for 100 is served all the same', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`${expecting(`${origin.url}/`)}hello${get(`${origin.url}/next`)}`);
  for (let i = 0; i < 2; i++) assert.equal((await client.response()).status, 200);
  assert.ok(origin.requests[0]?.bytes.toString().endsWith('\r\n\r\nhello'));
});

test('early hints never shift the next answer on the same connection to the origin', async () => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\nContent-Length: 7\r\n\r\n';
  await using origin = await startOrigin(({ path, socket }) => socket.write((path.endsWith('0') ? hint : '') + ok(path)));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  for (let i = 10; i < 20; i++) {
    client.send(get(`${origin.url}/${i}`));
    if (i % 10 === 0) assert.equal(await client.head(), 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
    assert.equal((await client.response()).body.toString(), `/${i}`);
  }
  assert.equal(origin.connections, 1);
});

test("bytes on an idle connection to an origin are nobody's answer: it is closed", async () => {
  let idle: Socket | undefined;
  await using origin = await startOrigin(({ path, socket }) => {
    idle = socket;
    socket.write(ok(path));
  });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/first`));
  assert.equal((await client.response()).body.toString(), '/first');
  idle?.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  while (origin.open > 0) await new Promise(setImmediate);
  client.send(get(`${origin.url}/second`));
  assert.equal((await client.response()).body.toString(), '/second');
  assert.equal(origin.connections, 2);
});

test('an answer of which only interim ones came is invalid', async () => {
  await using origin = await startOrigin(({ socket }) => socket.end(CONTINUE));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.equal(await client.head(), CONTINUE);
  const { head, body } = await client.response();
  assert.equal(head + body.toString(), refusal('502 Bad Gateway', 'connection closed in the middle of the response head', false));
});

for (const [what, endless, sum] of [
  ['interim answers', `HTTP/1.1 103 Early Hints\r\nLink: </${'x'.repeat(1000)}>\r\n\r\n`, 'heads of an answer together'],
  ['empty lines', '\r\n'.repeat(1000), 'heads and empty lines together'],
] as const) {
  test(`${what} without end are an invalid answer after 4 MiB`, async () => {
    let sent = 0;
    await using origin = await startOrigin(({ socket }) => {
      const more = () => {
        while (!socket.destroyed && socket.write(endless)) sent += endless.length;
      };
      socket.on('drain', more);
      more();
    });
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${origin.url}/`, 'Connection: close\r\n'));
    const line = `invalid response: ${sum} larger than 4194304 bytes`;
    const received = (await client.rest()).toString();
    assert.ok(received.endsWith(refusal('502 Bad Gateway', line)), received.slice(-300));
    const { kind } = await proxy.captureOf(`${origin.url}/`);
    assert.equal(kind, 'failure');
    assert.ok(sent > 0);
  });
}

test('trailers count with the heads before them: the answer is cut, and kept as far as it came', async () => {
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: </${'x'.repeat(3_000_000)}>\r\n\r\n`;
  const trailers = `T: ${'y'.repeat(500_000)}\r\n`.repeat(3);
  await using origin = await startOrigin(({ socket }) =>
    socket.write(`${hint}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n`),
  );
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.ok(!(await client.rest()).toString().endsWith('\r\n\r\n'));
  const capture = await proxy.captureOf(`${origin.url}/`);
  assert.ok(capture.kind === 'exchange' && capture.response.truncated === 'unspecified' && capture.response.payloadSize === 2);
});

test('101 is refused: nobody asked for another protocol, because Upgrade is not passed on', async () => {
  await using origin = await startOrigin(({ socket }) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'),
  );
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`, 'Connection: Upgrade\r\nUpgrade: h2c\r\n'));
  assert.equal((await client.response()).status, 502);
  assert.doesNotMatch(origin.requests[0]?.bytes.toString() ?? '', /upgrade/i);
  await proxy.captured(1);
  assert.deepEqual(await proxy.records(), []);
});

for (const framing of ['length', 'chunks'] as const) {
  test(`an answer that comes before the end of an upload (${framing}) does not cut it: it is recorded whole`, async () => {
    await using origin = await startOrigin(() => undefined, { onHead: (_head, socket) => socket.write(ok('early')) });
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    const host = `127.0.0.1:${origin.port}`;
    const field = framing === 'length' ? 'Content-Length: 10' : 'Transfer-Encoding: chunked';
    const pieces = framing === 'length' ? ['12345', '67890'] : ['5\r\n12345\r\n', '5\r\n67890\r\n0\r\n\r\n'];
    client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: ${host}\r\n${field}\r\n\r\n${pieces[0] ?? ''}`);
    assert.equal(await client.head(), okHead(5));
    assert.equal((await client.bytes(5)).toString(), 'early');
    assert.equal(proxy.captures.length, 0);
    client.send((pieces[1] ?? '') + get(`${origin.url}/next`));
    await origin.requested(1);
    assert.equal((await client.response()).status, 200);
    await proxy.captured(1);
    const [response, request] = await proxy.records();
    assert.equal(response?.block.toString(), ok('early'));
    assert.equal(request?.block.toString(), `POST / HTTP/1.1\r\nHost: ${host}\r\n${field}\r\n\r\n${pieces.join('')}`);
    assert.equal(origin.requests[0]?.bytes.toString(), request.block.toString());
  });
}

test('an origin that answers early and closes: the answer is passed on and archived, and the client is let go', async () => {
  await using origin = await startOrigin(() => undefined, {
    onHead: (_head, socket) => socket.end('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig'),
  });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome`);
  assert.match((await client.rest()).toString(), /^HTTP\/1\.1 413 [^]*\r\n\r\nbig$/);
  await proxy.captured(1);
  const [response, request] = await proxy.records();
  assert.match(response?.block.toString() ?? '', /big$/);
  assert.match(request?.block.toString() ?? '', /some$/);
});

test('a client that waits for 100 is not taken for idle: it is told when the origin says nothing', async () => {
  await using origin = await startOrigin(() => undefined);
  await using proxy = await startProxy({ socketTimeout: 0.3 });
  using client = await RawClient.connect(proxy.port);
  client.send(expecting(`${origin.url}/`));
  const reason = 'no answer from the origin within the idle time-out';
  assert.equal((await client.rest()).toString(), refusal('502 Bad Gateway', reason));
});

test('a client that has been told to go on, and closes its side instead, is told what is missing', async () => {
  await using origin = await startOrigin(() => undefined, { onHead: (_head, socket) => socket.write(CONTINUE) });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(expecting(`${origin.url}/`));
  assert.equal(await client.head(), CONTINUE);
  client.socket.end();
  assert.equal((await client.rest()).toString(), refusal('400 Bad Request', 'request ended before its body was complete'));
  const capture = await proxy.captureOf(`${origin.url}/`);
  assert.ok(capture.kind === 'failure' && capture.error.code === 'request-aborted');
});
