/** Recorders: bytes as they came, digests of block and payload in the same pass. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { releaseCapture } from '../../src/capture/kinds.ts';
import { BlockRecorder, ResponseRecorder } from '../../src/capture/recorder.ts';
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
