/** A filter never says "no" of what was added, and seldom "perhaps" of what was not. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { KeyFilter } from '../../src/store/key-filter.ts';

const digest = (nth: number) => `sha1:${createHash('sha1').update(String(nth)).digest('hex')}`;
/** Keys of all kinds: they need not be digests. */
const KINDS: readonly (readonly [string, (nth: number) => string])[] = [
  ['digests', digest],
  ['digests in buckets', (nth) => `${digest(nth)}|bucket ${nth % 7}`],
  ['numbers', String],
  ['all but the same', (nth) => `${'x'.repeat(200)}${nth}`],
  ['of other letters', (nth) => `Ключ ${nth} 🗝`],
];

for (const [name, key] of KINDS) {
  test(`${name}: what was added is found, of what was not a hundredth`, () => {
    // Small layers, so that there are several.
    const filter = new KeyFilter(undefined, 1000);
    for (let nth = 0; nth < 50_000; nth++) filter.add(key(nth));
    for (let nth = 0; nth < 50_000; nth++) assert.ok(filter.mayHave(key(nth)), key(nth));
    let wrong = 0;
    for (let nth = 50_000; nth < 100_000; nth++) if (filter.mayHave(key(nth))) wrong++;
    assert.ok(wrong < 50_000 * 0.06, `${wrong} of 50,000`);
  });
}

test('past its bound it grows no more, and loses nothing', () => {
  const filter = new KeyFilter(64 * 1024, 1000);
  for (let nth = 0; nth < 200_000; nth++) filter.add(digest(nth));
  assert.ok(filter.bytes <= 64 * 1024, `${filter.bytes} bytes`);
  for (let nth = 0; nth < 200_000; nth += 7) assert.ok(filter.mayHave(digest(nth)));
});

test('what was saved goes on where it was', () => {
  const filter = new KeyFilter();
  for (let nth = 0; nth < 1000; nth++) filter.add(digest(nth));
  const again = KeyFilter.of(filter.words, filter.inLast);
  again.add(digest(1000));
  for (let nth = 0; nth <= 1000; nth++) assert.ok(again.mayHave(digest(nth)));
  assert.equal(again.inLast, 1001);
  assert.equal(again.mayHave(digest(2_000_000)), false);
  assert.throws(() => KeyFilter.of([], 0), RangeError);
  assert.throws(() => KeyFilter.of([new Uint32Array(3)], 0), RangeError);
});
