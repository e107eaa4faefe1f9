/**
 * A crawl of the site with traps, whole, and what has to be true of it then. By hand with many pages, in a process of its own:
 *
 *   node --import tsx test/crawl/show/crawl-traps.ts 20000
 *
 * Prints a line of JSON. The site runs in another thread, whose memory counts with ours.
 */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { JobRunState } from '../../../src/crawl/proto/starbelly_pb.ts';
import { openCrawls, policy } from '../jobs/support.ts';
import { archivedIn } from './archived.ts';

export interface Shown {
  readonly pages: number;
  readonly items: number;
  readonly exceptions: readonly string[];
}

/** @param seed `/p/0` of such a site @throws AssertionError */
export async function crawlTraps(seed: string, pages: number, timeoutMs: number): Promise<Shown> {
  await using crawls = await openCrawls({ settings: { timeoutMs, maxBodyBytes: 4 * 1024 * 1024 }, core: { gzip: true } });
  const its = policy({ limits: { maxCost: 30 }, urlNormalization: { enabled: true, stripParameters: ['SID'] } });
  const id = await crawls.jobs.create({ seeds: [seed], policy: its });
  const records = new Set<string>();
  const urls = new Set<string>();
  const exceptions: string[] = [];
  let items = 0;
  for await (const { url, record, exception, body } of await crawls.jobs.itemsAfter(id, 0, { compressionOk: false })) {
    items++;
    assert.ok(!urls.has(url), `${url} is there once`);
    urls.add(url);
    if (exception !== undefined) exceptions.push(`${new URL(url).pathname} ${exception}`);
    else assert.ok(body !== undefined && record !== undefined, url);
    if (record !== undefined) records.add(record.id);
  }
  const job = await crawls.jobs.get(id);
  assert.equal(job.runState, JobRunState.COMPLETED);
  assert.equal(job.counts.items, items);
  assert.equal(job.counts.exceptions, exceptions.length);
  const proper = [...urls].filter((url) => new URL(url).pathname.startsWith('/p/'));
  assert.equal(proper.length, pages);
  await crawls.close();
  const archived = await archivedIn(crawls.warcDir);
  for (const record of records) assert.ok(archived.has(record), record);
  const archivedPages = [...archived.values()].filter((url) => new URL(url).pathname.startsWith('/p/'));
  assert.equal(archivedPages.length, pages);
  return { pages, items, exceptions: exceptions.sort() };
}

const [, script, count] = process.argv;
if (script === import.meta.filename && count !== undefined) {
  const { Worker } = await import('node:worker_threads');
  const site = new Worker(new URL('./site-thread.js', import.meta.url), { workerData: Number(count) });
  const port = await new Promise<number>((done) => site.once('message', done));
  const begun = performance.now();
  const shown = await crawlTraps(`http://127.0.0.1:${port}/p/0`, Number(count), 20_000);
  const figures = { ...shown, seconds: (performance.now() - begun) / 1000, maxRssMiB: process.resourceUsage().maxRSS / 1024 };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  await site.terminate();
}
