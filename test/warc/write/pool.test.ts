import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { WarcOptionError } from '../../../src/warc/errors.ts';
import { prepareFolder } from '../../../src/warc/write/folder.ts';
import type { RecordBytes } from '../../../src/warc/record.ts';
import { buildRecords } from '../../../src/archive/records.ts';
import { custom, exchange, pool, readAll, recordOptions, tempDir } from '../support.ts';

async function capture(url: string, bodyBytes = 5): Promise<readonly RecordBytes[]> {
  const [records] = await buildRecords([exchange({ url, body: Buffer.alloc(bodyBytes, 'x') })], recordOptions());
  return records!;
}

test('a file is written to NAME.open, begins with warcinfo, and is NAME once closed', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  const [written] = await writers.write([{ prefix: 'P', records: await capture('http://a.example/') }]);
  assert.deepEqual(readdirSync(dir), ['P-00000.warc.open']);
  assert.deepEqual([written![0]!.filename, written![0]!.path], ['P-00000.warc', 'P-00000.warc']);
  await writers.close();
  assert.deepEqual(readdirSync(dir), ['P-00000.warc']);

  const [warcinfo, response, request] = await readAll(join(dir, 'P-00000.warc'));
  assert.equal(warcinfo!.type, 'warcinfo');
  assert.equal(warcinfo!.header('WARC-Filename'), 'P-00000.warc');
  assert.deepEqual(
    written!.map(({ type, offset, length }) => [type, offset, length]),
    [response, request].map((record) => [record!.type, record!.offset, record!.bytesInFile]),
  );
  assert.equal(request!.header('WARC-Concurrent-To'), written![0]!.id);
  assert.equal(writers.bytesWritten, readFileSync(join(dir, 'P-00000.warc')).length);
});

test('the results of a batch come in its order, whatever file each went to', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  const prefixes = ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'b', 'g', 'a'];
  const batch = await Promise.all(prefixes.map(async (prefix, index) => ({ prefix, records: await capture(`http://x.example/${index}`) })));
  const written = await writers.write([...batch, { prefix: 'nothing', records: [] }]);
  await writers.close();
  for (const [index, prefix] of prefixes.entries()) {
    const [place] = written[index]!;
    const record = (await readAll(join(dir, `${prefix}-00000.warc`))).find(({ offset }) => offset === place!.offset);
    assert.equal(record!.header('WARC-Target-URI'), `http://x.example/${index}`);
  }
  assert.deepEqual(written[prefixes.length], []);
  assert.equal(readdirSync(dir).length, 7);
});

test('batches handed in at once are written one after the other', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { gzip: true });
  const records = await Promise.all(Array.from({ length: 20 }, (_, index) => capture(`http://x.example/${index}`, index * 4000)));
  const all = await Promise.all(records.map((each) => writers.write([{ prefix: 'P', records: each }])));
  await writers.close();
  const read = await readAll(join(dir, 'P-00000.warc.gz'));
  assert.deepEqual(
    all.flat(2).map(({ offset, length }) => [offset, length]),
    read.slice(1).map(({ offset, bytesInFile }) => [offset, bytesInFile]),
  );
});

test('every record is a gzip member that decompresses alone', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { gzip: true });
  const sizes = [0, 1, 15_000, 17_000, 200_000, 1_200_000, 10];
  const batch = await Promise.all(sizes.map(async (size) => ({ prefix: 'P', records: await capture('http://x.example/', size) })));
  const written = await writers.write(batch);
  await writers.close();
  const file = readFileSync(join(dir, 'P-00000.warc.gz'));
  let end = 0;
  for (const [index, places] of written.entries()) {
    for (const { type, offset, length } of places) {
      const text = gunzipSync(file.subarray(offset, offset + length)).toString('latin1');
      assert.ok(text.startsWith(`WARC/1.1\r\nWARC-Type: ${type}\r\n`));
      assert.ok(text.endsWith(type === 'response' ? `${'x'.repeat(sizes[index]!)}\r\n\r\n` : '\r\n\r\n\r\n'));
      end = offset + length;
    }
  }
  assert.equal(end, file.length);
});

test('a file larger than the limit is closed after the capture, and the next begins', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { maxBytes: 5000 });
  const records = await capture('http://x.example/', 2000);
  const written = await writers.write(Array.from({ length: 5 }, () => ({ prefix: 'P', records })));
  assert.deepEqual(
    written.map(([response, request]) => [response!.filename, request!.filename]),
    ['P-00000.warc', 'P-00000.warc', 'P-00001.warc', 'P-00001.warc', 'P-00002.warc'].map((name) => [name, name]),
  );
  assert.deepEqual(readdirSync(dir).sort(), ['P-00000.warc', 'P-00001.warc', 'P-00002.warc.open']);
  await writers.close();
  assert.deepEqual(
    (await readAll(join(dir, 'P-00001.warc'))).map(({ type }) => type),
    ['warcinfo', 'response', 'request', 'response', 'request'],
  );
});

test('a file that was not written to for the idle time is closed, others stay open', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const dir = tempDir(t);
  const writers = pool(dir, { idleMs: 1000, now: () => new Date() });
  const records = await capture('http://x.example/');
  await writers.write([{ prefix: 'old', records }]);
  t.mock.timers.tick(600);
  await writers.write([{ prefix: 'new', records }]);
  t.mock.timers.tick(400);
  await writers.write([]);
  assert.deepEqual(readdirSync(dir).sort(), ['new-00000.warc.open', 'old-00000.warc']);
  t.mock.timers.tick(599);
  await writers.write([]);
  assert.equal(writers.openFiles, 1);
  t.mock.timers.tick(1);
  await writers.write([]);
  assert.deepEqual(readdirSync(dir).sort(), ['new-00000.warc', 'old-00000.warc']);
  const [written] = await writers.write([{ prefix: 'old', records }]);
  assert.equal(written![0]!.filename, 'old-00001.warc');
  await writers.close();
});

test('a file is not closed as idle while a batch is being written to it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const dir = tempDir(t);
  const writers = pool(dir, { idleMs: 1000, now: () => new Date() });
  const records = await capture('http://x.example/', 100_000);
  await writers.write([{ prefix: 'P', records }]);
  const running = writers.write([{ prefix: 'P', records }]);
  t.mock.timers.tick(1000);
  const [written] = await running;
  assert.equal(written![0]!.filename, 'P-00000.warc');
  await writers.close();
  assert.equal((await readAll(join(dir, 'P-00000.warc'))).length, 5);
});

test('no more than the bound of files is open, the least recently used is closed', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { maxOpenFiles: 5 });
  const records = await capture('http://x.example/');
  for (let index = 0; index < 5; index += 1) await writers.write([{ prefix: `p${index}`, records }]);
  await writers.write([{ prefix: 'p0', records }]);
  await writers.write([{ prefix: 'p5', records }]);
  assert.deepEqual(
    readdirSync(dir).filter((name) => !name.endsWith('.open')),
    ['p1-00000.warc'],
  );
  await writers.write(Array.from({ length: 40 }, (_, index) => ({ prefix: `p${index}`, records })));
  assert.ok(writers.openFiles <= 5 + 3);
  await writers.close();
  assert.ok(readdirSync(dir).every((name) => name.endsWith('.warc')));
});

test('with a folder per prefix the file is in it', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { subdirPrefix: true });
  const [written] = await writers.write([{ prefix: 'job 1', records: await capture('http://x.example/') }]);
  await writers.close();
  assert.deepEqual(readdirSync(join(dir, 'job 1')), ['job 1-00000.warc']);
  for (const { filename, path } of written!) assert.deepEqual([filename, path], ['job 1-00000.warc', 'job 1/job 1-00000.warc']);
});

test('an existing file or open file is never touched: the next serial number is taken', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'P-00000.warc'), 'precious');
  writeFileSync(join(dir, 'P-00001.warc.open'), 'precious');
  symlinkSync('nowhere', join(dir, 'P-00002.warc'));
  symlinkSync('nowhere', join(dir, 'P-00003.warc.open'));
  mkdirSync(join(dir, 'P-00004.warc'));
  const writers = pool(dir);
  const [written] = await writers.write([{ prefix: 'P', records: await capture('http://x.example/') }]);
  assert.equal(written![0]!.filename, 'P-00005.warc');
  await writers.close();
  assert.equal(readFileSync(join(dir, 'P-00000.warc'), 'latin1'), 'precious');
  assert.equal(readFileSync(join(dir, 'P-00001.warc.open'), 'latin1'), 'precious');
  assert.equal(readdirSync(dir).length, 6);
});

test('a file that appears under the name before closing is not replaced', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  await writers.write([{ prefix: 'P', records: await capture('http://x.example/') }]);
  writeFileSync(join(dir, 'P-00000.warc'), 'precious');
  await writers.close();
  assert.equal(readFileSync(join(dir, 'P-00000.warc'), 'latin1'), 'precious');
  assert.deepEqual(readdirSync(dir).sort(), ['P-00000.warc', 'P-00001.warc']);
  assert.equal((await readAll(join(dir, 'P-00001.warc'))).length, 3);
});

test('two pools that want the same names never share a file', async (t) => {
  const dir = tempDir(t);
  const pools = [pool(dir, { template: 'same', maxBytes: 10 }), pool(dir, { template: 'same', maxBytes: 10 })];
  const records = await capture('http://x.example/');
  const written = await Promise.all(pools.map((each) => each.write(Array.from({ length: 10 }, () => ({ prefix: 'P', records })))));
  await Promise.all(pools.map((each) => each.close()));
  const names = written.flat(2).map(({ filename }) => filename);
  assert.equal(new Set(names).size, 20);
  for (const name of new Set(names)) assert.equal((await readAll(join(dir, name))).length, 3);
});

test('an unsafe prefix is refused and harms no other capture', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { subdirPrefix: true });
  const records = await capture('http://x.example/');
  await assert.rejects(
    writers.write([
      { prefix: 'ok', records },
      { prefix: '../evil', records },
    ]),
    RangeError,
  );
  assert.deepEqual(readdirSync(dir), []);
  await writers.write([{ prefix: 'ok', records }]);
  await writers.close();
});

test('a closed pool takes nothing', async (t) => {
  const writers = pool(tempDir(t));
  await writers.close();
  await assert.rejects(writers.write([{ prefix: 'P', records: await capture('http://x.example/') }]), /closed/);
});

test('custom records are read back as they were', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { gzip: true });
  const [records] = await buildRecords([custom('resource', 'image/x;a="b"', '\0\r\n\r\nWARC/1.1\r\n')], recordOptions());
  await writers.write([{ prefix: 'P', records: records! }]);
  await writers.close();
  const [, record] = await readAll(join(dir, 'P-00000.warc.gz'));
  assert.equal(record!.type, 'resource');
  assert.equal(record!.header('content-type'), 'image/x;a="b"');
  assert.equal(record!.block.toString(), '\0\r\n\r\nWARC/1.1\r\n');
});

test('the folder is made at start, and one that cannot be written to is refused with its name', async (t) => {
  const dir = tempDir(t);
  await prepareFolder(join(dir, 'a', 'b'));
  assert.deepEqual(readdirSync(join(dir, 'a', 'b')), []);
  writeFileSync(join(dir, 'file'), '');
  await assert.rejects(
    prepareFolder(join(dir, 'file')),
    (error) => error instanceof WarcOptionError && /^--dir .*file: .*it is a file, not a folder$/.test(error.message),
  );
});
