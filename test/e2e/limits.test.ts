/**
 * Bounds that are options: reached on purpose, one after the other.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok, okHead, refusal } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

interface Status {
  readonly active_requests: number;
  readonly unaccepted_requests: number;
}

async function status(proxy: TestProxy): Promise<Status> {
  using client = await RawClient.connect(proxy.port);
  client.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return JSON.parse((await client.response()).body.toString()) as Status;
}

async function untilWaiting(proxy: TestProxy, count: number): Promise<void> {
  while ((await status(proxy)).unaccepted_requests !== count);
}

/** An origin that answers when it is told to, with the path. */
async function patientOrigin() {
  const answers: (() => void)[] = [];
  const origin = await startOrigin(({ path, socket }) => answers.push(() => socket.write(ok(path))));
  return Object.assign(origin, { answer: () => answers.shift()?.() });
}

test('with --max-threads 1 the second request waits, and shows in /status', async () => {
  await using origin = await patientOrigin();
  await using proxy = await startProxy({ maxThreads: 1 });
  using one = await RawClient.connect(proxy.port);
  using two = await RawClient.connect(proxy.port);
  one.send(get(`${origin.url}/one`));
  await origin.requested(1);
  two.send(get(`${origin.url}/two`));
  await untilWaiting(proxy, 1);
  assert.equal((await status(proxy)).active_requests, 1);
  assert.equal(origin.requests.length, 1);
  origin.answer();
  assert.equal((await one.response()).body.toString(), '/one');
  await origin.requested(2);
  assert.equal((await status(proxy)).unaccepted_requests, 0);
  origin.answer();
  assert.equal((await two.response()).body.toString(), '/two');
});

test('a waiting request whose client leaves is forgotten', async () => {
  await using origin = await patientOrigin();
  await using proxy = await startProxy({ maxThreads: 1 });
  using one = await RawClient.connect(proxy.port);
  using two = await RawClient.connect(proxy.port);
  using three = await RawClient.connect(proxy.port);
  one.send(get(`${origin.url}/one`));
  await origin.requested(1);
  two.send(get(`${origin.url}/two`));
  await untilWaiting(proxy, 1);
  three.send(get(`${origin.url}/three`));
  await untilWaiting(proxy, 2);
  two.socket.resetAndDestroy();
  await untilWaiting(proxy, 1);
  origin.answer();
  await origin.requested(2);
  origin.answer();
  assert.equal((await three.response()).body.toString(), '/three');
  assert.deepEqual(
    origin.requests.map(({ path }) => path),
    ['/one', '/three'],
  );
});

test('the body of a waiting upload waits with it, even when its client has closed its side', async () => {
  await using origin = await patientOrigin();
  await using proxy = await startProxy({ maxThreads: 1 });
  using one = await RawClient.connect(proxy.port);
  using two = await RawClient.connect(proxy.port);
  one.send(get(`${origin.url}/one`));
  await origin.requested(1);
  two.socket.end(`POST ${origin.url}/two HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nContent-Length: 5\r\n\r\nhello`);
  await untilWaiting(proxy, 1);
  origin.answer();
  await origin.requested(2);
  origin.answer();
  assert.equal((await two.rest()).toString(), `${okHead(4, '', 'Connection: close\r\n')}/two`);
  assert.match(origin.requests[1]?.bytes.toString() ?? '', /\r\n\r\nhello$/);
});

test('a malformed request is refused at once, not after waiting', async () => {
  await using origin = await patientOrigin();
  await using proxy = await startProxy({ maxThreads: 1 });
  using one = await RawClient.connect(proxy.port);
  using two = await RawClient.connect(proxy.port);
  one.send(get(`${origin.url}/one`));
  await origin.requested(1);
  two.send(`GET ${origin.url}/two HTTP/1.1\r\nHost: not a host\r\n\r\n`);
  const line = 'host not understood, expected host or host:port: "not a host"';
  assert.equal((await two.rest()).toString(), refusal('400 Bad Request', line));
  origin.answer();
  assert.equal((await one.response()).status, 200);
});

test('past --max-connections a connection is dropped; one that closes makes room', async () => {
  await using proxy = await startProxy({ maxConnections: 2 });
  using one = await RawClient.connect(proxy.port);
  using two = await RawClient.connect(proxy.port);
  const page = 'GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n';
  for (const client of [one, two]) {
    client.send(page);
    assert.equal((await client.response()).status, 200);
  }
  using three = await RawClient.connect(proxy.port);
  assert.equal((await three.rest()).length, 0);
  one.send(page);
  assert.equal((await one.response()).status, 200);
  two.socket.end();
  if (!two.socket.closed) await once(two.socket, 'close');
  for (;;) {
    using four = await RawClient.connect(proxy.port);
    four.send(page);
    const answered = await four.response().then(
      () => true,
      () => false,
    );
    if (answered) break;
  }
});

test('a download past --max-resource-size is stopped; what came is kept, marked "length", and the client is cut off', async () => {
  const piece = 'x'.repeat(1000);
  await using origin = await startOrigin(async ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n');
    for (let i = 0; i < 1000 && !socket.destroyed; i++) await new Promise((resolve) => socket.write(piece, resolve));
  });
  await using proxy = await startProxy({ maxResourceSize: 5000 });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  const received = await client.rest();
  await proxy.captured(1);
  const [response] = await proxy.records();
  assert.equal(response?.fields.get('warc-truncated'), 'length');
  assert.ok(response.block.length > 5000 && response.block.length < 1_000_000, String(response.block.length));
  const head = okHead(1_000_000);
  assert.equal(received.toString('latin1', 0, head.length), head);
  const blockHead = head.replace('Via: 1.1 warcprox\r\n', '').length;
  assert.deepEqual(received.subarray(head.length), response.block.subarray(blockHead));
});

test('a body of exactly --max-resource-size with its head is whole', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok('x'.repeat(100))));
  await using proxy = await startProxy({ maxResourceSize: ok('x'.repeat(100)).length });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.equal((await client.response()).body.length, 100);
  await proxy.captured(1);
  assert.equal((await proxy.records())[0]?.fields.get('warc-truncated'), undefined);
});

test('a fetch past --fetch-timeout is stopped; what came is kept and marked "time"', async () => {
  await using origin = await startOrigin(({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const drip = setInterval(() => socket.write('1\r\nx\r\n'), 50);
    socket.once('close', () => clearInterval(drip));
  });
  await using proxy = await startProxy({ fetchTimeout: 0.3 });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.match((await client.rest()).toString(), /\r\n\r\n(1\r\nx\r\n)+$/);
  await proxy.captured(1);
  const [response] = await proxy.records();
  assert.equal(response?.fields.get('warc-truncated'), 'time');
  assert.match(response.block.toString(), /\r\n\r\n(1\r\nx\r\n)+$/);
});

test('a fetch past --fetch-timeout without an answer: 502', async () => {
  await using origin = await startOrigin(() => undefined);
  await using proxy = await startProxy({ fetchTimeout: 0.3 });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  const { head, body } = await client.response();
  assert.equal(head + body.toString(), refusal('502 Bad Gateway', 'no answer within the time limit of a fetch', false));
});

test('an idle client is let go after --socket-timeout, with 408 if its request had begun', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy({ socketTimeout: 0.2 });
  const timeout = refusal('408 Request Timeout', 'request head not complete within the idle time-out');
  for (const [sent, answer] of [
    ['', ''],
    ['\r\n', ''],
    [get(`${origin.url}/`), `${okHead()}ok`],
    ['GET http', timeout],
    [`${get(`${origin.url}/`)}GET http`, `${okHead()}ok${timeout}`],
  ] as const) {
    using client = await RawClient.connect(proxy.port);
    client.send(sent);
    assert.equal((await client.rest()).toString(), answer);
  }
});

test('a client that stops in the middle of its upload is let go, and the capture has failed', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy({ socketTimeout: 0.2 });
  using client = await RawClient.connect(proxy.port);
  client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf`);
  await client.rest();
  const capture = await proxy.captureOf(`${origin.url}/`);
  assert.equal(capture.kind, 'failure');
  while (origin.open > 0) await new Promise(setImmediate);
});

test('a client that does not read its answer is let go after --socket-timeout, and the download is finished', async () => {
  const size = 32 * 1024 * 1024;
  await using origin = await startOrigin(({ socket }) =>
    socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), Buffer.alloc(size)])),
  );
  await using proxy = await startProxy({ socketTimeout: 0.3, finishAbandoned: 'always' });
  using client = await RawClient.connect(proxy.port);
  client.socket.pause();
  client.send(get(`${origin.url}/`));
  const capture = await proxy.captureOf(`${origin.url}/`);
  assert.ok(capture.kind === 'exchange');
  assert.equal(capture.response.truncated, undefined);
  assert.equal(capture.response.payloadSize, size);
});

/** Send a byte again and again, until the test is over. */
function drip(t: TestContext, send: () => void): void {
  const timer = setInterval(send, 10);
  t.after(() => clearInterval(timer));
}

for (const [what, first] of [
  ['the head of its request', 'GET http'],
  ['empty lines', ''],
] as const) {
  test(`a client that drips ${what} is answered 408 after --head-timeout`, async (t) => {
    await using proxy = await startProxy({ headTimeout: 0.2 });
    using client = await RawClient.connect(proxy.port);
    client.send(first);
    drip(t, () => client.send(first === '' ? '\r\n' : 'x'));
    const timeout = refusal('408 Request Timeout', 'request head not complete within the time limit');
    assert.equal((await client.rest()).toString(), timeout);
  });
}

test('the time for a head begins with its first byte, not with the answer before it', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy({ headTimeout: 0.3 });
  using client = await RawClient.connect(proxy.port);
  const [first, second] = [get(`${origin.url}/`).slice(0, 10), get(`${origin.url}/`).slice(10)];
  for (let i = 0; i < 4; i++) {
    client.send(first);
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.send(second);
    assert.equal((await client.response()).status, 200);
  }
});

test('a client that drips a TLS handshake is let go after --head-timeout', async (t) => {
  await using proxy = await startProxy({ headTimeout: 0.2 });
  using client = await RawClient.tunnel(proxy.port, 'localhost:443');
  client.send(Buffer.from('160301020001', 'hex'));
  drip(t, () => client.send('\0'));
  assert.equal((await client.rest()).length, 0);
});

test('a client that drips its upload slower than --min-rate is answered 408, and the capture has failed', async (t) => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy({ minRate: 100_000, socketTimeout: 0.2 });
  for (const method of ['POST', 'WARCPROX_WRITE_RECORD']) {
    using client = await RawClient.connect(proxy.port);
    client.send(
      `${method} ${origin.url}/ HTTP/1.1\r\nHost: a\r\nWARC-Type: resource\r\nContent-Type: a/b\r\nContent-Length: 10000\r\n\r\n`,
    );
    drip(t, () => client.send('x'));
    assert.equal((await client.rest()).toString(), refusal('408 Request Timeout', 'request body comes too slowly'));
  }
  assert.equal((await proxy.captureOf(`${origin.url}/`)).kind, 'failure');
  while (origin.open > 0) await new Promise(setImmediate);
  assert.equal((await proxy.records()).length, 0);
});

test('an origin that drips a body slower than --min-rate is cut off; what came is kept and marked "time"', async (t) => {
  await using origin = await startOrigin(({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    drip(t, () => socket.write('1\r\nx\r\n'));
  });
  await using proxy = await startProxy({ minRate: 100_000, socketTimeout: 0.2 });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.match((await client.rest()).toString(), /\r\n\r\n(1\r\nx\r\n)+$/);
  await proxy.captured(1);
  const [response] = await proxy.records();
  assert.equal(response?.fields.get('warc-truncated'), 'time');
  assert.match(response.block.toString(), /\r\n\r\n(1\r\nx\r\n)+$/);
});

test('an origin that drips a head slower than --min-rate: 502', async (t) => {
  await using origin = await startOrigin(({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nServer: ');
    drip(t, () => socket.write('x'));
  });
  await using proxy = await startProxy({ minRate: 100_000, socketTimeout: 0.2 });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  const { head, body } = await client.response();
  assert.equal(head + body.toString(), refusal('502 Bad Gateway', 'response head comes too slowly', false));
});

test('past --max-memory of all captures together, what comes goes to temporary files, and is archived all the same', async () => {
  const waiting: (() => void)[] = [];
  const body = 'x'.repeat(10_000);
  await using origin = await startOrigin(({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`);
    waiting.push(() => socket.write('!'));
  });
  await using proxy = await startProxy({ maxMemory: 15_000 });
  const inMemory: boolean[] = [];
  proxy.proxy.on('capture', (capture) => {
    if (capture.kind === 'exchange') inMemory.push(capture.response.bytes.memory !== undefined);
  });
  using one = await RawClient.connect(proxy.port);
  using two = await RawClient.connect(proxy.port);
  for (const client of [one, two]) {
    client.send(get(`${origin.url}/`));
    await client.head();
    await client.bytes(body.length);
  }
  for (const finish of waiting) finish();
  assert.equal((await one.bytes(1)).toString() + (await two.bytes(1)).toString(), '!!');
  await proxy.captured(2);
  assert.deepEqual(inMemory.sort(), [false, true]);
  const records = await proxy.records();
  assert.ok(records.filter(({ type }) => type === 'response' || type === 'revisit').length === 2);
});

test('past --max-head-memory heads are answered 431, and those that fit go on', async () => {
  await using origin = await patientOrigin();
  await using proxy = await startProxy({ maxHeadMemory: 1_048_576 });
  const line = 'heads of all connections together larger than 1048576 bytes (--max-head-memory)';
  let refused = 0;
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(proxy.port)));
  const answers = clients.map(async (client, nth) => {
    client.send(get(`${origin.url}/${nth}`, `X: ${'x'.repeat(200_000)}\r\n`));
    const { status, head, body } = await client.response();
    if (status !== 200) assert.equal(head + body.toString(), refusal('431 Request Header Fields Too Large', line));
    if (status !== 200) refused++;
  });
  // Those that fit are held until they are answered, so that no more than five can.
  while (refused + origin.requests.length < 20) await new Promise(setImmediate);
  assert.ok(origin.requests.length >= 1 && origin.requests.length <= 5, `${origin.requests.length} went on`);
  for (let left = origin.requests.length; left > 0; left--) origin.answer();
  await Promise.all(answers);
  for (const client of clients) client[Symbol.dispose]();
});

test('the head of a request whose client has left counts for as long as its answer comes', async () => {
  await using origin = await patientOrigin();
  await using proxy = await startProxy({ maxHeadMemory: 1_048_576 });
  const asked = (path: string) => get(`${origin.url}/${path}`, `X: ${'x'.repeat(240_000)}\r\n`);
  for (let nth = 1; nth <= 4; nth++) {
    using leaving = await RawClient.connect(proxy.port);
    leaving.send(asked('left'));
    await origin.requested(nth);
    leaving.socket.resetAndDestroy();
  }
  const statusOf = async (request: string) => {
    using client = await RawClient.connect(proxy.port);
    client.send(request);
    return (await client.response()).status;
  };
  // Answered once it has seen that they have left.
  assert.equal(await statusOf('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n'), 200);
  assert.equal(await statusOf(asked('late')), 431);
  for (let nth = 1; nth <= 4; nth++) origin.answer();
  await proxy.captured(4);
  const fits = statusOf(asked('fits'));
  await origin.requested(5);
  origin.answer();
  assert.equal(await fits, 200);
});

test('a URL of more than 128 KiB is answered 414', async () => {
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`http://127.0.0.1:1/${'x'.repeat(131_072)}`));
  const answer = (await client.rest()).toString();
  assert.match(
    answer,
    /^HTTP\/1\.1 414 URI Too Long\r\n[^]*\r\n\r\nrequest target longer than 131072 bytes: "http:\/\/127\.0\.0\.1:1\/x+…"\n$/,
  );
});
