/** JSON as text, lines at every split, and the cache under a clock of its own. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { LONG_MS, ReferenceCache, SHORT_MS } from '../../src/scraper/cache.ts';
import { compact, membersOf } from '../../src/scraper/json-text.ts';
import { linesOf } from '../../src/scraper/lines.ts';
import { SEED } from '../support/seed.ts';

fc.configureGlobal({ seed: SEED });

test('the members of any object are what JSON.parse finds, by any spelling', () => {
  const indents = fc.constantFrom('', '\t', '  ');
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), indents, (object, indent) => {
      const text = JSON.stringify(object, undefined, indent);
      const members = membersOf(text);
      assert.deepEqual(Object.fromEntries([...members].map(([key, value]) => [key, JSON.parse(value) as unknown])), JSON.parse(text));
      assert.equal(compact(text), JSON.stringify(JSON.parse(text)));
    }),
    { numRuns: 1_000 },
  );
});

test('numbers keep their spelling, and the last of equal keys counts', () => {
  const text = ' { "a" : 1 , "b\\u0041" : [ 1.10 , 12345678901234567890, -0.0e+1 ] ,\r\n"a":{"x":"} \\" ,"}, "c":null}\t';
  assert.deepEqual(
    [...membersOf(text)],
    [
      ['a', '{"x":"} \\" ,"}'],
      ['bA', '[ 1.10 , 12345678901234567890, -0.0e+1 ]'],
      ['c', 'null'],
    ],
  );
  assert.equal(compact(membersOf(text).get('bA') ?? ''), '[1.10,12345678901234567890,-0.0e+1]');
  for (const other of ['[1,{"a":1}]', '"a"', '1', 'null', '{}', ' { } ']) assert.equal(membersOf(other).size, 0, other);
});

async function read(chunks: Iterable<Uint8Array>, maxBytes?: number): Promise<(string | undefined)[]> {
  const lines: (string | undefined)[] = [];
  for await (const line of linesOf(chunks, maxBytes)) lines.push(line);
  return lines;
}

test('lines are the same however their bytes are cut', async () => {
  const bytes = Buffer.from('one\r\n\nthrée\n\xff\n1234567890\nlast', 'latin1');
  const expected = ['one\r', '', 'thr\ufffde', '\ufffd', undefined, 'last'];
  assert.deepEqual(await read([bytes], 8), expected);
  for (let i = 0; i <= bytes.length; i++) {
    for (let j = i; j <= bytes.length; j++) {
      assert.deepEqual(await read([bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)], 8), expected, `${i}, ${j}`);
    }
  }
});

test('a character of several bytes is one, wherever it is cut', async () => {
  const bytes = Buffer.from('a€😀\n');
  for (let i = 0; i <= bytes.length; i++) assert.deepEqual(await read([bytes.subarray(0, i), bytes.subarray(i)]), ['a€😀']);
});

test('no line of nothing, and one that is exactly as long as it may be', async () => {
  assert.deepEqual(await read([]), []);
  assert.deepEqual(await read([Buffer.from('\n')]), ['']);
  assert.deepEqual(await read([Buffer.from('12345678\n123456789')], 8), ['12345678', undefined]);
});

test('entries of the cache last as long as was said, beginning with the last time', () => {
  let now = 0;
  const cache = new ReferenceCache(() => now);
  cache.add('long', LONG_MS);
  cache.add('short', SHORT_MS);
  cache.add('shortened', LONG_MS);
  cache.add('shortened', SHORT_MS);
  cache.add('__proto__', SHORT_MS);
  now = 12 * 3_600_000 - 1;
  assert.deepEqual(
    ['long', 'short', 'shortened', '__proto__', 'Long', 'constructor'].map((each) => cache.has(each)),
    [true, true, true, true, false, false],
  );
  cache.add('short', SHORT_MS);
  now += 1;
  assert.deepEqual(
    ['long', 'short', 'shortened', '__proto__'].map((each) => cache.has(each)),
    [true, true, false, false],
  );
  now = 72 * 3_600_000 - 1;
  assert.equal(cache.has('long'), true);
  now += 1;
  assert.equal(cache.has('long'), false);
});

test('expired entries are dropped without being asked for', () => {
  let now = 0;
  const cache = new ReferenceCache(() => now);
  for (let i = 0; i < 30_000; i++) {
    cache.add(`${i}`, SHORT_MS);
    now += SHORT_MS / 1_000;
  }
  assert.ok(cache.size <= 11_000, `${cache.size}`);
});

test('the helper loads nothing of the proxy', () => {
  const folder = new URL('../../src/scraper/', import.meta.url);
  const imports = readdirSync(folder).flatMap((name) =>
    [...readFileSync(new URL(name, folder), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, from = '']) => from),
  );
  assert.ok(imports.length > 20);
  assert.deepEqual(
    imports
      .filter((from) => !from.startsWith('./') && !from.startsWith('node:'))
      .filter((from) => !['undici', '../util/version.ts'].includes(from)),
    [],
  );
});
