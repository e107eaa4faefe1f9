/** A site with traps is crawled to its end: each page once, and as many as the WARC files have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSite } from '../jobs/support.ts';
import { crawlLinks } from './crawl-links.ts';
import { crawlTraps } from './crawl-traps.ts';
import { trapSite } from './trap-site.ts';

const PAGES = 200;

test('calendar, session ids, loops, slow, endless, huge, broken, mistyped, behind a cookie, ever deeper', async (t) => {
  const { answer, asked } = trapSite(PAGES);
  const site = await startSite(t, answer);
  const { items, exceptions } = await crawlTraps(`${site.url}/p/0`, PAGES, 1000);
  assert.deepEqual(
    exceptions.map((line) => line.split(' ', 1)[0]),
    ['/endless', '/huge', '/slow'],
  );
  for (const line of exceptions) assert.match(line, /^\S+ (TooLargeError: more than 4194304 bytes|Timed out)$/);
  assert.equal(asked.size, PAGES);
  for (const [path, times] of asked) assert.equal(times, 1, path);
  // Calendar and ever deeper end with what they may cost.
  assert.ok(items < PAGES + 150, String(items));
});

test('a page with ten thousand links is stored as it comes, and its job ends with its limit', async () => {
  // What it takes is shown by hand: here it only has to work.
  await crawlLinks(10_000, 10_000);
});
