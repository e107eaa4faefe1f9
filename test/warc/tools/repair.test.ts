import assert from 'node:assert/strict';
import { link, lstat, open } from 'node:fs/promises';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadLock } from '../../../src/warc/write/output.ts';
import { inspect, NotRepairedError, repair } from '../../../src/warc/tools/repair.ts';
import { bordersOf, handMade, members } from './repair-support.ts';
import { output, pool, readAll, recordsOf, tempDir } from '../support.ts';

const lock = loadLock();

const RECORDS = [
  handMade({ type: 'warcinfo', block: 'software: other\r\n' }),
  handMade({ block: 'x'.repeat(300) }),
  handMade({ block: 'WARC/1.0\r\nContent-Length: 0\r\n\r\n\r\n\r\n' }),
];

for (const gzip of [false, true]) {
  const kind = gzip ? 'gzip' : 'plain';
  const suffix = gzip ? '.warc.gz' : '.warc';
  const records = gzip ? RECORDS.map((record) => gzipSync(record)) : RECORDS;
  const whole = Buffer.concat(records);
  const borders = bordersOf(records);

  test(`a file that is cut off at any byte keeps all its whole records, and nothing else (${kind})`, async (t) => {
    const dir = tempDir(t);
    for (let size = 0; size <= whole.length; size += 1) {
      const file = join(dir, `cut-${size}${suffix}`);
      writeFileSync(`${file}.open`, whole.subarray(0, size));
      const kept = borders.findLast((border) => border <= size)!;
      const done = await repair(`${file}.open`, lock);
      assert.ok(done.ok && !existsSync(`${file}.open`), `at ${size}`);
      assert.equal(done.bytesCut, size - kept, `at ${size}`);
      if (kept === 0) {
        assert.equal(done.path, undefined);
        assert.ok(!existsSync(file));
      } else {
        assert.equal(done.path, file);
        assert.deepEqual(readFileSync(file), whole.subarray(0, kept), `at ${size}`);
        assert.equal(done.records, borders.indexOf(kept));
        assert.equal((await readAll(file)).length, done.records);
      }
    }
  });

  test(`bytes that are no record are cut off the end (${kind})`, async (t) => {
    for (const noise of ['garbage', '\0'.repeat(5000), '\r\n', 'WARC/x\r\n\r\n', '\x1f\x8b\x08 no member', '\x1f\x8c']) {
      const file = join(tempDir(t), `noise${suffix}`);
      writeFileSync(file, Buffer.concat([whole, Buffer.from(noise, 'latin1')]));
      const done = await repair(file, lock);
      assert.ok(done.ok, JSON.stringify(noise));
      assert.equal(done.bytesCut, noise.length);
      assert.deepEqual(readFileSync(file), whole);
    }
  });

  test(`nothing is cut when whole records follow behind the damage (${kind})`, async (t) => {
    const dir = tempDir(t);
    const damaged = Buffer.from(whole);
    // In a plain file a byte of the block says nothing; the end of the record does.
    damaged[gzip ? borders[1]! + 40 : borders[2]! - 1]! ^= 0x55;
    const file = join(dir, `damaged${suffix}.open`);
    writeFileSync(file, damaged);
    const done = await repair(file, lock);
    assert.equal(done.ok, false);
    assert.match(done.told, new RegExp(`left as it is: 1 record whole, .*byte ${borders[1]!}`));
    assert.deepEqual(readFileSync(file), damaged);
  });

  test(`what is damaged in its last record loses that record only (${kind})`, async (t) => {
    const file = join(tempDir(t), `damaged${suffix}.open`);
    const damaged = Buffer.from(whole);
    damaged[whole.length - (gzip ? 6 : 1)]! ^= 0x55;
    writeFileSync(file, damaged);
    const { ok, path } = await repair(file, lock);
    assert.ok(ok);
    assert.deepEqual(readFileSync(path!), whole.subarray(0, borders[2]));
  });

  test(`a file that was closed and whole stays as it is, and one that has nothing whole is not emptied (${kind})`, async (t) => {
    const dir = tempDir(t);
    const file = join(dir, `closed${suffix}`);
    writeFileSync(file, whole);
    const before = await lstat(file);
    assert.deepEqual(await repair(file, lock), { file, path: file, ok: true, bytesCut: 0, records: 3, told: 'whole, 3 records' });
    assert.equal((await lstat(file)).mtimeMs, before.mtimeMs);
    writeFileSync(file, whole.subarray(0, 50));
    assert.equal((await repair(file, lock)).ok, false);
    assert.equal(readFileSync(file).length, 50);
  });
}

test('a Content-Length that leads past the end is a crash in an open file, and damage in a closed one with records behind it', async (t) => {
  const dir = tempDir(t);
  const text = Buffer.concat(RECORDS).toString('latin1').replace('Content-Length: 300', 'Content-Length: 9999');
  for (const [name, ok] of [
    ['P.warc', false],
    ['Q.warc.open', true],
  ] as const) {
    writeFileSync(join(dir, name), text, 'latin1');
    assert.equal((await repair(join(dir, name), lock)).ok, ok, name);
  }
  assert.equal(readFileSync(join(dir, 'P.warc'), 'latin1'), text);
  assert.equal((await readAll(join(dir, 'Q.warc'))).length, 1);
});

test('a member of another layout or a file that is no WARC is left alone, open or not', async (t) => {
  const dir = tempDir(t);
  for (const [name, content] of [
    ['one-member.warc.gz.open', gzipSync(Buffer.concat(RECORDS))],
    ['cut-member.warc.gz.open', gzipSync(Buffer.concat([...RECORDS, handMade({ block: randomText(200_000) })])).subarray(0, -20)],
    ['notes.warc.open', Buffer.from('to do: buy milk\n')],
    ['notes.warc.gz.open', members(Buffer.from('to do: buy milk\n'))],
  ] as const) {
    writeFileSync(join(dir, name), content);
    const { ok, told } = await repair(join(dir, name), lock);
    assert.equal(ok, false, name);
    assert.match(told, /^left as it is: no whole record/);
    assert.deepEqual(readFileSync(join(dir, name)), content);
  }
});

test('a file with nothing but a warcinfo record is kept: it is whole', async (t) => {
  const file = join(tempDir(t), 'only.warc.open');
  writeFileSync(file, RECORDS[0]!);
  assert.equal((await repair(file, lock)).told, 'whole, 1 record, now only.warc');
});

test('another file is never replaced: the next free name is taken, and told', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'P.warc.gz'), 'precious');
  writeFileSync(join(dir, 'P-1.warc.gz'), 'precious, too');
  writeFileSync(join(dir, 'P.warc.gz.open'), members(...RECORDS));
  const { told, path } = await repair(join(dir, 'P.warc.gz.open'), lock);
  assert.equal(told, 'whole, 3 records, now P-2.warc.gz, because that name is taken');
  assert.equal(path, join(dir, 'P-2.warc.gz'));
  assert.deepEqual(readdirSync(dir), ['P-1.warc.gz', 'P-2.warc.gz', 'P.warc.gz']);
  assert.equal(readFileSync(join(dir, 'P.warc.gz'), 'latin1'), 'precious');
  assert.equal(readFileSync(join(dir, 'P-1.warc.gz'), 'latin1'), 'precious, too');
});

test('a file that has both names already loses only the one of an open file', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'P.warc.open'), Buffer.concat(RECORDS));
  await link(join(dir, 'P.warc.open'), join(dir, 'P.warc'));
  assert.equal((await repair(join(dir, 'P.warc.open'), lock)).path, join(dir, 'P.warc'));
  assert.deepEqual(readdirSync(dir), ['P.warc']);
  assert.deepEqual(readFileSync(join(dir, 'P.warc')), Buffer.concat(RECORDS));
});

test('a file that a writer has open is not touched, with and without the suffix', async (t) => {
  const dir = tempDir(t);
  for (const openSuffix of [true, false]) {
    const prefix = openSuffix ? 'open' : 'locked';
    const writers = pool(dir, { output: { ...output, openSuffix, lock } });
    await writers.write([{ prefix, records: await recordsOf() }]);
    const file = join(dir, `${prefix}-00000.warc${openSuffix ? '.open' : ''}`);
    await assert.rejects(repair(file, lock), (error) => error instanceof NotRepairedError && error.code === 'LOCKED');
    await writers.write([{ prefix, records: await recordsOf() }]);
    await writers.close();
    assert.equal((await readAll(join(dir, `${prefix}-00000.warc`))).length, 5);
    assert.equal((await repair(join(dir, `${prefix}-00000.warc`), lock)).ok, true);
  }
});

test('the new file of a writer that repair has deleted before it was locked gets another name', async (t) => {
  const dir = tempDir(t);
  const lateLock = async (path: string) => {
    const handle = await output.create(path);
    if (path.endsWith('P-00000.warc.open')) assert.equal((await repair(path, lock)).path, undefined);
    return handle;
  };
  const writers = pool(dir, { output: { ...output, lock, create: lateLock } });
  const [written] = await writers.write([{ prefix: 'P', records: await recordsOf() }]);
  await writers.close();
  assert.equal(written![0]!.filename, 'P-00001.warc');
  assert.equal((await readAll(join(dir, 'P-00001.warc'))).length, 3);
});

test('what has changed since it was inspected, or cannot be locked, is not touched', async (t) => {
  const file = join(tempDir(t), 'P.warc.open');
  writeFileSync(file, Buffer.concat(RECORDS).subarray(0, -1));
  const finding = await inspect(file, lock);
  assert.equal(finding.verdict, 'cut');
  writeFileSync(file, Buffer.concat(RECORDS));
  await assert.rejects(repair(file, lock, finding), /changed meanwhile/);
  const noLocks = () => {
    throw new Error('ENOLCK: no locks available');
  };
  await assert.rejects(repair(file, noLocks), (error) => error instanceof NotRepairedError && error.code === 'CANNOT_LOCK');
  assert.deepEqual(readFileSync(file), Buffer.concat(RECORDS));
});

test('an inspection leaves the file as it is', async (t) => {
  const file = join(tempDir(t), 'P.warc.open');
  const cut = Buffer.concat(RECORDS).subarray(0, -1);
  writeFileSync(file, cut);
  const { size, end, records, verdict } = await inspect(file, lock);
  assert.deepEqual({ size, end, records, verdict }, { size: cut.length, end: bordersOf(RECORDS)[2], records: 2, verdict: 'cut' });
  assert.deepEqual(readFileSync(file), cut);
});

test('a link to a file repairs what it leads to', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'P.warc'), Buffer.concat([...RECORDS, Buffer.from('noise')]));
  symlinkSync('P.warc', join(dir, 'link.warc'));
  assert.equal((await repair(join(dir, 'link.warc'), lock)).ok, true);
  assert.deepEqual(readFileSync(join(dir, 'P.warc')), Buffer.concat(RECORDS));
});

test('a record larger than any buffer is walked over, plain and gzip', async (t) => {
  const dir = tempDir(t);
  const big = handMade({ more: `X-Long: ${'y'.repeat(300_000)}\r\n`, block: randomText(3_000_000) });
  for (const [name, bytes] of [
    ['big.warc', Buffer.concat([big, big])],
    ['big.warc.gz', members(big, big)],
  ] as const) {
    const file = join(dir, name);
    writeFileSync(`${file}.open`, bytes.subarray(0, -5));
    assert.equal((await repair(`${file}.open`, lock)).records, 1);
    assert.equal(readFileSync(file).length, bytes.length / 2);
  }
});

test('missing files and folders are the error of the file system', async (t) => {
  const dir = tempDir(t);
  await assert.rejects(repair(join(dir, 'none.warc'), lock), { code: 'ENOENT' });
  await assert.rejects(repair(dir, lock), { code: 'EISDIR' });
  const handle = await open(join(dir, 'x'), 'wx');
  await handle.close();
  assert.equal((await repair(join(dir, 'x'), lock)).told, 'whole, 0 records');
});

/** Text that compresses badly, the same at each run. */
function randomText(size: number): string {
  let state = 1;
  const letters: string[] = [];
  while (letters.length < size) {
    state = (state * 48271) % 2147483647;
    letters.push(String.fromCharCode(32 + (state % 95)));
  }
  return letters.join('');
}
