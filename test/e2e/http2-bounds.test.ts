/**
 * Bounds of time, of turns and of memory over HTTP/2: who passes one pays for it, and other streams and connections go on.
 *
 * Source: docs/http2.md "Bounds".
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { answered, http2Client, startHttp2Origin, type Http2Client } from '../support/http2.ts';
import { ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const NO_ERROR = 0;
const MIB = 1024 * 1024;

const clientOf = (proxy: TestProxy, { port }: { port: number }) => http2Client(proxy.port, `127.0.0.1:${port}`, proxy.ca);

/** Answers with its path; `/large` with more than anybody keeps, `/held` when it is told to. */
async function startVariousOrigin() {
  const held: (() => void)[] = [];
  let heard: () => void = () => undefined;
  const origin = await startHttp2Origin(
    (stream, headers) => {
      const path = headers[':path'] ?? '';
      stream.resume();
      const answer = () => {
        stream.respond({ ':status': 200 });
        stream.end(path.startsWith('/large') ? Buffer.alloc(16 * MIB) : path);
      };
      if (path.startsWith('/held')) held.push(answer);
      else answer();
      heard();
    },
    { maxSessionMemory: 64 },
  );
  return Object.assign(origin, {
    release: () => held.splice(0).forEach((answer) => answer()),
    /** Resolves when so many requests have come. */
    heard: async (count: number) => {
      while (origin.asked.length < count) await new Promise<void>((resolve) => (heard = resolve));
    },
  });
}

/** It has begun, and nobody reads it. */
async function stalledAnswer(client: Http2Client) {
  const stream = client.session.request({ ':path': '/large' });
  stream.on('error', () => undefined);
  await once(stream, 'response');
  return stream;
}

async function untilWaiting(proxy: TestProxy, count: number): Promise<void> {
  using client = await RawClient.connect(proxy.port);
  for (;;) {
    client.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const status = JSON.parse((await client.response()).body.toString()) as { unaccepted_requests: number };
    if (status.unaccepted_requests === count) return;
  }
}

// Each waits for a time-out, so that they do it together.
describe('who is too slow', { concurrency: true }, () => {
  test('where others wait for their turn, a stream of which nothing is taken is reset; other streams and connections go on', async () => {
    const said: string[] = [];
    const keep = (_fields: object, message: string) => said.push(message);
    const options = { socketTimeout: 1, tmpFileMaxMemorySize: 1024, log: { debug: keep, info: keep, warn: keep, error: keep } };
    await using origin = await startVariousOrigin();
    await using crowded = await startProxy({ ...options, maxThreads: 2 });
    await using roomy = await startProxy(options);
    using client = await clientOf(crowded, origin);
    using other = await clientOf(crowded, origin);
    using patient = await clientOf(roomy, origin);
    const slow = await stalledAnswer(client);
    const spared = await stalledAnswer(patient);
    const goOn = async (by: Http2Client, name: string) => {
      for (let n = 0; !slow.closed; n++) assert.equal((await by.get(`/${name}/${n}`)).body.toString(), `/${name}/${n}`);
      assert.equal((await by.get('/after')).body.toString(), '/after');
    };
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all([...names.flatMap((name) => [goOn(client, name), goOn(other, name)]), goOn(patient, 'alone')]);
    assert.notEqual(slow.rstCode, NO_ERROR);
    assert.ok(said.includes('a client takes its answer too slowly: its stream was closed'), said.join());
    // Where nobody waits there is patience for ten times as long.
    assert.ok(!spared.closed);
  });

  test('a connection of which nothing is taken is closed, and others go on', async () => {
    await using origin = await startVariousOrigin();
    await using proxy = await startProxy({ socketTimeout: 1, tmpFileMaxMemorySize: 1024 });
    using client = await clientOf(proxy, origin);
    using other = await clientOf(proxy, origin);
    const slow = await stalledAnswer(client);
    const closed = once(client.session, 'close');
    for (let n = 0; !client.session.closed; n++) assert.equal((await other.get(`/${n}`)).body.toString(), `/${n}`);
    await closed;
    assert.ok(slow.destroyed);
    using next = await clientOf(proxy, origin);
    assert.equal((await next.get('/next')).body.toString(), '/next');
  });

  test('an upload that stalls is answered 408, and its origin gets no whole request; the connection goes on', async () => {
    let whole = 0;
    let resolve: (rstCode: number) => void = () => undefined;
    const broken = new Promise<number>((done) => (resolve = done));
    await using origin = await startHttp2Origin((stream, headers) => {
      if (headers[':method'] === 'GET') {
        stream.respond({ ':status': 200 });
        stream.end('go on');
        return;
      }
      stream.resume();
      stream.on('end', () => (whole += stream.aborted ? 0 : 1));
      stream.on('close', () => resolve(stream.rstCode));
    });
    await using proxy = await startProxy({ socketTimeout: 1 });
    using client = await clientOf(proxy, origin);
    const upload = client.session.request({ ':path': '/', ':method': 'POST' });
    const answer = answered(upload);
    upload.write('some of it');
    const { status, body } = await answer;
    assert.equal(status, 408);
    assert.equal(body.toString(), 'request body not complete within the idle time-out\n');
    assert.notEqual(await broken, NO_ERROR);
    assert.equal(whole, 0);
    assert.equal((await client.get('/after')).body.toString(), 'go on');
  });

  test('an origin that says nothing, beside streams that move, is waited for as long as --socket-timeout; a session that nobody uses ends', async () => {
    await using origin = await startVariousOrigin();
    await using proxy = await startProxy({ socketTimeout: 1 });
    using client = await clientOf(proxy, origin);
    const silent = client.session.request({ ':path': '/held' });
    const held = answered(silent);
    for (let n = 0; !silent.closed; n++) assert.equal((await client.get(`/${n}`)).body.toString(), `/${n}`);
    const { status, body } = await held;
    assert.equal(status, 502);
    assert.equal(body.toString(), 'no answer from the origin within the idle time-out\n');
    const [session] = origin.sessions;
    if (session?.destroyed !== true) await once(session!, 'close');
  });

  test('an upload that stalls beside streams that move is answered 408 as well, whatever its origin speaks', async () => {
    await using speaksH2 = await startVariousOrigin();
    await using speaksHttp1 = await startOrigin(({ socket, path }) => socket.write(ok(path)), { tls: true });
    await using proxy = await startProxy({ socketTimeout: 1 });
    const stall = async (origin: { port: number }, fields = {}) => {
      using client = await clientOf(proxy, origin);
      const upload = client.session.request({ ':path': '/held', ':method': 'POST', ...fields });
      const answer = answered(upload);
      upload.write('some of it');
      for (let n = 0; !upload.closed; n++) assert.equal((await client.get(`/${n}`)).body.toString(), `/${n}`);
      assert.equal((await answer).status, 408);
    };
    const known = { 'content-length': 100 };
    await Promise.all([stall(speaksH2), stall(speaksHttp1), stall(speaksH2, known), stall(speaksHttp1, known)]);
  });
});

test('a stream past --max-threads waits for its turn and is served; one that is reset meanwhile never reaches the origin', async () => {
  await using origin = await startVariousOrigin();
  await using proxy = await startProxy({ maxThreads: 1 });
  using client = await clientOf(proxy, origin);
  const first = client.get('/held');
  await origin.heard(1);
  const leaving = client.session.request({ ':path': '/leaving' });
  leaving.on('error', () => undefined);
  await untilWaiting(proxy, 1);
  const upload = client.get('/second', { ':method': 'POST' }, Buffer.alloc(200_000));
  await untilWaiting(proxy, 2);
  leaving.close(8);
  await untilWaiting(proxy, 1);
  assert.equal(origin.asked.length, 1);
  origin.release();
  assert.equal((await first).body.toString(), '/held');
  assert.equal((await upload).body.toString(), '/second');
  assert.deepEqual(
    origin.asked.map(({ headers }) => headers[':path']),
    ['/held', '/second'],
  );
});

test('past --max-head-memory streams are answered 431, those that fit go on, and what they took is given back', async () => {
  await using origin = await startVariousOrigin();
  await using proxy = await startProxy({ maxHeadMemory: MIB });
  const clients = [await clientOf(proxy, origin), await clientOf(proxy, origin)];
  const large = { 'x-large': 'x'.repeat(60_000) };
  let refused = 0;
  const answers = Array.from({ length: 40 }, async (_, n) => {
    const { status, body } = await clients[n % 2]!.get(`/held/${n}`, large);
    if (status === 200) return;
    refused++;
    assert.equal(status, 431);
    assert.equal(body.toString(), `heads of all connections together larger than ${MIB} bytes (--max-head-memory)\n`);
  });
  while (refused + origin.asked.length < 40) await new Promise(setImmediate);
  assert.ok(origin.asked.length >= 1 && origin.asked.length <= 17, `${origin.asked.length} went on`);
  assert.equal((await clients[0]!.get('/small')).status, 200);
  origin.release();
  await Promise.all(answers);
  assert.equal((await clients[1]!.get('/afterwards', large)).status, 200);
  for (const client of clients) client[Symbol.dispose]();
});
