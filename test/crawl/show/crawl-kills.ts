/**
 * A crawl whose process is killed again and again, with a reader that goes on after its last item, and what has to be true in the end. By
 * hand with random moments:
 *
 *   node --import tsx test/crawl/show/crawl-kills.ts 5000 20
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { JobRunState } from '../../../src/crawl/proto/starbelly_pb.ts';
import { openCrawls, temporaryFolder } from '../jobs/support.ts';
import { archivedIn } from './archived.ts';

const HTML = { 'Content-Type': 'text/html' };
const WORKER = join(import.meta.dirname, '../jobs/kills-worker.ts');

/** Links of one of the pages 0 to `last`. */
export function web(last: number, path: string): string | undefined {
  const n = Number(path.slice(1) || 0);
  if (n > last) return undefined;
  const to = [2 * n + 1, 2 * n + 2, n + 1].filter((other) => other <= last);
  return to.map((other) => `<a href="/${other}">`).join('');
}

interface Read {
  readonly sequence: number;
  readonly url: string;
  readonly text: string;
}

/** @param kills items in all after which it is killed, at least one of each run @param laterMs how long after that @throws AssertionError */
export async function crawlWithKills(last: number, kills: readonly number[], laterMs: () => number = () => 0): Promise<void> {
  const server = createServer((request, response) => response.writeHead(200, HTML).end(`${request.url} ${web(last, request.url ?? '')}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const seed = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const folder = temporaryFolder();
  const read: Read[] = [];
  const run = async (until: number | undefined) => {
    const args = ['--import', 'tsx', WORKER, folder, seed, String(read.at(-1)?.sequence ?? 0)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    let text = '';
    let lines = 0;
    let killing: Promise<unknown> | undefined;
    for await (const piece of child.stdout as AsyncIterable<Buffer>) {
      text += piece.toString();
      lines += piece.toString().split('\n').length - 1;
      if (until !== undefined && lines >= until) killing ??= wait(laterMs()).then(() => child.kill('SIGKILL'));
    }
    await ended;
    await killing;
    for (const line of text.split('\n').slice(0, -1)) read.push(JSON.parse(line) as Read);
    return child.signalCode;
  };
  try {
    for (const until of kills) assert.equal(await run(Math.max(1, until - read.length)), 'SIGKILL');
    assert.equal(await run(undefined), null);
  } finally {
    server.closeAllConnections();
    server.close();
  }
  assert.equal(read.length, last + 1);
  assert.equal(new Set(read.map(({ url }) => url)).size, last + 1);
  for (const { url, text } of read) assert.ok(text.startsWith(`${new URL(url).pathname} `), url);
  await using crawls = await openCrawls({ folder });
  const [job] = (await crawls.jobs.list({}, { offset: 0, limit: 1 })).found;
  assert.equal(job?.runState, JobRunState.COMPLETED);
  assert.equal(job.counts.items, last + 1);
  assert.deepEqual([...job.statusCounts], [[200, last + 1]]);
  await crawls.close();
  const archived = new Set((await archivedIn(crawls.warcDir)).values());
  for (const { url } of read) assert.ok(archived.has(url), url);
}

const [, script, pages, times] = process.argv;
if (script === import.meta.filename && pages !== undefined) {
  // Over the whole crawl but its end: it reads on until it is dead.
  const each = (Number(pages) * 0.9) / Number(times);
  const kills = Array.from({ length: Number(times) }, (_, nth) => Math.floor((nth + Math.random()) * each));
  await crawlWithKills(Number(pages) - 1, kills, () => Math.random() * 30);
  process.stdout.write(`${pages} pages, killed after ${kills.join(', ')} items: each once, and as many as the counters say\n`);
}
