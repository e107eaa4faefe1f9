/** Too little space is said once, and taken back only when there is clearly enough again. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { FreeSpace, type DiskState } from '../../src/util/free-space.ts';

const GIB = 1024 ** 3;
const of = 'the WARC files';
const due = () => 0;

test('too little begins below the minimum and ends a tenth above it', async () => {
  const changes: [boolean, number][] = [];
  let left = 1000;
  const space = new FreeSpace({
    disks: [{ of, dir: '/', due }],
    minBytes: 1000,
    spaceOf: () => Promise.resolve({ freeBytes: left, totalBytes: 5000 }),
    onChange: (low, { freeBytes }) => changes.push([low, freeBytes]),
  });
  for (const bytes of [1000, 999, 500, 1000, 1099, 1100, 1050, 1000, 999]) {
    left = bytes;
    assert.deepEqual(await space.look(), { bytes: bytes - 1000, halfGone: false });
  }
  assert.deepEqual(changes, [
    [true, 999],
    [false, 1100],
    [true, 999],
  ]);
  assert.deepEqual(space.shortage, { of, dir: '/', freeBytes: 999, dueBytes: 0, minBytes: 1000 });
  left = 499;
  assert.deepEqual(await space.look(), { bytes: -501, halfGone: true });
});

test('without a minimum it is a twentieth of the disk, at most 1 GiB', async () => {
  for (const [totalBytes, minBytes] of [
    [96 * 1024 ** 2, 5_033_164],
    [10 * GIB, GIB / 2],
    [20 * GIB, GIB],
    [4000 * GIB, GIB],
  ] as const) {
    const found: unknown[] = [];
    let freeBytes = minBytes;
    const space = new FreeSpace({
      disks: [{ of, dir: '/', due }],
      minBytes: undefined,
      spaceOf: () => Promise.resolve({ freeBytes, totalBytes }),
      onChange: (...change) => found.push(change),
    });
    await space.look();
    freeBytes -= 1;
    await space.look();
    assert.deepEqual(found, [[true, { of, dir: '/', freeBytes: minBytes - 1, dueBytes: 0, minBytes }]]);
  }
});

/** One disk of 4 TiB, and one of 1 GB (a twentieth is 50 MB), with what is left on them and what they said. */
function twoDisks() {
  const changes: [low: boolean, of: string, minBytes: number][] = [];
  const left = { large: 2 * GIB, small: 100e6, due: 0 };
  const space = new FreeSpace({
    disks: [
      { of, dir: '/large', due },
      { of: 'temporary files', dir: '/small', due: () => left.due },
    ],
    minBytes: undefined,
    spaceOf: (dir) =>
      Promise.resolve(dir === '/large' ? { freeBytes: left.large, totalBytes: 4000 * GIB } : { freeBytes: left.small, totalBytes: 1e9 }),
    onChange: (low, disk: DiskState) => changes.push([low, disk.of, disk.minBytes]),
  });
  return { space, left, changes };
}

test('each disk has a minimum of its own, and what will be written to it counts as written', async () => {
  const { space, left, changes } = twoDisks();
  assert.deepEqual(await space.look(), { bytes: 50e6, halfGone: false });
  left.due = 50e6 + 1;
  assert.deepEqual(await space.look(), { bytes: -1, halfGone: false });
  assert.deepEqual(space.shortage, { of: 'temporary files', dir: '/small', freeBytes: 100e6, dueBytes: 50e6 + 1, minBytes: 50e6 });
  left.due = 45e6 + 1;
  await space.look();
  assert.equal(changes.length, 1);
  left.due = 45e6;
  await space.look();
  left.large = GIB - 1;
  await space.look();
  assert.deepEqual(changes, [
    [true, 'temporary files', 50e6],
    [false, 'temporary files', 50e6],
    [true, of, GIB],
  ]);
});

test('half of its minimum is gone on a small disk, whatever a large one lacks', async () => {
  const { space, left } = twoDisks();
  left.large = GIB * 0.9;
  left.small = 24e6;
  const { bytes, halfGone } = await space.look();
  assert.equal(bytes, GIB * 0.9 - GIB);
  assert.equal(halfGone, true);
});

test('a disk that cannot be asked is not taken for full', async () => {
  const spaceOf = () => Promise.reject(new Error('EIO'));
  const space = new FreeSpace({ disks: [{ of, dir: '/', due }], minBytes: 1, spaceOf, onChange: () => assert.fail() });
  assert.deepEqual(await space.look(), { bytes: Infinity, halfGone: false });
  assert.equal(space.shortage, undefined);
});

test('the file system is asked, unless the minimum is 0', async () => {
  const found: number[] = [];
  for (const minBytes of [0, Number.MAX_SAFE_INTEGER]) {
    const onChange = (_low: boolean, { freeBytes }: DiskState) => found.push(freeBytes);
    const space = new FreeSpace({ disks: [{ of, dir: tmpdir(), due }], minBytes, onChange });
    await space.look();
  }
  assert.equal(found.length, 1);
  assert.ok(found[0]! > 0);
});
