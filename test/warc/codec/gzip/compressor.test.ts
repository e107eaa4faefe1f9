/** Compressing in a worker: the same bytes, the same order, and nothing lost when the worker is. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gzipEncoder } from '../../../../src/warc/codec/gzip/encoder.ts';
import { Members } from '../../../../src/warc/codec/gzip/members.ts';
import { createCompressor, inlineCompressor, type WholeRecord } from '../../../../src/warc/codec/gzip/compressor.ts';
import { memoryPieces } from '../../../../src/warc/layout.ts';
import type { RecordBytes } from '../../../../src/warc/record.ts';
import { verifyFiles } from '../../../../src/warc/tools/verify.ts';
import { pool, readAll, recordsOf, tempDir } from '../../support.ts';

const ONE_CORE = availableParallelism() === 1 ? 'there is no worker where there is one core' : false;

function records(count: number): WholeRecord[] {
  const text = 'WARC/1.1\r\nWARC-Type: response\r\n'.repeat(100);
  return Array.from({ length: count }, (_, nth) => {
    const pieces = [Buffer.from(text.slice(0, nth * 7)), nth % 3 === 0 ? randomBytes(nth * 10) : Buffer.from(text)];
    return { pieces, size: Buffer.concat(pieces).length, payloadStart: nth * 7 };
  });
}

function check(task: readonly WholeRecord[], members: readonly Buffer[]): void {
  assert.equal(members.length, task.length);
  for (const [nth, { pieces }] of task.entries()) {
    assert.deepEqual(gunzipSync(members[nth] ?? Buffer.alloc(0)), Buffer.concat(pieces), `record ${nth}`);
  }
}

test('a worker makes members that hold what they were given, for many tasks under way at once', { skip: ONE_CORE }, async (t) => {
  const compressor = createCompressor();
  t.after(() => compressor.close());
  const tasks = [8, 200, 9, 64].map(records);
  const answers = tasks.map((task) => compressor.compress(task));
  assert.ok(answers.every((answer) => answer instanceof Promise));
  for (const [nth, answer] of (await Promise.all(answers)).entries()) check(tasks[nth] ?? [], answer);
});

test('a few records are done at once', async () => {
  const compressor = createCompressor();
  const task = records(3);
  const members = compressor.compress(task);
  assert.ok(!(members instanceof Promise));
  check(task, members);
  await compressor.close();
});

test('what a worker has not done when it ends is done all the same', { skip: ONE_CORE }, async () => {
  const compressor = createCompressor();
  const task = records(100);
  const waiting = compressor.compress(task);
  await compressor.close();
  check(task, await waiting);
  const members = compressor.compress(task);
  assert.ok(!(members instanceof Promise));
  check(task, members);
});

test('a batch written by a worker is whole, in order, over several files', { skip: ONE_CORE }, async (t) => {
  const dir = tempDir(t);
  const files = pool(dir, { encoder: gzipEncoder(createCompressor()), maxBytes: 30_000 });
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

for (const [name, create, ends] of [
  ['on this thread', () => inlineCompressor, false],
  ['by a worker', createCompressor, false],
  ['by a worker that ends in the middle', createCompressor, true],
] as const) {
  test(`members of small, middling and dense records come in the order of the records, ${name}`, async () => {
    const [sample] = await recordsOf();
    assert.ok(sample);
    // Runs of each kind, so that there are steps with all small, with few, and with none.
    const kinds = [300, 5, 90, 1, 70, 200].flatMap((count, run) =>
      Array.from({ length: count }, (_, nth) => (run % 2 === 0 ? 0 : nth % 4)),
    );
    const batch = kinds.map((kind, nth): RecordBytes => {
      const body = kind === 1 ? randomBytes(20_000) : Buffer.alloc(kind === 0 ? nth : 20_000, `${nth} `);
      const memory = kind === 3 ? undefined : [body];
      return { ...sample, block: { size: body.length, memory, read: () => assert.fail('nobody reads it here') } };
    });
    const compressor = create();
    const members = new Members(batch, compressor);
    for (const [nth, record] of batch.entries()) {
      if (ends && nth === 100) await compressor.close();
      const pieces = await members.next();
      const whole = memoryPieces(record);
      if (whole === undefined) assert.equal(pieces, undefined);
      else assert.ok(gunzipSync(Buffer.concat(pieces ?? [])).equals(Buffer.concat(whole)), `record ${nth}`);
    }
    assert.throws(() => members.next(), RangeError);
    await compressor.close();
  });
}
