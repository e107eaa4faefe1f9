/** The kept state of the deflater must never show. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { deflateRaw } from '../../../../src/warc/codec/gzip/deflater.ts';

const { Z_FINISH, Z_SYNC_FLUSH } = constants;

test('what it makes is inflated to what it was given, call after call, in any order, and as small as with a state of its own', () => {
  const text = 'WARC/1.1\r\nWARC-Type: response\r\n'.repeat(700);
  for (const size of [0, 1, 100, 600, 5000, 16_384, 16_385, 20_000]) {
    for (const bytes of [Buffer.from(text.slice(0, size)), randomBytes(size)]) {
      for (const flush of [Z_FINISH, Z_SYNC_FLUSH, Z_SYNC_FLUSH, Z_FINISH]) {
        const deflated = deflateRaw(bytes, flush);
        const alone = deflateRawSync(bytes, { windowBits: 13, memLevel: 7, finishFlush: flush });
        // Not the same bytes: whether zlib finds a match at the very end depends on what its window held before.
        assert.ok(Math.abs(deflated.length - alone.length) <= 8, `${size} ${flush}: ${deflated.length} and ${alone.length} bytes`);
        assert.deepEqual(inflateRawSync(deflated, { finishFlush: flush }), bytes);
      }
    }
  }
});

test('what it returned stays as it is', () => {
  const first = deflateRaw(Buffer.from('one'.repeat(100)), Z_FINISH);
  const before = Buffer.from(first);
  deflateRaw(randomBytes(10_000), Z_FINISH);
  assert.deepEqual(first, before);
});
