/**
 * `warctap crawl serve`, killed again and again while it crawls, and a client that connects again with its last token. By hand, at random
 * moments:
 *
 *   node --import tsx test/crawl/show/crawl-serve-kills.ts 500 20
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { start } from '../../cli/child.ts';
import { CrawlClient, CrawlConnectionError, JobRunState, type Job } from '../../../src/crawl/client.ts';
import { policy, temporaryFolder } from '../jobs/support.ts';
import { web } from './crawl-kills.ts';

const SERVE = ['crawl', 'serve', '-p', '0', '--allow-localhost', '--min-free-space', '0'];
const env = { WARCTAP_CRAWL_ADMIN_PASSWORD: 'a password' };

/** Once its jobs are what they were. */
async function begin(folder: string) {
  const stores = ['--dedup-db-file', join(folder, 'stores'), '--stats-db-file', join(folder, 'stores')];
  const program = start([...SERVE, '--db', join(folder, 'db'), '--dir', join(folder, 'warcs'), ...stores], { env });
  const url = /ws:\S+/.exec(await program.line('listens on'))![0];
  return { program, client: await CrawlClient.connect({ url, username: 'admin', password: 'a password' }) };
}

async function newJob(client: CrawlClient, seed: string): Promise<Uint8Array> {
  // Slow enough that the client is never a whole crawl behind.
  await client.command({ case: 'setRateLimit', value: { delay: 0.02 } });
  const its = policy({ limits: { maxCost: 100 } });
  const { policyId } = await client.get({ case: 'setPolicy', value: { policy: its } }, 'newPolicy');
  return (await client.get({ case: 'setJob', value: { policyId, seeds: [seed] } }, 'newJob')).jobId;
}

/**
 * @param pages of the site
 * @param kills items in all after which it is killed, at least one of each run
 * @returns the job in the end
 * @throws AssertionError
 */
export async function serveWithKills(pages: number, kills: readonly number[], laterMs: () => number = () => 0): Promise<Job> {
  const site = createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(`${request.url} ${web(pages - 1, request.url ?? '')}`);
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  const seed = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
  const folder = temporaryFolder();
  const urls: string[] = [];
  let jobId: Uint8Array | undefined;
  let token: Uint8Array | undefined;
  let running: Awaited<ReturnType<typeof begin>> | undefined;
  try {
    for (const until of [...kills, Infinity]) {
      const { program, client } = (running = await begin(folder));
      if (jobId === undefined) jobId = await newJob(client, seed);
      else {
        const { runState, itemCount } = await client.get({ case: 'getJob', value: { jobId } }, 'job');
        assert.equal(runState, JobRunState.PAUSED);
        assert.ok(itemCount >= urls.length, `${itemCount} items are counted, ${urls.length} were sent`);
        await client.command({ case: 'setJob', value: { jobId, runState: JobRunState.RUNNING } });
      }
      let killing: Promise<unknown> | undefined;
      try {
        for await (const next of client.jobSync(jobId, token === undefined ? {} : { token })) {
          urls.push(next.item!.url);
          token = next.token;
          if (urls.length >= until) killing ??= wait(laterMs()).then(() => program.child.kill('SIGKILL'));
        }
      } catch (error) {
        if (!(error instanceof CrawlConnectionError)) throw error;
      }
      await killing;
      if (killing !== undefined) {
        await program.ended;
        continue;
      }
      const job = await client.get({ case: 'getJob', value: { jobId } }, 'job');
      program.child.kill('SIGTERM');
      assert.equal((await program.ended).code, 0);
      assert.deepEqual([urls.length, new Set(urls).size], [pages, pages]);
      assert.deepEqual([job.runState, job.itemCount, job.httpStatusCounts], [JobRunState.COMPLETED, pages, { 200: pages }]);
      return job;
    }
    throw new Error('the last run ends by itself');
  } finally {
    running?.program.child.kill('SIGKILL');
    site.closeAllConnections();
    site.close();
  }
}

const [, script, pages, times] = process.argv;
if (script === import.meta.filename && pages !== undefined) {
  const each = (Number(pages) * 0.9) / Number(times);
  const kills = Array.from({ length: Number(times) }, (_, nth) => Math.floor((nth + Math.random()) * each));
  await serveWithKills(Number(pages), kills, () => Math.random() * 30);
  process.stdout.write(`${pages} pages, killed after ${kills.join(', ')} items: each once, and as many as the counters say\n`);
}
