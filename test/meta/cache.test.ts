import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { metaCache } from '../../src/meta/cache.ts';
import { createRegexes } from '../../src/regex/regex.ts';
import { timeSlices } from '../../src/util/slices.ts';
import { metaError, tickingClock } from './support.ts';

const fresh = (value: string): string => Buffer.from(value, 'latin1').toString('latin1');
const rules = (count: number): string => JSON.stringify({ blocks: Array.from({ length: count }, (_, i) => ({ domain: `d${i}.org` })) });

describe('the cache of values', () => {
  test('gives the same Meta for the same text', () => {
    const cache = metaCache({ regexes: createRegexes(), slices: timeSlices({ now: () => 0 }) });
    const meta = cache.read('{"warc-prefix":"a"}');
    assert.equal(cache.read(fresh('{"warc-prefix":"a"}')), meta);
    assert.notEqual(cache.read('{"warc-prefix": "a"}'), meta);
  });

  test('reads a long value once for all who ask while it is being read, then gives it at once', async () => {
    const cache = metaCache({ regexes: createRegexes(), slices: timeSlices({ now: tickingClock(1) }) });
    const value = rules(1_000);
    const first = cache.read(value);
    assert.ok(first instanceof Promise);
    assert.equal(cache.read(fresh(value)), first);
    const meta = await first;
    assert.equal(meta.blocks.length, 1_000);
    assert.equal(cache.read(fresh(value)), meta);
  });

  test('refuses a malformed value each time, whether at once or later', async () => {
    const cache = metaCache({ regexes: createRegexes(), slices: timeSlices({ now: tickingClock(1) }) });
    const long = rules(500).replace(/]}$/, ',{}]}');
    const late = metaError('value', 'Warcprox-Meta: blocks[500]: expected a rule with a condition, got an object');
    for (let i = 0; i < 2; i++) {
      assert.throws(() => cache.read('{'), metaError('syntax', 'Warcprox-Meta: expected JSON, got "{"'));
      await assert.rejects(async () => cache.read(long), late);
    }
  });

  test('forgets what was not asked for longest, by number', () => {
    const cache = metaCache({ regexes: createRegexes(), slices: timeSlices({ now: () => 0 }), maxEntries: 2 });
    const [a, b] = [cache.read('{"x":1}'), cache.read('{"x":2}')];
    assert.equal(cache.read('{"x":1}'), a);
    void cache.read('{"x":3}');
    assert.equal(cache.read('{"x":1}'), a);
    assert.notEqual(cache.read('{"x":2}'), b);
  });

  test('forgets by size, decompressed rules included', () => {
    const cache = metaCache({ regexes: createRegexes(), slices: timeSlices({ now: () => 0 }), maxBytes: 70_000 });
    const small = cache.read('{"x":1}');
    const blocks = JSON.stringify(Array.from({ length: 300 }, () => ({ domain: 'example.org' })));
    const value = JSON.stringify({ compressed_blocks: deflateSync(blocks).toString('base64') });
    assert.ok(value.length < 300 && blocks.length > 7_000);
    const [one, two] = [cache.read(value), cache.read(`${value} `)];
    assert.equal(cache.read(`${value} `), two);
    assert.notEqual(cache.read(value), one);
    assert.notEqual(cache.read('{"x":1}'), small);
  });

  test('does not read a value of a megabyte again that it knows', () => {
    const cache = metaCache({ regexes: createRegexes(), slices: timeSlices({ now: () => 0 }) });
    const value = `{"x":"${'a'.repeat(1e6)}"}`;
    const meta = cache.read(value);
    for (let i = 0; i < 1_000; i++) assert.equal(cache.read(value), meta);
  });
});
