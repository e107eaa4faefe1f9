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
    look: () => Promise.resolve({ freeBytes: left, totalBytes: 5000 }),
    onChange: (low, { freeBytes }) => changes.push([low, freeBytes]),
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
  assert.deepEqual(space.shortage, { freeBytes: 999, minBytes: 1000 });
});

test('without a minimum it is a twentieth of the disk, at most 1 GiB', async () => {
  const GIB = 1024 ** 3;
  for (const [totalBytes, minBytes] of [
    [96 * 1024 ** 2, 5_033_164],
    [10 * GIB, GIB / 2],
    [20 * GIB, GIB],
    [4000 * GIB, GIB],
  ] as const) {
    const found: unknown[] = [];
    let freeBytes = minBytes;
    const look = () => Promise.resolve({ freeBytes, totalBytes });
    const space = new FreeSpace({ dir: '/', minBytes: undefined, look, onChange: (low, shortage) => found.push([low, shortage]) });
    await space.check();
    freeBytes -= 1;
    await space.check();
    space.close();
    assert.deepEqual(found, [[true, { freeBytes: minBytes - 1, minBytes }]]);
  }
});

test('a disk that cannot be asked is not taken for full', async () => {
  const space = new FreeSpace({ dir: '/', minBytes: 1, look: () => Promise.reject(new Error('EIO')), onChange: () => assert.fail() });
  await space.check();
  space.close();
  assert.equal(space.shortage, undefined);
});

test('the file system is asked, unless the minimum is 0', async () => {
  const found: number[] = [];
  for (const minBytes of [0, Number.MAX_SAFE_INTEGER]) {
    const space = new FreeSpace({ dir: tmpdir(), minBytes, onChange: (_low, { freeBytes }) => found.push(freeBytes) });
    await space.check();
    space.close();
  }
  assert.equal(found.length, 1);
  assert.ok(found[0]! > 0);
});
