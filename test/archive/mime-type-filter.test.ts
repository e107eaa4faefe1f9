import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capture } from '../../src/capture/capture.ts';
import type { MimeTypeFilter } from '../../src/meta/meta.ts';
import { createRegexes } from '../../src/regex/regex.ts';
import { finish, timeSlices, type TimeSlices } from '../../src/util/slices.ts';
import { mimeTypeFilter } from '../../src/archive/mime-type-filter.ts';
import { silentLog } from '../../src/util/log.ts';
import { custom, exchange, failure } from './dedup-support.ts';

const regexes = createRegexes();

/** `REJECT regex`, `LIMIT regex` */
function filters(...lines: readonly string[]): MimeTypeFilter[] {
  return lines.map((line) => {
    const [type, regex = ''] = line.split(' ');
    return { type: type === 'LIMIT' ? 'LIMIT' : 'REJECT', regex: regexes.read(regex, 'start') };
  });
}

async function filtered(captures: readonly Capture[], slices = timeSlices()) {
  const processor = mimeTypeFilter({ slices, log: silentLog });
  await processor.process(captures);
  return { archived: captures.map(({ outcome }) => outcome.archive), errors: processor.errors };
}

const TABLE: readonly [filters: readonly string[], contentType: string | undefined, archived: boolean][] = [
  [[], 'image/png', true],
  [[], undefined, true],
  [['REJECT image/'], 'image/png', false],
  [['REJECT image/'], 'text/html', true],
  [['REJECT image/'], undefined, true],
  [['REJECT mage/'], 'image/png', true],
  [['REJECT .*png'], 'image/png', false],
  [['REJECT '], '', false],
  [['REJECT '], undefined, true],
  [['LIMIT text/'], 'text/html; charset=utf-8', true],
  [['LIMIT text/'], 'image/png', false],
  [['LIMIT ext/'], 'text/html', false],
  [['LIMIT text/'], undefined, false],
  [['LIMIT .*'], '', true],
  [['LIMIT text/', 'REJECT text/css'], 'text/html', true],
  [['LIMIT text/', 'REJECT text/css'], 'text/css', false],
  [['LIMIT text/', 'LIMIT image/'], 'text/html', false],
];
for (const [lines, contentType, archived] of TABLE) {
  test(`${lines.join(' and ') || 'no filter'}: ${contentType ?? 'no Content-Type'} is ${archived ? '' : 'not '}archived`, async () => {
    const meta = { mimeTypeFilters: filters(...lines) };
    assert.deepEqual(await filtered([exchange({ contentType, meta })]), { archived: [archived], errors: 0 });
  });
}

test('custom records are filtered by their content type', async () => {
  const meta = { mimeTypeFilters: filters('REJECT text/') };
  const { archived } = await filtered([custom('text/plain', 'x', meta), custom('image/png', 'x', meta)]);
  assert.deepEqual(archived, [false, true]);
});

test('what an earlier step turned down stays so, and failures are let alone', async () => {
  const meta = { mimeTypeFilters: filters('LIMIT text/') };
  const turnedDown = exchange({ meta });
  turnedDown.outcome.archive = false;
  const failed = { ...failure(), meta: exchange({ meta }).meta };
  failed.outcome.archive = true;
  assert.deepEqual((await filtered([turnedDown, failed])).archived, [false, true]);
});

test('filters that take more than their slice of time are waited for', async () => {
  const slices: TimeSlices = { run: (steps) => new Promise((resolve) => setImmediate(() => resolve(finish(steps)))) };
  const meta = { mimeTypeFilters: filters('REJECT (a|b)*c', 'REJECT x') };
  const captures = ['abababc', 'ababab', 'x'].map((contentType) => exchange({ contentType, meta }));
  assert.deepEqual(await filtered(captures, slices), { archived: [false, true, false], errors: 0 });
});

test('a capture whose filters cannot be decided is archived and counted, and the others are filtered', async () => {
  const gaveUp = () => new Error('regexes too large for this Content-Type');
  const bad: TimeSlices[] = [
    {
      run() {
        throw gaveUp();
      },
    },
    { run: () => Promise.reject(gaveUp()) },
  ];
  for (const slices of bad) {
    const meta = { mimeTypeFilters: filters('LIMIT text/') };
    // Without a Content-Type no regex is asked.
    const captures = [exchange({ meta, contentType: 'image/png' }), exchange({ meta, contentType: undefined })];
    assert.deepEqual(await filtered(captures, slices), { archived: [true, false], errors: 1 });
  }
});
