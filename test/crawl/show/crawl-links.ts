/**
 * A page with very many links, all of them to a trap that goes on for ever: what memory the process takes, and how soon it answers. By hand:
 *
 *   node --import tsx test/crawl/show/crawl-links.ts 1000000
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { JobRunState } from '../../../src/crawl/proto/starbelly_pb.ts';
import { openCrawls, policy } from '../jobs/support.ts';

const HTML = { 'Content-Type': 'text/html' };
const PAGES = 20;
const LINKS_A_PIECE = 1000;

export interface LinksShown {
  /** the longest that an answer about the job has taken */
  readonly slowestMs: number;
  readonly maxRssMiB: number;
}

/** @param links on all pages together, none of them twice @param each on a page @throws AssertionError */
export async function crawlLinks(links: number, each: number): Promise<LinksShown> {
  let next = 0;
  const server = createServer((_request, response) => {
    response.writeHead(200, HTML);
    for (let sent = 0; sent < each && next < links; sent += LINKS_A_PIECE)
      response.write(Array.from({ length: LINKS_A_PIECE }, () => `<a href="/trap/${++next}/with/a/path">x</a>`).join(''));
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await using crawls = await openCrawls();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const maxItems = Math.ceil(links / each) + PAGES;
    const id = await crawls.jobs.create({ seeds: [url], policy: policy({ limits: { maxItems } }) });
    let slowestMs = 0;
    for (;;) {
      const asked = performance.now();
      const job = await crawls.jobs.get(id);
      slowestMs = Math.max(slowestMs, performance.now() - asked);
      if (job.runState === JobRunState.COMPLETED) {
        assert.equal(job.counts.items, maxItems);
        return { slowestMs, maxRssMiB: process.resourceUsage().maxRSS / 1024 };
      }
      // The time that passes until it goes on is that in which nobody would have been answered.
      const slept = performance.now();
      await wait(20);
      slowestMs = Math.max(slowestMs, performance.now() - slept - 20);
    }
  } finally {
    server.close();
  }
}

const [, script, count] = process.argv;
if (script === import.meta.filename && count !== undefined)
  process.stdout.write(`${JSON.stringify(await crawlLinks(Number(count), 100_000))}\n`);
