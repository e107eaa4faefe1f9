/** A crawl of a local site: what is fetched, in which order, what becomes an item, what is counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobRunState } from '../../../src/crawl/proto/starbelly_pb.ts';
import { crawl, openCrawls, pages, pathsOf, startSite, textOf } from './support.ts';

test('a job follows the links of its site, with their costs, and ends', async (t) => {
  const site = await startSite(
    t,
    pages({ '/': '<a href="/b">b</a> <a href="c">c</a> <a href="http://elsewhere.example/">x</a>', '/b': 'B', '/c': 'C' }),
  );
  await using crawls = await openCrawls();
  const [job, items] = await crawl(crawls, `${site.url}/`);
  assert.equal(job.runState, JobRunState.COMPLETED);
  assert.deepEqual(job.counts, { items: 3, successes: 3, errors: 0, exceptions: 0 });
  assert.deepEqual([...job.statusCounts], [[200, 3]]);
  assert.ok(job.completedAt !== undefined && job.completedAt >= job.startedAt);
  assert.deepEqual(
    items.map(({ url, cost }) => [url, cost]),
    [
      [`${site.url}/`, 1],
      [`${site.url}/b`, 2],
      [`${site.url}/c`, 2],
    ],
  );
  assert.deepEqual(items.map(textOf), ['<a href="/b">b</a> <a href="c">c</a> <a href="http://elsewhere.example/">x</a>', 'B', 'C']);
  assert.deepEqual(site.asked, ['/', '/b', '/c']);
  assert.deepEqual(pathsOf(items), ['/', '/b', '/c']);
});
