import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRecordId } from '../../src/util/record-id.ts';

const VERSION_4 = /^<urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}>$/;

test('record ids are UUIDs of version 4, and none comes twice', () => {
  const ids = Array.from({ length: 5000 }, newRecordId);
  for (const id of ids) assert.match(id, VERSION_4);
  assert.equal(new Set(ids).size, ids.length);
});

test('each digit of one that is drawn takes every value', () => {
  const seen = Array.from({ length: 36 }, () => new Set<number>());
  for (let nth = 0; nth < 2000; nth++) for (const [at, digit] of Buffer.from(newRecordId().slice(10, -1)).entries()) seen[at]!.add(digit);
  const counts = seen.map(({ size }) => size);
  assert.deepEqual([...new Set(counts)].sort(), [1, 16, 4]);
  assert.deepEqual(
    [8, 13, 14, 18, 23].map((at) => counts[at]),
    [1, 1, 1, 1, 1],
  );
  assert.equal(counts[19], 4);
});
