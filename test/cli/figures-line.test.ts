/** What a core has done, in as many words as fit. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { finalLine, inBytes, liveLine, type Rates } from '../../src/cli/figures-line.ts';
import type { Figures } from '../../src/programs/figures.ts';
import { NO_FIGURES } from './figures.ts';

const CRAWL: Figures = {
  captures: 1204,
  new: 1100,
  duplicates: 104,
  errors: 3,
  warcBytes: 56_200_000,
  warcFiles: 2,
  active: 4,
  waiting: 0,
  queued: 3,
};
const HUGE: Figures = {
  captures: 987_654_321,
  new: 900_000_000,
  duplicates: 87_000_000,
  errors: 1_234_567,
  warcBytes: 98.7e12,
  warcFiles: 12_345,
  active: 500,
  waiting: 1500,
  queued: 10_000,
};
const RATES: Rates = { captures: 12.44, warcBytes: 1_200_000 };

describe('the live line', () => {
  test('at 200 columns it says everything', () => {
    assert.equal(
      liveLine({ ...CRAWL, waiting: 7 }, RATES, 200),
      '1,204 captures (1,100 new, 104 duplicates) · 3 errors · 56.2 MB · 12.4/s · 1.20 MB/s · 4 under way, 7 waiting · queue 3 · 2 files',
    );
  });

  test('at 80 columns it says what matters, in shorter words', () => {
    assert.equal(liveLine(CRAWL, RATES, 80), '1,204 captures (1,100 new, 104 dup) · 3 errors · 56.2 MB · 12.4/s · queue 3');
  });

  test('where nothing waits to be written, what is under way matters more', () => {
    const slow = { ...CRAWL, captures: 3, new: 3, duplicates: 0, errors: 1, queued: 0, warcFiles: 1 };
    assert.equal(liveLine(slow, RATES, 80), '3 captures (3 new, 0 dup) · 1 error · 56.2 MB · 12.4/s · 4 under way · 1 file');
  });

  test('at 40 and 20 columns it still counts', () => {
    assert.equal(liveLine(CRAWL, RATES, 40), '1,204 captures · 3 err · 56.2 MB');
    assert.equal(liveLine(CRAWL, RATES, 20), '1,204 · 3 err');
  });

  test('captures that were not written are told apart', () => {
    assert.match(liveLine({ ...CRAWL, new: 1000 }, RATES, 200), /^1,204 captures \(1,000 new, 104 duplicates, 100 skipped\) /);
  });

  test('before the first request it says that it waits', () => {
    assert.equal(liveLine(NO_FIGURES, RATES, 80), 'waiting for the first request');
    assert.match(liveLine({ ...NO_FIGURES, active: 1 }, RATES, 80), /^0 captures .* 1 under way/);
  });

  test('at every width from 20 to 200 it is narrower than the terminal, and begins with the captures', () => {
    for (const figures of [NO_FIGURES, CRAWL, HUGE, { ...HUGE, queued: 0 }, { ...CRAWL, waiting: 3 }]) {
      let before = 0;
      for (let columns = 20; columns <= 200; columns++) {
        const line = liveLine(figures, RATES, columns);
        assert.ok(line.length < columns, `${columns}: ${line}`);
        assert.ok(line.length >= before || !line.includes('…'), `${columns}: shorter than at ${columns - 1}`);
        assert.match(line, figures.captures === 0 ? /^waiting for the/ : /^[\d,]{5}/);
        before = line.length;
      }
    }
  });
});

test('the line that is left at the end has the whole run', () => {
  assert.equal(finalLine(CRAWL, 725.9, 100), '1,204 captures (1,100 new, 104 duplicates) · 3 errors · 56.2 MB in 2 files · 12 min 5 s');
  assert.equal(finalLine(CRAWL, 59, 80), '1,204 captures (1,100 new, 104 dup) · 3 errors · 56.2 MB in 2 files · 59 s');
  assert.equal(finalLine({ ...CRAWL, captures: 1, new: 1, duplicates: 0 }, 11_520, 40), '1 capture · 3 errors · 56.2 MB');
  for (let columns = 20; columns <= 200; columns++) assert.ok(finalLine(HUGE, 1e6, columns).length < columns);
});

test('sizes have three digits', () => {
  const sizes = [0, 999, 1000, 9994, 9995, 12_345, 999_499, 999_500, 56_249_000, 1.5e9, 12e15].map(inBytes);
  assert.deepEqual(sizes, [
    '0 B',
    '999 B',
    '1.00 kB',
    '9.99 kB',
    '10.0 kB',
    '12.3 kB',
    '999 kB',
    '1.00 MB',
    '56.2 MB',
    '1.50 GB',
    '12,000 TB',
  ]);
});
