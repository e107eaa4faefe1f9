/** One model: a record that was read says the same as the one that was written, and can be written again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildRecords } from '../../src/archive/records.ts';
import { readWarc } from '../../src/warc/read/reader.ts';
import { bytesOf, copyOf, type NewRecord } from '../../src/warc/record.ts';
import { custom, exchange, pool, readAll, recordOptions, tempDir } from './support.ts';

const captures = (contentType = 'text/plain;  charset=utf-8') => [
  exchange({ url: 'http://a.example/ü', body: 'hello' }),
  exchange({ body: '', truncated: 'time', duplicateOf: { recordId: '<urn:uuid:1>', url: 'http://b/', date: '2024-01-01T00:00:00Z' } }),
  custom('metadata', contentType, 'some: text'),
];

test('what a new record says of itself is what is read from the file', async (t) => {
  const dir = tempDir(t);
  const records = await buildRecords(captures(' text/plain '), recordOptions());
  const writers = pool(dir);
  await writers.write(records.map((each) => ({ prefix: 'P', records: each })));
  await writers.close();
  const [, ...read] = await readAll(join(dir, 'P-00000.warc'));
  const said = ({ version, type, headers, contentLength }: Pick<NewRecord, 'version' | 'type' | 'headers' | 'contentLength'>) => ({
    version,
    type,
    headers,
    contentLength,
  });
  assert.equal(read.length, 5);
  assert.deepEqual(records.flat().map(said), read.map(said));
  for (const [nth, record] of records.flat().entries()) {
    for (const name of ['warc-target-uri', 'CONTENT-TYPE', 'WARC-Truncated', 'X-None']) {
      assert.equal(record.header(name), read[nth]!.header(name), name);
    }
  }
});

test('records that are read can be written again, packed in another way, and come back the same', async (t) => {
  const [from, to] = [tempDir(t), tempDir(t)];
  const writers = pool(from, { version: '1.0' });
  await writers.write((await buildRecords(captures(), recordOptions('1.0'))).map((records) => ({ prefix: 'P', records })));
  await writers.close();
  const copies: NewRecord[] = [];
  for await (const record of readWarc(join(from, 'P-00000.warc'))) {
    if (record.type !== 'warcinfo') copies.push(copyOf(record, bytesOf(await record.bytes())));
  }
  for (const gzip of [true, false]) {
    const others = pool(to, { gzip, version: '1.0' });
    await others.write([{ prefix: 'P', records: copies }]);
    await others.close();
  }
  // The first record is the file's own, the same in both.
  assert.deepEqual(readFileSync(join(to, 'P-00000.warc')), readFileSync(join(from, 'P-00000.warc')));
  const [[, ...before], [, ...after]] = await Promise.all(
    [join(from, 'P-00000.warc'), join(to, 'P-00000.warc.gz')].map(async (file) => {
      const all = await readAll(file);
      return all.map(({ headers, version, block }) => ({ headers, version, block }));
    }) as [Promise<object[]>, Promise<object[]>],
  );
  assert.deepEqual(after, before);
});

test('a copy with a block of another length is refused', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  await writers.write([{ prefix: 'P', records: (await buildRecords([exchange()], recordOptions())).flat() }]);
  await writers.close();
  const [record] = await readAll(join(dir, 'P-00000.warc'));
  assert.throws(() => copyOf(record!, bytesOf(Buffer.from('short'))), RangeError);
});
