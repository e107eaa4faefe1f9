/** Hashing in a thread: any number at a time, and what becomes of them when the thread ends. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { HashingThread } from '../../src/util/hashing-thread.ts';

async function running(t: TestContext, algorithm = 'sha1'): Promise<HashingThread> {
  const thread = new HashingThread(algorithm);
  t.after(() => thread.close());
  while (!thread.ready) await sleep(1);
  return thread;
}

function add(thread: HashingThread, hash: number, piece: Buffer): void {
  const at = thread.copy(piece);
  thread.update(hash, at, at + piece.length);
}

const digestsOf = (thread: HashingThread, hashes: readonly number[]) =>
  new Promise<readonly Uint8Array[] | undefined>((resolve) => thread.digests(hashes, resolve));
const hex = (digests: readonly Uint8Array[] | undefined) => digests?.map((each) => Buffer.from(each).toString('hex'));
const digest = (bytes: Buffer, algorithm = 'sha1') => createHash(algorithm).update(bytes).digest('hex');

for (const algorithm of ['sha1', 'sha256', 'md5']) {
  test(`${algorithm} of many at a time, in pieces of any size`, async (t) => {
    const thread = await running(t, algorithm);
    const steps = [1, 1000, 16 * 1024, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 1_000_000];
    const all = steps.map((step) => ({ step, hash: thread.open(), bytes: randomBytes(Math.min(3000 * step, 3_000_000)), at: 0 }));
    while (all.some(({ at, bytes }) => at < bytes.length)) {
      for (const each of all) {
        if (each.at >= each.bytes.length) continue;
        const piece = Buffer.from(each.bytes.subarray(each.at, each.at + each.step));
        add(thread, each.hash, piece);
        // What was handed in is the caller's again.
        piece.fill(0);
        each.at += each.step;
      }
    }
    const expected = all.map(({ bytes }) => digest(bytes, algorithm));
    assert.deepEqual(
      hex(
        await digestsOf(
          thread,
          all.map(({ hash }) => hash),
        ),
      ),
      expected,
    );
  });
}

test('of one piece several hashes may have any part', async (t) => {
  const thread = await running(t);
  const [whole, inner] = [thread.open(), thread.open()];
  const piece = Buffer.from('3\r\nabc\r\n2\r\nde\r\n');
  const at = thread.copy(piece);
  thread.update(whole, at, at + piece.length);
  thread.update(inner, at + 3, at + 6);
  thread.update(inner, at + 11, at + 13);
  assert.deepEqual(hex(await digestsOf(thread, [inner, whole])), [digest(Buffer.from('abcde')), digest(piece)]);
});

test('a hash that got nothing is the hash of nothing', async (t) => {
  const thread = await running(t);
  assert.deepEqual(hex(await digestsOf(thread, [thread.open()])), [digest(Buffer.alloc(0))]);
});

test('those that are dropped leave the others as they are', async (t) => {
  const thread = await running(t);
  const [dropped, kept] = [thread.open(), thread.open()];
  add(thread, dropped, Buffer.from('a'));
  add(thread, kept, Buffer.from('b'));
  thread.drop([dropped]);
  add(thread, kept, Buffer.from('c'));
  assert.deepEqual(hex(await digestsOf(thread, [kept])), [digest(Buffer.from('bc'))]);
});

test('four megabytes are on their way at most, in few large pieces or many small ones, and whoever waits goes on', async (t) => {
  const thread = await running(t);
  const hash = thread.open();
  for (const size of [64 * 1024, 1]) {
    const piece = Buffer.alloc(size);
    let pieces = 0;
    // Nothing comes back while this thread does not wait.
    for (; thread.drained; pieces++) add(thread, hash, piece);
    assert.ok(pieces * size <= 5 * 1024 * 1024 && pieces < 200_000, `${pieces} of ${size} bytes`);
    let called = 0;
    await new Promise<void>((resolve) => {
      thread.onDrain(() => (called++, resolve()));
      assert.equal(called, 0);
    });
    assert.ok(thread.drained);
    thread.onDrain(() => called++);
    assert.equal(called, 2);
  }
});

test('settled is what has been asked for', async (t) => {
  const thread = await running(t);
  await thread.settled();
  const hash = thread.open();
  add(thread, hash, Buffer.alloc(1_000_000));
  const seen: string[] = [];
  thread.digests([hash], () => seen.push('digest'));
  await thread.settled();
  assert.deepEqual(seen, ['digest']);
});

test('a thread that ends leaves nobody waiting, and takes nothing any more', async (t) => {
  const thread = await running(t);
  const hash = thread.open();
  while (thread.drained) add(thread, hash, Buffer.alloc(256 * 1024));
  const drained = new Promise<void>((resolve) => thread.onDrain(resolve));
  const asked = digestsOf(thread, [hash]);
  assert.equal(thread.error, undefined);
  await thread.close();
  assert.deepEqual([await asked, await digestsOf(thread, [hash]), thread.ready], [undefined, undefined, false]);
  await drained;
  assert.match(String(thread.error), /the thread that hashes has ended/);
  for (let i = 0; i < 100; i++) add(thread, hash, Buffer.alloc(256 * 1024));
  assert.ok(thread.drained);
  await thread.settled();
});

test('one that fails to begin is never ready, and says why', async (t) => {
  const thread = new HashingThread('no-such-algorithm');
  t.after(() => thread.close());
  while (!thread.ready && thread.error === undefined) await sleep(1);
  if (thread.ready) {
    add(thread, thread.open(), Buffer.alloc(1));
    assert.equal(await digestsOf(thread, [thread.open()]), undefined);
  }
  assert.match(String(thread.error), /digest/i);
  assert.equal(thread.ready, false);
});

test('a process that waits for a digest goes on, and one that does not ends', async () => {
  const script = `
    import { HashingThread } from ${JSON.stringify(new URL('../../src/util/hashing-thread.ts', import.meta.url).href)};
    const thread = new HashingThread('sha1');
    while (!thread.ready) await new Promise((resolve) => setTimeout(resolve, 1));
    const hash = thread.open();
    for (let i = 0; i < 100; i++) {
      const at = thread.copy(Buffer.alloc(200_000));
      thread.update(hash, at, at + 200_000);
    }
    thread.digests([hash], (digests) => console.log(digests.length));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  assert.equal(stdout, '1\n');
});
