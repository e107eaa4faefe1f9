/** A file of which it is known that it is whole up to a record: what stands before that is not read, and stays. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { NotRepairedError, repairFrom } from '../../../src/warc/tools/repair.ts';
import { loadLock } from '../../../src/warc/write/output.ts';
import { tempDir } from '../support.ts';
import { bordersOf, handMade } from './repair-support.ts';

const lock = loadLock();
const RECORDS = [handMade({ type: 'warcinfo' }), handMade({ block: 'x'.repeat(300) }), handMade(), handMade({ block: 'y'.repeat(50) })];

for (const gzip of [false, true]) {
  const records = gzip ? RECORDS.map((record) => gzipSync(record)) : RECORDS;
  const whole = Buffer.concat(records);
  const borders = bordersOf(records);
  const from = borders[2] ?? 0;
  const put = (t: TestContext, bytes: Buffer) => {
    const path = join(tempDir(t), gzip ? 'a.warc.gz' : 'a.warc');
    writeFileSync(`${path}.open`, bytes);
    return { path, file: `${path}.open` };
  };
  const kind = gzip ? 'gzip' : 'plain';

  test(`cut off at any byte behind that record, it keeps what is whole (${kind})`, async (t) => {
    for (let size = from; size <= whole.length; size++) {
      const { path, file } = put(t, whole.subarray(0, size));
      const kept = borders.findLast((border) => border <= size) ?? 0;
      const done = await repairFrom(file, lock, from);
      assert.deepEqual([done.ok, done.path, done.bytesCut], [true, path, size - kept], `at ${size}`);
      assert.equal(done.records, borders.indexOf(kept) - 2, 'those behind it');
      assert.deepEqual(readFileSync(path), whole.subarray(0, kept));
    }
  });

  test(`what stands before it is not looked at (${kind})`, async (t) => {
    // But for its first bytes, which tell how it is packed.
    const bytes = Buffer.from(whole.subarray(0, -3)).fill('?', 4, from);
    const { path, file } = put(t, bytes);
    const { ok, told } = await repairFrom(file, lock, from);
    assert.ok(ok);
    assert.match(told, new RegExp(`^cut from ${bytes.length} to ${borders[3]} bytes \\(.*\\), 1 record behind byte ${from}, now a\\.warc`));
    assert.deepEqual(readFileSync(path), bytes.subarray(0, borders[3]));
  });

  test(`one that ends there is whole, and keeps what it has (${kind})`, async (t) => {
    const { path, file } = put(t, whole.subarray(0, from));
    const { ok, records, bytesCut } = await repairFrom(file, lock, from);
    assert.deepEqual([ok, records, bytesCut, readFileSync(path).length], [true, 0, 0, from]);
  });

  test(`damage there with whole records behind it is left to a person (${kind})`, async (t) => {
    const bytes = Buffer.from(whole);
    bytes.fill('?', from, (borders[3] ?? 0) - 8);
    const { file } = put(t, bytes);
    const { ok, told } = await repairFrom(file, lock, from);
    assert.ok(!ok);
    assert.match(told, /^left as it is: /);
    assert.deepEqual(readFileSync(file), bytes);
  });
}

test('from the beginning, a file with nothing whole in it is deleted', async (t) => {
  const file = join(tempDir(t), 'a.warc.open');
  writeFileSync(file, (RECORDS[0] ?? Buffer.alloc(0)).subarray(0, 10));
  assert.equal((await repairFrom(file, lock, 0)).path, undefined);
  assert.ok(!existsSync(file));
});

test('one that somebody has open is left alone', async (t) => {
  const file = join(tempDir(t), 'a.warc.open');
  writeFileSync(file, Buffer.concat(RECORDS));
  const isLocked = (error: unknown) => error instanceof NotRepairedError && error.code === 'LOCKED';
  await assert.rejects(repairFrom(file, () => false, 0), isLocked); // prettier-ignore
});
