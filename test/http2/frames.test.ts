/** Frames: wherever the pieces are cut, the same is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameHead, FrameReader, headersFrames, Http2Error, numbersFrame } from '../../src/http2/frames.ts';

function told(pieces: readonly Buffer[], maxPayload = 16_384): string[] {
  const frames: string[] = [];
  const reader = new FrameReader(maxPayload, {
    onFrame: (type, flags, stream, payload) => frames.push(`${type} ${flags} ${stream} ${payload.toString('hex')}`),
  });
  for (const piece of pieces) reader.push(piece);
  return frames;
}

const BYTES = Buffer.concat([
  frameHead(0, 4, 1, 0),
  numbersFrame(8, 3, 70_000),
  frameHead(3, 0, 1, 0x7fffffff),
  Buffer.from('abc'),
  headersFrames(Buffer.from('0123456789'), 5, true, 4),
]);
const FRAMES = ['4 1 0 ', '8 0 3 00011170', '0 1 2147483647 616263', '1 1 5 30313233', '9 0 5 34353637', '9 4 5 3839'];

test('frames at every split into two and three, and byte by byte', () => {
  assert.deepEqual(told([BYTES]), FRAMES);
  assert.deepEqual(told([...BYTES].map((byte) => Buffer.from([byte]))), FRAMES);
  for (let one = 0; one <= BYTES.length; one++)
    for (let two = one; two <= BYTES.length; two += 5)
      assert.deepEqual(told([BYTES.subarray(0, one), BYTES.subarray(one, two), BYTES.subarray(two)]), FRAMES);
});

test('the reserved bit is nothing, and a frame past the bound is refused before it has come', () => {
  const reserved = frameHead(0, 0, 0, 1);
  reserved[5] = 0x80;
  assert.deepEqual(told([reserved]), ['0 0 1 ']);
  assert.throws(
    () => told([frameHead(16_385, 0, 0, 1)]),
    (error) => error instanceof Http2Error && error.code === 6,
  );
});

test('who has stopped is told nothing more', () => {
  let frames = 0;
  const reader: FrameReader = new FrameReader(100, { onFrame: () => (frames++, reader.stop()) });
  reader.push(BYTES);
  reader.push(BYTES);
  assert.equal(frames, 1);
});
