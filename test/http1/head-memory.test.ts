/** One ceiling for the heads of all connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageError } from '../../src/http/errors.ts';
import { HeadMemory } from '../../src/http1/head-memory.ts';
import { HeadReader } from '../../src/http1/head.ts';

const LINE = 'heads of all connections together larger than 1000 bytes (--max-head-memory)';

/** A head of which so much has come. */
function begun(memory: HeadMemory, bytes: number): HeadReader & { readonly refused: string[] } {
  const refused: string[] = [];
  const reader = new HeadReader(memory, { onGivenUp: ({ message }: MessageError) => void refused.push(message) });
  reader.push(Buffer.alloc(bytes, 'x'));
  return Object.assign(reader, { refused });
}

test('past the ceiling the largest unfinished head is given up, and the others go on', () => {
  const memory = new HeadMemory(1000);
  const [small, large, other] = [begun(memory, 100), begun(memory, 500), begun(memory, 300)];
  const late = begun(memory, 200);
  assert.deepEqual([small.refused, large.refused, other.refused, late.refused], [[], [LINE], [], []]);
  assert.deepEqual([small.pending, large.pending, other.pending, late.pending], [100, 0, 300, 200]);
  assert.equal(late.push(Buffer.from('\r\n\r\nrest'))?.head.length, 204);
});

test('the one that would be the largest is refused itself', () => {
  const memory = new HeadMemory(1000);
  const [one, two] = [begun(memory, 300), begun(memory, 300)];
  assert.throws(() => begun(memory, 500), { message: LINE, code: 'too-large' });
  assert.deepEqual([one.pending, two.pending], [300, 300]);
  assert.throws(() => one.push(Buffer.alloc(401)), { message: LINE });
});

test('what is whole finds room where an unfinished head is larger, and is never given up itself', () => {
  const memory = new HeadMemory(1000);
  memory.take(600);
  const unfinished = begun(memory, 400);
  memory.take(300);
  assert.deepEqual(unfinished.refused, [LINE]);
  assert.throws(() => memory.take(101), { message: LINE });
  memory.give(900);
  memory.take(1000);
});

test('what is let go of in any way is room again', () => {
  const memory = new HeadMemory(1000);
  for (let round = 0; round < 5; round++) {
    begun(memory, 400).push(Buffer.from('\n\n'));
    begun(memory, 900).release();
    const over = begun(memory, 600);
    assert.throws(() => over.push(Buffer.alloc(5 * 1024 * 1024)));
    over.release();
  }
  memory.take(1000);
});
