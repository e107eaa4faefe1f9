/** What the events of an exchange lead to where no socket can be made to behave so. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlockRecorder, ResponseRecorder, type RecordingOptions } from '../../src/capture/recorder.ts';
import type { Capture } from '../../src/capture/capture.ts';
import { releaseCapture } from '../../src/capture/kinds.ts';
import { NO_META } from '../../src/meta/meta.ts';
import { fieldOf, Fields } from '../../src/http/fields.ts';
import { FetchError } from '../../src/http/fetch-error.ts';
import { AS_IT_IS } from '../../src/http/sides.ts';
import type { ExchangeClient } from '../../src/fetch/exchange-parts.ts';
import { Exchange } from '../../src/fetch/exchange.ts';
import type { OriginConnection, OriginStream } from '../../src/fetch/origin-connection.ts';
import { OriginPool } from '../../src/fetch/pool.ts';
import { HashingThread } from '../../src/util/hashing-thread.ts';
import { outgoingRequest } from '../support/outgoing.ts';

const NO_MINIMUM = { bytesPerSecond: 0, windowMs: 1000 };

interface Varied {
  readonly minRate?: typeof NO_MINIMUM;
  readonly hashing?: HashingThread;
  readonly onEnded?: () => void;
}

/** A POST whose recording goes to a temporary file at once; a megabyte is more than may wait for the disk. */
function upload(
  dir: string,
  client: ExchangeClient,
  origin: OriginConnection,
  sink: (capture: Capture) => void,
  { minRate = NO_MINIMUM, hashing, onEnded = () => {} }: Varied = {},
): Exchange {
  return new Exchange(
    {
      connect: () => Promise.resolve(origin),
      pool: new OriginPool(1),
      recording: { ...recordingTo(dir), hashing },
      now: () => new Date(),
      newRecordId: () => '<urn:uuid:0>',
      sink: (capture) => {
        sink(capture);
        return undefined;
      },
      maxResourceBytes: 0,
      finishAbandoned: 'small',
      minRate,
    },
    {
      outgoing: outgoingRequest({ method: 'POST', hasBody: true }),
      referer: undefined,
      meta: NO_META,
      warcPrefix: 'X',
      form: () => AS_IT_IS,
    },
    client,
    onEnded,
  );
}

/** An origin that takes everything, as fast as `ready` says. */
function originOf(ready: () => boolean): OriginConnection {
  const nothing = () => undefined;
  const stream: OriginStream = {
    sentHead: Buffer.from('POST / HTTP/1.1\r\n\r\n'),
    protocol: 'http/1.1',
    full: false,
    framed: (bytes) => bytes,
    write: ready,
    endRequest: nothing,
    pause: nothing,
    resume: nothing,
    release: nothing,
    reset: nothing,
  };
  return {
    key: 'a',
    ipAddress: '127.0.0.1',
    tls: undefined,
    capacity: 1,
    busy: true,
    usable: true,
    request: () => stream,
    park: nothing,
    unwanted: nothing,
    destroy: nothing,
  };
}

const NO_CLIENT: ExchangeClient = {
  interim: () => true,
  head() {},
  body: () => true,
  flush() {},
  end() {},
  fail() {},
  resumeRequest() {},
};

/** What the origin says. */
function answer(exchange: Exchange): void {
  const fields = new Fields([fieldOf('Content-Length', '0')]);
  exchange.onHead({ status: 200, reason: 'OK', minor: 1, fields }, { kind: 'length', length: 0 }, Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  exchange.onRead(10, true, true);
}

const recordingTo = (dir: string): RecordingOptions => ({
  digest: { algorithm: 'sha1', base32: false },
  spool: { maxMemoryBytes: 0, dir },
});

/** A recorder of the same kind that began later is on the disk, or has failed, later. */
async function recordedBefore(dir: string, size: number): Promise<void> {
  const later = new BlockRecorder(recordingTo(dir));
  later.write(Buffer.alloc(size));
  await later.bytes.flushed();
  later.bytes.release();
}

test('an upload goes on only when both the origin and the disk of its recording have kept up', async () => {
  let resumed = 0;
  let wake = () => {};
  const client = { ...NO_CLIENT, resumeRequest: () => (resumed++, wake()) };
  let originReady = true;
  const origin = originOf(() => originReady);
  const exchange = upload(tmpdir(), client, origin, releaseCapture);
  const send = (bytes: Buffer) => exchange.write(bytes, [bytes]);
  const resumption = () => new Promise<void>((resolve) => (wake = resolve));

  const connected = resumption();
  exchange.start();
  await connected;
  assert.equal(resumed, 1);

  // The disk is behind, the origin is not: its event alone must not let the client go on.
  const written = resumption();
  assert.equal(send(Buffer.alloc(2 * 1024 * 1024)), false);
  exchange.onDrain();
  assert.equal(resumed, 1);
  await written;
  assert.equal(resumed, 2);

  // The origin is behind, the disk soon is not: nor must the disk.
  originReady = false;
  assert.equal(send(Buffer.alloc(2 * 1024 * 1024)), false);
  await recordedBefore(tmpdir(), 4 * 1024 * 1024);
  assert.equal(resumed, 2);
  const drained = resumption();
  originReady = true;
  exchange.onDrain();
  await drained;
  assert.equal(resumed, 3);
  exchange.shutDown(new FetchError('shutting-down', 'proxy is shutting down'));
});

for (const when of ['before its end', 'at its end'] as const) {
  test(`an upload whose temporary file fails ${when} is a failure, and no answer of the origin is passed on`, async () => {
    const dir = join(tmpdir(), 'warctap-not-there');
    const told: string[] = [];
    const captures: Capture[] = [];
    let connected = () => {};
    const client: ExchangeClient = {
      ...NO_CLIENT,
      head: () => told.push('head'),
      end: () => told.push('end'),
      fail: ({ code }) => told.push(code),
      resumeRequest: () => connected(),
    };
    const origin = originOf(() => true);
    const exchange = upload(dir, client, origin, (capture) => captures.push(capture));
    const send = (text: string) => exchange.write(Buffer.from(text), [Buffer.from(text)]);
    const connection = new Promise<void>((resolve) => (connected = resolve));
    exchange.start();
    await connection;
    send('a');
    if (when === 'at its end') exchange.endRequest();
    await recordedBefore(dir, 1);
    assert.deepEqual(told, []);
    if (when === 'at its end') {
      answer(exchange);
    } else {
      send('b');
      // The client is in the middle of its own work.
      assert.deepEqual(told, []);
      await Promise.resolve();
    }
    assert.deepEqual(told, ['recording-failed']);
    assert.deepEqual(
      captures.map(({ kind }) => kind),
      ['failure'],
    );
    send('c');
    answer(exchange);
    await Promise.resolve();
    assert.equal(told.length, 1);
  });
}

test('an origin that is held back for a slow client does not drip', async (t) => {
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  let ready = true;
  let connected = () => {};
  const begun = new Promise<void>((resolve) => (connected = resolve));
  const captures: Capture[] = [];
  const client = { ...NO_CLIENT, body: () => ready, resumeRequest: () => connected() };
  const exchange = upload(
    tmpdir(),
    client,
    originOf(() => true),
    (capture) => captures.push(capture),
    { minRate: { bytesPerSecond: 10, windowMs: 1000 } },
  );
  exchange.start();
  await begun;
  exchange.endRequest();
  const piece = (bytes: number) => {
    exchange.onBody(Buffer.alloc(bytes), []);
    exchange.onRead(bytes, false, true);
  };
  const fields = new Fields([fieldOf('Content-Length', '1000')]);
  exchange.onHead(
    { status: 200, reason: 'OK', minor: 1, fields },
    { kind: 'length', length: 1000 },
    Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
  );
  piece(1);
  ready = false;
  piece(1);
  nowMs += 60_000;
  ready = true;
  exchange.resumeResponse();
  piece(1);
  assert.equal(captures.length, 0);
  // Not held back any more, it does.
  nowMs += 60_000;
  piece(1);
  assert.ok(captures[0]?.kind === 'exchange' && captures[0].response.truncated === 'time');
  captures.forEach(releaseCapture);
});

/** A response of a megabyte that a thread hashes, up to its last byte: none has come of what happens after it. */
async function hashedElsewhere(t: TestContext) {
  const hashing = new HashingThread('sha1');
  t.after(() => hashing.close());
  while (!hashing.ready) await sleep(1);
  const seen: string[] = [];
  const captures: Capture[] = [];
  let captured = () => {};
  const over = new Promise<void>((resolve) => (captured = resolve));
  let connected = () => {};
  const connection = new Promise<void>((resolve) => (connected = resolve));
  const client: ExchangeClient = {
    ...NO_CLIENT,
    end: (accepted) => {
      seen.push('end');
      void accepted?.then(() => seen.push('accepted'));
    },
    fail: ({ message }) => seen.push(message),
    resumeRequest: () => connected(),
  };
  const sink = (capture: Capture) => {
    seen.push(capture.kind);
    captures.push(capture);
  };
  const origin = originOf(() => true);
  const exchange = upload(tmpdir(), client, origin, sink, {
    hashing,
    onEnded: () => {
      seen.push('over');
      captured();
    },
  });
  exchange.start();
  await connection;
  exchange.endRequest();
  const body = randomBytes(1_000_000);
  const fields = new Fields([fieldOf('Content-Length', '1000000')]);
  const head = { status: 200, reason: 'OK', minor: 1, fields } as const;
  exchange.onHead(head, { kind: 'length', length: body.length }, Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  for (let at = 0; at < body.length; at += 100_000) {
    const piece = body.subarray(at, at + 100_000);
    exchange.onBody(piece, [piece]);
    exchange.onRead(piece.length, at + 100_000 === body.length, true);
  }
  return { hashing, exchange, seen, captures, body, over };
}

test('a large response that a thread hashes is handed over once its digests are known, and the client has it before', async (t) => {
  const { exchange, seen, captures, body, over } = await hashedElsewhere(t);
  assert.deepEqual(seen, ['end']);
  exchange.clientGone();
  exchange.outOfTime();
  exchange.shutDown(new FetchError('shutting-down', 'proxy is shutting down'));
  await over;
  await Promise.resolve();
  const [capture] = captures;
  assert.ok(capture?.kind === 'exchange');
  const sha1 = (bytes: Buffer) => `sha1:${createHash('sha1').update(bytes).digest('hex')}`;
  assert.equal(capture.response.payloadDigest, sha1(body));
  assert.equal(capture.response.digest, sha1(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), body])));
  assert.deepEqual(seen.slice(0, 3), ['end', 'exchange', 'over']);
  releaseCapture(capture);
});

test('when the thread that hashes ends, what it had is a failure that says so, and what comes later is hashed here', async (t) => {
  const { hashing, seen, captures, over } = await hashedElsewhere(t);
  await hashing.close();
  await over;
  const [capture] = captures;
  assert.ok(capture?.kind === 'failure');
  assert.deepEqual([capture.error.code, capture.error.message], ['recording-failed', 'hashing failed: the thread that hashes has ended']);
  assert.deepEqual(seen.slice(0, 3), ['end', 'failure', 'over']);
  const later = new ResponseRecorder({ ...recordingTo(tmpdir()), hashing });
  const piece = Buffer.alloc(600_000);
  later.head(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), 600_019);
  later.body(piece, [piece]);
  const response = later.finish({ status: 200, contentType: undefined, location: undefined }, undefined);
  assert.equal(response.payloadDigest, `sha1:${createHash('sha1').update(piece).digest('hex')}`);
  response.bytes.release();
});

test('when the thread that hashes ends while a response comes, the exchange fails at its next piece', async () => {
  const hashing = new HashingThread('sha1');
  while (!hashing.ready) await sleep(1);
  const told: string[] = [];
  let connected = () => {};
  const connection = new Promise<void>((resolve) => (connected = resolve));
  const client: ExchangeClient = { ...NO_CLIENT, fail: ({ message }) => told.push(message), resumeRequest: () => connected() };
  const exchange = upload(
    tmpdir(),
    client,
    originOf(() => true),
    (capture) => told.push(capture.kind),
    { hashing },
  );
  exchange.start();
  await connection;
  exchange.endRequest();
  const fields = new Fields([fieldOf('Content-Length', '1000000')]);
  exchange.onHead({ status: 200, reason: 'OK', minor: 1, fields }, { kind: 'length', length: 1e6 }, Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  const piece = Buffer.alloc(600_000);
  exchange.onBody(piece, [piece]);
  await hashing.close();
  assert.deepEqual(told, []);
  exchange.onBody(Buffer.alloc(1), [Buffer.alloc(1)]);
  assert.deepEqual(told, ['failure', 'hashing failed: the thread that hashes has ended']);
});
