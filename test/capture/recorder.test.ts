/** Recorders: bytes as they came, digests of block and payload in the same pass. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseCapture } from '../../src/capture/kinds.ts';
import { BlockRecorder, ResponseRecorder } from '../../src/capture/recorder.ts';
import { HashingThread } from '../../src/util/hashing-thread.ts';
import { exchangeCapture, RECORDING } from '../support/captures.ts';

const sha1 = (bytes: string | Buffer) => `sha1:${createHash('sha1').update(bytes).digest('hex')}`;

test('a block is what was written, with its digest', () => {
  const recorder = new BlockRecorder(RECORDING);
  for (const piece of ['GET / ', '', 'HTTP/1.1\r\n', '\r\n']) assert.equal(recorder.write(Buffer.from(piece)), true);
  const { bytes, digest } = recorder.finish();
  assert.equal(Buffer.concat([...(bytes.memory ?? [])]).toString(), 'GET / HTTP/1.1\r\n\r\n');
  assert.equal(digest, sha1('GET / HTTP/1.1\r\n\r\n'));
});

test('a response has a digest of all its bytes, and one of its payload', () => {
  const recorder = new ResponseRecorder(RECORDING);
  const head = Buffer.from('HTTP/1.1 200 OK\r\n\r\n');
  const body = Buffer.from('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
  recorder.head(head);
  recorder.body(body.subarray(0, 10), [body.subarray(3, 6)]);
  recorder.body(body.subarray(10), [body.subarray(11, 13)]);
  const response = recorder.finish({ status: 302, contentType: 'text/plain', location: '/b' }, undefined);
  const { bytes, ...rest } = response;
  assert.deepEqual(
    { ...rest, digest: response.digest },
    {
      status: 302,
      contentType: 'text/plain',
      location: '/b',
      truncated: undefined,
      trailers: undefined,
      digest: sha1(Buffer.concat([head, body])),
      headSize: head.length,
      payloadSize: 5,
      payloadDigest: sha1('abcde'),
    },
  );
  assert.equal(bytes.size, head.length + body.length);
});

test('a response of any size has a digest of all its bytes, asked for once or twice', () => {
  for (const size of [0, 1, 32 * 1024, 64 * 1024, 64 * 1024 + 1, 300_000]) {
    const recorder = new ResponseRecorder(RECORDING);
    const head = Buffer.from('HTTP/1.1 200 OK\r\n\r\n');
    const body = Buffer.alloc(size, 'all work and no play ');
    recorder.head(head);
    for (let at = 0; at < size; at += 10_000) recorder.body(body.subarray(at, at + 10_000), [body.subarray(at, at + 10_000)]);
    const response = recorder.finish({ status: 200, contentType: undefined, location: undefined }, undefined);
    assert.equal(response.digest, sha1(Buffer.concat([head, body])), `${size} bytes`);
    assert.equal(response.digest, sha1(Buffer.concat([head, body])), `${size} bytes, again`);
    assert.equal(response.payloadDigest, sha1(body), `${size} bytes`);
    response.bytes.release();
  }
});

test('a response without a body has the digest of nothing', () => {
  const recorder = new ResponseRecorder(RECORDING);
  recorder.head(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'));
  const response = recorder.finish({ status: 204, contentType: undefined, location: undefined }, undefined);
  assert.equal(response.payloadSize, 0);
  assert.equal(response.payloadDigest, sha1(''));
});

test('releasing a capture lets go of request and response, once or twice', () => {
  const capture = exchangeCapture('http://x/');
  releaseCapture(capture);
  releaseCapture(capture);
  assert.deepEqual([capture.request.bytes.memory, capture.response.bytes.memory], [[], []]);
});

for (const base32 of [false, true]) {
  test(`a large response has the same digests when a thread hashes it${base32 ? ', in Base32' : ''}`, async (t) => {
    const hashing = new HashingThread('sha1');
    t.after(() => hashing.close());
    while (!hashing.ready) await sleep(1);
    const digest = { algorithm: 'sha1', base32 };
    for (const maxMemoryBytes of [300_000, 2_000_000]) {
      for (const size of [0, 100_000, 299_000, 300_000, 512 * 1024, 512 * 1024 + 1, 1_000_000, 3_000_000]) {
        const options = { ...RECORDING, digest, spool: { ...RECORDING.spool, maxMemoryBytes } };
        const recorders = [new ResponseRecorder(options), new ResponseRecorder({ ...options, hashing })];
        const body = randomBytes(size);
        const [here, there] = recorders.map((recorder) => {
          recorder.head(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
          for (let at = 0; at < size; at += 60_000) {
            // Chunks of two sizes in one piece, and one whose payload stands elsewhere in memory.
            const piece = Buffer.from(body.subarray(at, at + 60_000));
            const payload = [piece.subarray(10, 20_000), piece.subarray(20_010, 50_000)];
            recorder.body(piece, at === 120_000 ? payload.map((slice) => Buffer.from(slice)) : payload);
          }
          return { response: recorder.finish({ status: 200, contentType: undefined, location: undefined }, undefined), recorder };
        });
        assert.ok(here !== undefined && there !== undefined);
        assert.equal(here.recorder.undigested, false);
        if (there.recorder.undigested) assert.throws(() => there.response.digest, /a digest was asked for before it was known/);
        assert.equal(there.recorder.undigested, size > Math.min(maxMemoryBytes, 512 * 1024) - 60, `${size} bytes`);
        if (there.recorder.undigested) await new Promise<void>((resolve) => there.recorder.onDigested(resolve));
        for (const which of ['digest', 'payloadDigest', 'payloadSize'] as const)
          assert.equal(there.response[which], here.response[which], `${which} of ${size} bytes`);
        for (const { response } of [here, there]) response.bytes.release();
      }
    }
  });
}

test('a large response that drips is hashed where its hash has begun', async (t) => {
  const hashing = new HashingThread('sha1');
  t.after(() => hashing.close());
  while (!hashing.ready) await sleep(1);
  const recorder = new ResponseRecorder({ ...RECORDING, spool: { ...RECORDING.spool, maxMemoryBytes: 512 * 1024 }, hashing });
  const body = randomBytes(1_000_000);
  recorder.head(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  for (let at = 0; at < body.length; at += 1000) recorder.body(body.subarray(at, at + 1000), [body.subarray(at, at + 1000)]);
  const response = recorder.finish({ status: 200, contentType: undefined, location: undefined }, undefined);
  assert.deepEqual([recorder.undigested, response.payloadDigest], [false, sha1(body)]);
  response.bytes.release();
});

test('a recorder waits for the disk and for the thread that hashes, and one that begins meanwhile does without', async (t) => {
  const hashing = new HashingThread('sha1');
  t.after(() => hashing.close());
  while (!hashing.ready) await sleep(1);
  const recorder = new ResponseRecorder({ ...RECORDING, spool: { ...RECORDING.spool, maxMemoryBytes: 512 * 1024 }, hashing });
  recorder.head(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  const piece = Buffer.alloc(600_000);
  for (let i = 0; i < 10; i++) recorder.body(piece, [piece]);
  assert.equal(hashing.drained, false);
  // Those that come meanwhile are hashed here: what is on its way does not grow with their number.
  const other = new ResponseRecorder({ ...RECORDING, spool: { ...RECORDING.spool, maxMemoryBytes: 512 * 1024 }, hashing });
  other.head(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  other.body(piece, [piece]);
  const response = other.finish({ status: 200, contentType: undefined, location: undefined }, undefined);
  assert.deepEqual([other.undigested, response.payloadDigest], [false, sha1(piece)]);
  response.bytes.release();
  await new Promise<void>((resolve) => recorder.onDrain(resolve));
  assert.ok(hashing.drained);
  recorder.release();
});
