/** How far an archive of pages is, in as many words as fit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressLine } from '../../src/cli/progress-line.ts';

const FIGURES = {
  captures: 231,
  new: 200,
  duplicates: 31,
  errors: 0,
  warcBytes: 12_300_000,
  warcFiles: 1,
  active: 2,
  waiting: 0,
  queued: 0,
};
const PROGRESS = { visited: 9, failed: 1, found: 40, current: 'https://example.com/a', packed: undefined };

test('a bar, pages, captures, bytes and where it is', () => {
  assert.equal(
    progressLine(PROGRESS, FIGURES, 120),
    '[#####...............] 10 of 40 pages · 1 failed · 231 captures · 12.3 MB · example.com/a',
  );
  assert.equal(
    progressLine({ ...PROGRESS, visited: 0, failed: 0, found: 1, current: undefined }, { ...FIGURES, captures: 1, warcBytes: 0 }, 120),
    '[....................] 0 of 1 page · 1 capture · 0 B',
  );
});

test('while the WACZ is written, how far that is', () => {
  assert.equal(
    progressLine({ ...PROGRESS, packed: 0.5 }, FIGURES, 120),
    '[##########..........] writing the WACZ: 50 % · 9 pages · 12.3 MB',
  );
});

test('always narrower than the terminal, and without a bar where there is no room', () => {
  for (let columns = 2; columns < 130; columns++) assert.ok(progressLine(PROGRESS, FIGURES, columns).length < columns, String(columns));
  assert.match(progressLine(PROGRESS, FIGURES, 59), /^10 of 40 pages · 1 failed/);
});
