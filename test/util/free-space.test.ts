/** Too little space is said once, and taken back only when there is clearly enough again. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { FreeSpace } from '../../src/util/free-space.ts';

test('too little begins below the minimum and ends a tenth above it', async () => {
  const changes: [boolean, number][] = [];
  let left = 1000;
  const space = new FreeSpace({
    dir: '/',
    minBytes: 1000,
    free: () => Promise.resolve(left),
    onChange: (low, bytes) => changes.push([low, bytes]),
  });
  for (const bytes of [1000, 999, 500, 1000, 1099, 1100, 1050, 1000, 999]) {
    left = bytes;
    await space.check();
  }
  space.close();
  assert.deepEqual(changes, [
    [true, 999],
    [false, 1100],
    [true, 999],
  ]);
  assert.equal(space.low, true);
});

test('a disk that cannot be asked is not taken for full', async () => {
  const space = new FreeSpace({ dir: '/', minBytes: 1, free: () => Promise.reject(new Error('EIO')), onChange: () => assert.fail() });
  await space.check();
  space.close();
  assert.equal(space.low, false);
});

test('the file system is asked, unless the minimum is 0', async () => {
  const found: number[] = [];
  for (const minBytes of [0, Number.MAX_SAFE_INTEGER]) {
    const space = new FreeSpace({ dir: tmpdir(), minBytes, onChange: (_low, bytes) => found.push(bytes) });
    await space.check();
    space.close();
  }
  assert.equal(found.length, 1);
  assert.ok(found[0]! > 0);
});
