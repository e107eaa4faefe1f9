import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeBuffer } from '../../src/util/free-buffer.ts';

const frees = 'transfer' in ArrayBuffer.prototype;

test('a large buffer is freed at once where Node can do that, with all parts of it', { skip: !frees && 'this Node cannot' }, () => {
  const large = Buffer.alloc(1024 * 1024, 'x');
  const part = large.subarray(10, 20);
  freeBuffer(part);
  assert.deepEqual([large.length, part.length], [0, 0]);
});

test('the memory that small buffers share stays, and an empty one can be freed again and again', () => {
  const [mine, others] = [Buffer.from('mine'), Buffer.from('of others')];
  freeBuffer(mine);
  assert.equal(others.toString(), 'of others');
  const empty = Buffer.alloc(0);
  for (let times = 0; times < 2; times++) freeBuffer(empty);
  assert.equal(Buffer.concat([empty, others]).toString(), 'of others');
});
