/** The other programs with `--store`: a crawl server and a worker of a queue write what both of them fetch once. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolve } from '../../src/options/resolve.ts';
import { QUEUE_WORKER_ROWS } from '../../src/options/rows/queue.ts';
import { CORE_OPTIONS } from '../../src/options/table.ts';
import { startQueueWorker } from '../../src/programs/queue-worker.ts';
import { silentLog } from '../../src/util/log.ts';
import { pages, policy, startSite } from '../crawl/jobs/support.ts';
import { crawlServer, newFolder } from '../crawl/support/server.ts';
import { add, BORIS, startQueue } from '../queue/support.ts';
import { NO_SERVER, startServer } from '../store/valkey/server.ts';
import { readFolder } from '../support/proxy.ts';

const TEXT = 'all work and no play. '.repeat(20);
const SITE = { '/': `<a href="/1">next</a> ${TEXT}`, '/1': `<a href="/2">next</a> ${TEXT}`, '/2': TEXT };
const GIVEN = { allowLocalhost: true, minFreeSpace: 0 };

test('pages that a crawl has archived are revisits for a worker of a queue', { skip: NO_SERVER }, async (t) => {
  const { url: store } = await startServer(t);
  const site = await startSite(t, pages(SITE));
  const crawl = await crawlServer(t, 'real', { given: { ...GIVEN, store, resumeJobs: false } });
  const asking = await crawl.client();
  await asking.done({ case: 'setRateLimit', value: { delay: 0 } });
  const { policyId } = await asking.get({ case: 'setPolicy', value: { policy: policy({}) } }, 'newPolicy');
  const { jobId } = await asking.get({ case: 'setJob', value: { policyId, seeds: [`${site.url}/`] } }, 'newJob');
  const { subscriptionId } = await asking.get({ case: 'subscribeJobSync', value: { jobId } }, 'newSubscription');
  await asking.until(() => asking.events(subscriptionId).find(({ Body: body }) => body.case === 'subscriptionClosed'));
  await asking.close();
  await crawl.program.close();

  const folder = newFolder(t);
  await using queue = await startQueue();
  await add(queue, ...Object.keys(SITE).map((path) => site.url + path));
  const own = {
    dir: join(folder, 'warcs'),
    outbox: join(folder, 'outbox'),
    dedupDbFile: join(folder, 'db'),
    statsDbFile: join(folder, 'db'),
  };
  const options = resolve({ ...QUEUE_WORKER_ROWS, ...CORE_OPTIONS }, { ...GIVEN, ...own, store, manager: queue.url, untilEmpty: true });
  await using worker = await startQueueWorker({ options, key: BORIS, log: silentLog });
  await worker.ended;
  await worker.close();

  const ofPages = Object.keys(SITE).map((path) => site.url + path);
  const byCrawl = (await readFolder(crawl.program.warcDir)).filter(({ type, url }) => type === 'response' && ofPages.includes(url));
  const byWorker = (await readFolder(own.dir)).filter(({ type, url }) => type !== 'request' && ofPages.includes(url));
  assert.deepEqual([byCrawl.length, byWorker.length], [3, 3]);
  for (const { type, url, fields } of byWorker) {
    assert.equal(type, 'revisit');
    const original = byCrawl.find((each) => each.url === url);
    assert.equal(fields.get('warc-refers-to'), original?.fields.get('warc-record-id'));
  }
});
