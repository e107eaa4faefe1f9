/** What stands in a WARC file once: beside the first capture that brings it, in each file anew. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesOf, recordOf } from '../../../src/warc/record.ts';
import type { PrefixedRecords } from '../../../src/warc/write/pool.ts';
import { pool, readAll, tempDir } from '../support.ts';

let ids = 0;
const recordNamed = (type: string, name: string) =>
  recordOf(`<urn:x:${ids++}>`, type, '2024-02-03T04:05:06Z', `WARC-Target-URI: ${name}\r\n`, bytesOf(Buffer.from(name)), '1.1');

/** A capture of two records; with a key also what stands once for it. */
function capture(name: string, key?: string, prefix = 'P'): PrefixedRecords {
  const once =
    key === undefined ? undefined : { key, make: () => [recordNamed('metadata', `${key} 1`), recordNamed('metadata', `${key} 2`)] };
  return { prefix, records: [recordNamed('response', name), recordNamed('request', name)], once };
}

/** Of each file in a folder, what stands in it, without warcinfo. */
async function inFiles(dir: string): Promise<string[][]> {
  const files = readdirSync(dir).sort();
  const all = await Promise.all(files.map((file) => readAll(join(dir, file))));
  return all.map((records) => records.slice(1).map((record) => `${record.type} ${record.header('WARC-Target-URI')}`));
}

const both = (name: string) => [`response ${name}`, `request ${name}`];
const once = (key: string) => [`metadata ${key} 1`, `metadata ${key} 2`];

for (const gzip of [false, true]) {
  test(`it stands behind the records of the first capture that brings it, and nowhere else (${gzip ? 'gzip' : 'plain'})`, async (t) => {
    const dir = tempDir(t);
    const writers = pool(dir, { gzip });
    const written = await writers.write([capture('a', 'k'), capture('b'), capture('c', 'k'), capture('d', 'l')]);
    assert.deepEqual(
      written.map((places) => places.map(({ type }) => type)),
      [
        ['response', 'request', 'metadata', 'metadata'],
        ['response', 'request'],
        ['response', 'request'],
        ['response', 'request', 'metadata', 'metadata'],
      ],
    );
    await writers.write([capture('e', 'l'), capture('f', 'm')]);
    await writers.close();
    const expected = [
      ...both('a'),
      ...once('k'),
      ...both('b'),
      ...both('c'),
      ...both('d'),
      ...once('l'),
      ...both('e'),
      ...both('f'),
      ...once('m'),
    ];
    assert.deepEqual(await inFiles(dir), [expected]);
    const file = join(dir, readdirSync(dir)[0]!);
    const offsets = new Map((await readAll(file)).map((record) => [record.offset, record.header('WARC-Record-ID')]));
    for (const { id, offset } of written.flat()) assert.equal(offsets.get(offset), id);
  });

  test(`a file that is begun within a batch has it again (${gzip ? 'gzip' : 'plain'})`, async (t) => {
    const dir = tempDir(t);
    const writers = pool(dir, { gzip, maxBytes: 1 });
    await writers.write(['a', 'b', 'c'].map((name) => capture(name, name === 'c' ? undefined : 'k')));
    await writers.close();
    assert.deepEqual(await inFiles(dir), [[...both('a'), ...once('k')], [...both('b'), ...once('k')], both('c')]);
  });
}

test('each prefix has a file of its own, and so has it once in each', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  await writers.write([capture('a', 'k', 'A'), capture('b', 'k', 'B'), capture('c', 'k', 'A')]);
  await writers.close();
  assert.deepEqual(await inFiles(dir), [
    [...both('a'), ...once('k'), ...both('c')],
    [...both('b'), ...once('k')],
  ]);
});

test('what is remembered of a file has a bound: what has been forgotten is written again, and nothing is left out', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  const many = 5001;
  const small = (nth: number): PrefixedRecords => ({
    prefix: 'P',
    records: [recordNamed('response', `r${nth}`)],
    once: { key: `k${nth}`, make: () => [recordNamed('metadata', `k${nth}`)] },
  });
  await writers.write(Array.from({ length: many }, (_, nth) => small(nth)));
  await writers.write([small(many - 1), small(0)]);
  await writers.close();
  const [names] = await inFiles(dir);
  assert.equal(names!.length, many * 2 + 3);
  assert.deepEqual(names!.slice(-3), [`response r${many - 1}`, 'response r0', 'metadata k0']);
});
