import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ExchangeCapture } from '../../../src/capture/capture.ts';
import { buildRecords } from '../../../src/archive/records.ts';
import { Spool } from '../../../src/util/spool.ts';
import { loadLock } from '../../../src/warc/write/output.ts';
import type { WriterPool } from '../../../src/warc/write/pool.ts';
import { repair } from '../../../src/warc/tools/repair.ts';
import { exchange, pool, readAll, recordOptions, sha1, tempDir } from '../support.ts';

const URL = 'http://large.example/';
const HEAD = 'HTTP/1.1 200 OK\r\n\r\n';

/** A body that is on its way to its file. */
async function coming(writers: WriterPool, dir: string, body: Buffer, prefix = 'P'): Promise<Spool> {
  const spool = new Spool({ maxMemoryBytes: 10, dir }, undefined, () => writers.place(prefix, URL));
  spool.append(Buffer.from(HEAD));
  spool.append(body);
  spool.finish();
  await spool.flushed();
  return spool;
}

async function recordsOf(spool: Spool, body: Buffer) {
  const small = exchange({ url: URL, head: HEAD, body });
  const capture: ExchangeCapture = { ...small, response: { ...small.response, bytes: spool } };
  const [records = []] = await buildRecords([capture], recordOptions());
  return records;
}

async function smallRecords(url = 'http://small.example/') {
  const [records = []] = await buildRecords([exchange({ url })], recordOptions());
  return records;
}

const warcs = (dir: string) => readdirSync(dir).filter((name) => name.includes('.warc'));

/** What a start makes of a file as it is now. */
async function repaired(t: TestContext, file: string) {
  const copy = join(tempDir(t), 'copy.warc.open');
  copyFileSync(file, copy);
  const done = await repair(copy, loadLock());
  return { ...done, types: done.path === undefined ? [] : (await readAll(done.path)).map(({ type }) => type) };
}

test('a large body is written once, with its request behind it', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  const body = Buffer.alloc(300_000, 'WARC/1.0\r\nContent-Length: 0\r\n\r\n\r\n\r\n');
  const spool = await coming(writers, dir, body);
  const [name = ''] = warcs(dir);
  const inode = statSync(join(dir, name)).ino;
  assert.ok(statSync(join(dir, name)).size > body.length, 'it is in its file before anybody wants its record');
  assert.deepEqual((await repaired(t, join(dir, name))).types, ['warcinfo'], 'and is none yet');
  const records = await recordsOf(spool, body);
  const [places] = await writers.write([{ prefix: 'P', records }]);
  assert.deepEqual((await repaired(t, join(dir, name))).types, ['warcinfo', 'response', 'request']);
  const again: Buffer[] = [];
  for await (const piece of spool.slice(HEAD.length, spool.size).read()) again.push(piece);
  assert.deepEqual(Buffer.concat(again), body);
  spool.release();
  await writers.write([{ prefix: 'P', records: await smallRecords() }]);
  await writers.close();
  assert.deepEqual(warcs(dir), ['P-00000.warc']);
  assert.equal(statSync(join(dir, 'P-00000.warc')).ino, inode);
  const read = await readAll(join(dir, 'P-00000.warc'));
  assert.deepEqual(
    read.map(({ type }) => type),
    ['warcinfo', 'response', 'request', 'response', 'request'],
  );
  assert.deepEqual(
    places?.map(({ offset, length }) => [offset, length]),
    read.slice(1, 3).map(({ offset, bytesInFile }) => [offset, bytesInFile]),
  );
  assert.equal(sha1(Buffer.concat([Buffer.from(HEAD), body])), read[1]?.header('WARC-Block-Digest'));
  assert.equal(writers.bytesWritten, readFileSync(join(dir, 'P-00000.warc')).length);
});

test('what is not wanted is cut off, and its file goes on', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  await writers.write([{ prefix: 'P', records: await smallRecords() }]);
  const spool = await coming(writers, dir, Buffer.alloc(300_000));
  spool.release();
  await writers.write([{ prefix: 'P', records: await smallRecords() }]);
  await writers.close();
  assert.deepEqual(warcs(dir), ['P-00000.warc']);
  assert.equal((await readAll(join(dir, 'P-00000.warc'))).length, 5);
});

test('what others write meanwhile goes to another file, and both go on', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  const body = Buffer.alloc(300_000);
  const spool = await coming(writers, dir, body);
  await writers.write([{ prefix: 'P', records: await smallRecords() }]);
  await writers.write([{ prefix: 'P', records: await recordsOf(spool, body) }]);
  spool.release();
  await writers.close();
  assert.deepEqual(warcs(dir), ['P-00000.warc', 'P-00001.warc']);
  for (const name of warcs(dir)) assert.equal((await readAll(join(dir, name))).length, 3);
});

test('closed while a body comes: nothing of it stays', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  await writers.write([{ prefix: 'P', records: await smallRecords() }]);
  const spool = await coming(writers, dir, Buffer.alloc(300_000));
  await writers.close();
  spool.release();
  assert.deepEqual(warcs(dir), ['P-00000.warc']);
  assert.equal((await readAll(join(dir, 'P-00000.warc'))).length, 3);
});
