/** Deflating in a worker: the same bytes, the same order, and nothing lost when the worker is. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { constants, inflateRawSync } from 'node:zlib';
import { createDeflater, type Piece } from '../../src/warc/deflate-worker.ts';
import { verifyFiles } from '../../src/warc/verify.ts';
import { pool, readAll, recordsOf, tempDir } from './support.ts';

const ONE_CORE = availableParallelism() === 1 ? 'there is no worker where there is one core' : false;

function pieces(count: number): Piece[] {
  const text = 'WARC/1.1\r\nWARC-Type: response\r\n'.repeat(100);
  return Array.from({ length: count }, (_, nth) => ({
    bytes: nth % 3 === 0 ? randomBytes(nth * 10) : Buffer.from(text.slice(0, nth * 7)),
    flush: nth % 2 === 0 ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
  }));
}

function check(task: readonly Piece[], deflated: readonly Buffer[]): void {
  assert.equal(deflated.length, task.length);
  for (const [nth, { bytes, flush }] of task.entries()) {
    assert.deepEqual(inflateRawSync(deflated[nth] ?? Buffer.alloc(0), { finishFlush: flush }), bytes, `piece ${nth}`);
  }
}

test('a worker gives what the main thread would, for many tasks under way at once', { skip: ONE_CORE }, async (t) => {
  const deflater = createDeflater();
  t.after(() => deflater.close());
  const tasks = [8, 200, 9, 64].map(pieces);
  const answers = tasks.map((task) => deflater.deflate(task));
  assert.ok(answers.every((answer) => answer instanceof Promise));
  for (const [nth, answer] of (await Promise.all(answers)).entries()) check(tasks[nth] ?? [], answer);
});

test('a few pieces are done at once', async () => {
  const deflater = createDeflater();
  const task = pieces(3);
  const deflated = deflater.deflate(task);
  assert.ok(!(deflated instanceof Promise));
  check(task, deflated);
  await deflater.close();
});

test('what a worker has not done when it ends is done all the same', { skip: ONE_CORE }, async () => {
  const deflater = createDeflater();
  const task = pieces(100);
  const waiting = deflater.deflate(task);
  await deflater.close();
  check(task, await waiting);
  const deflated = deflater.deflate(task);
  assert.ok(!(deflated instanceof Promise));
  check(task, deflated);
});

test('a batch written by a worker is whole, in order, over several files', { skip: ONE_CORE }, async (t) => {
  const dir = tempDir(t);
  const files = pool(dir, { gzip: true, deflater: createDeflater(), maxBytes: 30_000 });
  const sizes = Array.from({ length: 150 }, (_, nth) => (nth % 40 === 7 ? 100_000 : nth * 11));
  const bodies = sizes.map((size, nth) => (nth % 2 === 0 ? randomBytes(size) : Buffer.alloc(size, `${nth} `)));
  const batch = await Promise.all(bodies.map(async (body) => ({ prefix: 'A', records: await recordsOf({ body }) })));
  const written = await files.write(batch);
  await files.close();
  const names = readdirSync(dir).sort();
  assert.ok(names.length > 3, String(names.length));
  assert.deepEqual([...new Set(written.map(([place]) => place?.filename))].sort(), names);
  const blocks: Buffer[] = [];
  for (const name of names) {
    for (const { type, block } of await readAll(join(dir, name))) if (type === 'response') blocks.push(block);
  }
  assert.equal(blocks.length, bodies.length);
  for (const [nth, body] of bodies.entries()) {
    assert.ok(blocks[nth]?.subarray(blocks[nth].length - body.length).equals(body), String(nth));
  }
  await verifyFiles(
    names.map((name) => join(dir, name)),
    { allowUnresolved: false, onFault: ({ file, problem }) => assert.fail(`${file}: ${problem}`) },
  );
});
