/** Bytes in memory, then in a temporary file that has no name. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MemoryBudget } from '../../src/util/memory-budget.ts';
import { Spool, type Bytes } from '../../src/util/spool.ts';

const NO_PROC = !existsSync('/proc/self/fd') && 'needs /proc/self/fd';
const dir = mkdtempSync(join(tmpdir(), 'warctap-spool-'));
after(() => rmSync(dir, { recursive: true }));

async function read(bytes: Bytes): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes.read()) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => Buffer.from(`${i},`));

for (const maxMemoryBytes of [0, 100, 1_000_000]) {
  test(`what was appended can be read, whole and in part, as often as needed (${maxMemoryBytes} bytes in memory)`, async () => {
    const spool = new Spool({ maxMemoryBytes, dir });
    const pieces = numbered(2000);
    const text = pieces.join('');
    for (const piece of pieces) spool.append(piece);
    spool.append(Buffer.alloc(0));
    assert.equal(spool.size, text.length);
    assert.equal(spool.memory === undefined, maxMemoryBytes < text.length);
    for (let i = 0; i < 2; i++) assert.equal(await read(spool), text);
    for (const [start, end] of [
      [0, 0],
      [0, 1],
      [1, 2],
      [99, 5000],
      [text.length - 1, text.length],
      [0, text.length],
    ] as const) {
      const part = spool.slice(start, end);
      assert.equal(part.size, end - start);
      assert.equal(await read(part), text.slice(start, end));
    }
    await spool.flushed();
    assert.equal(spool.error, undefined);
    spool.release();
    spool.release();
  });
}

test('what is read into one buffer comes in pieces of that buffer, each good until the next', async () => {
  const spool = new Spool({ maxMemoryBytes: 0, dir });
  const text = numbered(50).join('');
  spool.append(Buffer.from(text));
  for (const size of [1, 7, text.length - 3, 1000]) {
    const into = Buffer.alloc(size);
    let all = '';
    for await (const piece of spool.slice(3, text.length).read(into)) {
      assert.equal(piece.buffer, into.buffer);
      all += piece.toString();
    }
    assert.equal(all, text.slice(3));
  }
  spool.release();
});

test('exactly the bytes allowed stay in memory, one more goes to a file with all before it', () => {
  const spool = new Spool({ maxMemoryBytes: 10, dir });
  spool.append(Buffer.from('0123456789'));
  assert.notEqual(spool.memory, undefined);
  spool.append(Buffer.from('x'));
  assert.equal(spool.memory, undefined);
  spool.release();
});

test('pieces of a byte are joined, so that they do not cost a hundred times their size', () => {
  const spool = new Spool({ maxMemoryBytes: 1_000_000, dir });
  for (let i = 0; i < 10_000; i++) spool.append(Buffer.from('x'));
  assert.ok((spool.memory?.length ?? 0) < 300, String(spool.memory?.length));
  assert.equal(Buffer.concat([...(spool.memory ?? [])]).toString(), 'x'.repeat(10_000));
});

test('the temporary file has no name once it is open', async () => {
  const spool = new Spool({ maxMemoryBytes: 0, dir });
  spool.append(Buffer.from('x'));
  await spool.flushed();
  assert.deepEqual(readdirSync(dir), []);
  assert.equal(await read(spool), 'x');
  spool.release();
});

test('a disk that is behind asks to wait, and tells when it has caught up', async () => {
  const spool = new Spool({ maxMemoryBytes: 0, dir });
  const piece = Buffer.alloc(700_000);
  assert.equal(spool.append(piece), true);
  assert.equal(spool.append(piece), false);
  await new Promise<void>((resolve) => spool.onDrain(resolve));
  assert.equal(spool.append(Buffer.from('x')), true);
  assert.equal((await read(spool)).length, 1_400_001);
  spool.release();
});

test('onDrain calls back at once when nothing waits', () => {
  const spool = new Spool({ maxMemoryBytes: 100, dir });
  let called = false;
  spool.onDrain(() => (called = true));
  assert.ok(called);
});

test('a file that cannot be made is an error of the spool, not of its callers, and nobody waits for ever', async () => {
  const spool = new Spool({ maxMemoryBytes: 0, dir: join(dir, 'not-there') });
  spool.append(Buffer.alloc(2_000_000));
  await new Promise<void>((resolve) => spool.onDrain(resolve));
  assert.equal((spool.error as NodeJS.ErrnoException).code, 'ENOENT');
  assert.equal(spool.append(Buffer.from('more')), true);
  await assert.rejects(read(spool), { code: 'ENOENT' });
  spool.release();
});

test('release() closes the file, even one that is only being opened or written', { skip: NO_PROC }, async () => {
  for (const when of ['opening', 'writing', 'written']) {
    const spool = new Spool({ maxMemoryBytes: 0, dir });
    spool.append(Buffer.alloc(1_000_000));
    if (when === 'written') await spool.flushed();
    if (when === 'writing') while (openFiles() === 0) await new Promise(setImmediate);
    spool.release();
    if (when !== 'opening') await spool.flushed();
  }
  while (openFiles() > 0 || readdirSync(dir).length > 0) await new Promise(setImmediate);
});

test('reading what was released is an error, not a short read', async () => {
  const spool = new Spool({ maxMemoryBytes: 0, dir });
  spool.append(Buffer.alloc(600_000));
  await spool.flushed();
  const reading = spool.read()[Symbol.asyncIterator]();
  await reading.next();
  spool.release();
  await assert.rejects(async () => reading.next(), /released while it was read/);
});

function openFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir);
    } catch {
      return false;
    }
  }).length;
}

test('spools that share a budget go to their files when it is used up, and give back what they let go of', async () => {
  const budget = new MemoryBudget(10);
  const options = { maxMemoryBytes: 100, budget, dir };
  const first = new Spool(options);
  const second = new Spool(options);
  first.append(Buffer.from('12345678'));
  second.append(Buffer.from('ab'));
  second.append(Buffer.from('c'));
  assert.notEqual(first.memory, undefined);
  assert.equal(second.memory, undefined);
  assert.equal(await read(second), 'abc');
  first.release();
  first.release();
  const third = new Spool(options);
  third.append(Buffer.from('1234567890'));
  assert.notEqual(third.memory, undefined);
  const fourth = new Spool(options);
  fourth.append(Buffer.from('x'));
  assert.equal(fourth.memory, undefined);
  for (const spool of [second, third, fourth]) spool.release();
});
