/**
 * What becomes of a job while clients look on: points 24, 25, 28, 31, 34, 35, 44, 46 and 48 of what a crawl server has to show. Sites answer
 * when they are told to, so that nothing here has to be waited for.
 */
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WARCParser } from 'warcio';
import { JobRunState, type Event, type Job, type ResourceFrame } from '../../../src/crawl/proto/starbelly_pb.ts';
import { startSite, type Site } from '../jobs/support.ts';
import { crawled, itemsIn, jobOf, newJob, newPolicy, outside, pathsIn, sync, untilClosed } from './support.ts';

const HTML = { 'Content-Type': 'text/html' };

interface HeldSite extends Site {
  /** Answer what waits, and from then on everything. */
  release(): void;
  /** Answer what waits. */
  step(): void;
  /** That so many requests have come. */
  asks(count: number): Promise<void>;
}

/** Of pages 0 to `last`, each with a link to the next one, which wait to be answered. */
async function heldSite(t: TestContext, address: string, last: number): Promise<HeldSite> {
  const waiting: (() => void)[] = [];
  let held = true;
  let wake = () => undefined as unknown;
  const site = await startSite(
    t,
    (request, response) => {
      const n = Number((request.url ?? '').slice(1));
      waiting.push(() => response.writeHead(200, HTML).end(`page ${n} ${n < last ? `<a href="/${n + 1}">` : ''}`));
      if (!held) waiting.shift()?.();
      wake();
    },
    address,
  );
  const step = () => waiting.splice(0).forEach((answer) => answer());
  return {
    ...site,
    step,
    release: () => {
      held = false;
      step();
    },
    asks: async (count) => {
      while (site.asked.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

const jobsIn = (events: readonly Event[]): Job[] => events.flatMap(({ Body: body }) => (body.case === 'jobList' ? body.value.jobs : []));
const framesIn = (events: readonly Event[]): ResourceFrame[] =>
  events.flatMap(({ Body: body }) => (body.case === 'resourceFrame' ? [body.value] : []));

test('jobs while clients look on', { concurrency: true }, async (t) => {
  const { asking, client } = await outside(t);
  const policyId = await newPolicy(asking, { limits: { maxCost: 1000 } });
  await Promise.all([
    t.test('status: an interval between events, each with changes only, and their sum is the job', async (t) => {
      const site = await heldSite(t, '127.0.0.32', 99);
      site.release();
      await asking.done({ case: 'setRateLimit', value: { domain: '127.0.0.32', delay: 0.02 } });
      const looking = await client();
      const { subscriptionId } = await looking.get({ case: 'subscribeJobStatus', value: { minInterval: 0.5 } }, 'newSubscription');
      const times: number[] = [];
      looking.socket.on('message', () => times.push(performance.now()));
      const jobId = await newJob(asking, policyId, `${site.url}/0`);
      const mine = () => jobsIn(looking.events(subscriptionId)).filter((job) => Buffer.from(job.jobId).equals(jobId));
      await looking.until(() => mine().find(({ runState }) => runState === JobRunState.COMPLETED));
      const [whole, ...changes] = mine();
      const job = await jobOf(asking, jobId);
      assert.ok(whole!.name === job.name && whole!.seeds.length === 1 && whole!.startedAt === job.startedAt);
      for (const change of changes) {
        assert.ok(!Object.hasOwn(change, 'name') && !Object.hasOwn(change, 'startedAt') && !Object.hasOwn(change, 'policy'));
        assert.deepEqual(change.seeds, []);
      }
      const last = (name: 'itemCount' | 'httpSuccessCount' | 'completedAt') => mine().findLast((each) => Object.hasOwn(each, name))![name];
      assert.deepEqual(
        [last('itemCount'), last('httpSuccessCount'), last('completedAt')],
        [job.itemCount, job.httpSuccessCount, job.completedAt],
      );
      assert.deepEqual(Object.assign({}, ...mine().map(({ httpStatusCounts }) => httpStatusCounts)), job.httpStatusCounts);
      assert.deepEqual([job.itemCount, job.httpStatusCounts], [100, { 200: 100 }]);
      // The first two are the response and what there is already.
      for (const [index, time] of times.slice(3).entries()) assert.ok(time - times[index + 2]! > 400, `${time - times[index + 2]!} ms`);
    }),

    t.test('an item comes while its job waits for the next page, and the stream ends with the job', async (t) => {
      const site = await heldSite(t, '127.0.0.33', 9);
      const looking = await client();
      const jobId = await newJob(asking, policyId, `${site.url}/0`);
      const id = await sync(looking, jobId);
      const began = performance.now();
      for (let count = 1; count <= 10; count++) {
        await site.asks(count);
        site.step();
        assert.equal(itemsIn(await looking.eventsOf(id, count)).length, count);
      }
      assert.ok(performance.now() - began < 10_000, 'a second for each');
      assert.equal((await untilClosed(looking, id)).length, 10);
    }),

    t.test('a job is paused, resumed and deleted; who has unsubscribed hears nothing of it', async (t) => {
      const site = await heldSite(t, '127.0.0.35', 20);
      const looking = await client();
      const jobId = await newJob(asking, policyId, `${site.url}/0`);
      const ended = [
        await sync(looking, jobId),
        (await looking.get({ case: 'subscribeJobStatus', value: { minInterval: 0 } }, 'newSubscription')).subscriptionId,
      ];
      await site.asks(1);
      site.step();
      await looking.eventsOf(ended[0]!, 1);
      await site.asks(2);
      assert.equal(await asking.refused({ case: 'deleteJob', value: { jobId } }), 'Can only delete cancelled or completed jobs.');
      await asking.done({ case: 'setJob', value: { jobId, runState: JobRunState.PAUSED } });
      assert.equal((await jobOf(asking, jobId)).runState, JobRunState.PAUSED);
      for (const subscriptionId of ended) await looking.done({ case: 'unsubscribe', value: { subscriptionId } });
      const heard = ended.map((id) => looking.events(id).length);
      site.release();
      const other = await startSite(t, (_request, response) => response.writeHead(200, HTML).end('other'), '127.0.0.36');
      await crawled(asking, {}, `${other.url}/`);
      assert.deepEqual(site.asked, ['/0', '/1'], 'nothing more while it is paused');
      await asking.done({ case: 'setJob', value: { jobId, runState: JobRunState.RUNNING } });
      const items = await untilClosed(asking, await sync(asking, jobId));
      assert.deepEqual(
        items.map(({ url }) => Number(new URL(url).pathname.slice(1))),
        Array.from({ length: 21 }, (_, n) => n),
      );
      const { runState, itemCount } = await jobOf(asking, jobId);
      assert.deepEqual([runState, itemCount], [JobRunState.COMPLETED, 21]);
      await asking.done({ case: 'deleteJob', value: { jobId } });
      // What would have come stands in front of this.
      await looking.ask({ case: 'listJobs', value: {} });
      assert.deepEqual(
        ended.map((id) => looking.events(id).length),
        heard,
      );
      for (const subscriptionId of ended)
        assert.equal(
          await looking.refused({ case: 'unsubscribe', value: { subscriptionId } }),
          `Invalid subscription id=${subscriptionId}`,
        );
    }),

    t.test('resources tell what is being fetched, and for which job', async (t) => {
      const site = await heldSite(t, '127.0.0.44', 0);
      const looking = await client();
      const jobId = await newJob(asking, policyId, `${site.url}/0`);
      await site.asks(1);
      const { subscriptionId } = await looking.get({ case: 'subscribeResourceMonitor', value: { history: 0 } }, 'newSubscription');
      const frame = await looking.until(() =>
        framesIn(looking.events(subscriptionId)).find(({ jobs }) => jobs.some((job) => Buffer.from(job.jobId).equals(jobId))),
      );
      for (const name of ['timestamp', 'memory', 'currentDownloads', 'maximumDownloads', 'rateLimiter'])
        assert.ok(Object.hasOwn(frame, name), name);
      assert.ok(frame.currentDownloads > 0 && frame.currentDownloads <= frame.maximumDownloads);
      assert.deepEqual(
        frame.jobs.filter((job) => Buffer.from(job.jobId).equals(jobId)).map(({ name, currentDownloads }) => [name, currentDownloads]),
        [['127.0.0.44', 1]],
      );
      site.release();
      await untilClosed(looking, await sync(looking, jobId));
    }),
  ]);
});

test('every page is in the archive, where its item says, and told with its job', async (t) => {
  const { program, asking } = await outside(t);
  const text = `<a href="/moved"><a href="/image"><a href="/gone"> ${'text '.repeat(100)}`;
  const site = await startSite(
    t,
    (request, response) => {
      if (request.url === '/') response.writeHead(200, { ...HTML, 'Content-Encoding': 'gzip' }).end(gzipSync(text));
      else if (request.url === '/moved') response.writeHead(301, { Location: '/there' }).end('moved');
      else if (request.url === '/there') response.writeHead(200, HTML).end(text);
      else if (request.url === '/image') response.writeHead(200, { 'Content-Type': 'image/png' }).end(Buffer.from([0, 1, 2, 255]));
      else response.writeHead(404, HTML).end('not here');
    },
    '127.0.0.46',
  );
  const told: string[] = [];
  program.on('capture', ({ url, meta }) => told.push(`${url} ${meta.metadata.jobId}`));
  const { job, items } = await crawled(asking, { mimeTypeRules: [{ save: true }] }, `${site.url}/`);
  assert.deepEqual(pathsIn(items), ['/', '/gone', '/image', '/moved']);
  const id = Buffer.from(job.jobId)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  assert.deepEqual(
    told.filter((line) => line.endsWith(` ${id}`)).sort(),
    [...new Set(site.asked)].map((path) => `${site.url}${path} ${id}`).sort(),
  );
  await program.close();
  for (const { url, finalUrl, body, warcFile, warcOffset, warcRecordId } of items) {
    const stream = createReadStream(join(program.warcDir, warcFile), { start: Number(warcOffset) });
    for await (const record of new WARCParser(stream)) {
      assert.deepEqual([record.warcTargetURI, record.warcHeader('WARC-Record-ID')], [url, warcRecordId]);
      const payload = Buffer.from(await record.readFully(true));
      // The record is that of the URL; the body is what the redirect has led to.
      assert.deepEqual(payload.toString('latin1'), finalUrl === '' ? Buffer.from(body).toString('latin1') : 'moved');
      break;
    }
    stream.destroy();
  }
});

test('what the core refuses is an item with an exception', async (t) => {
  const { asking } = await outside(t, { allowLocalhost: false });
  const { job, items } = await crawled(asking, {}, 'http://127.0.0.1:1/');
  assert.equal(job.exceptionCount, 1);
  assert.match(items[0]!.exception, /localhost access is not permitted/);
});
