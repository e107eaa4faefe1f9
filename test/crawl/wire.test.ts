/** Whole crawls over a WebSocket: from a policy to items that stand in WARC files. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { JobRunState, type CrawlResponse, type Event, type Job } from '../../src/crawl/proto/starbelly_pb.ts';
import { pages, policy, startSite } from './jobs/support.ts';
import type { ApiClient } from './support/client.ts';
import { crawlServer, newFolder } from './support/server.ts';

const GIVEN = { allowLocalhost: true, minFreeSpace: 0, resumeJobs: false };

/** A chain of pages, each of which links to the next. */
function chain(length: number): Record<string, string> {
  const numbers = Array.from({ length }, (_, number) => number);
  return Object.fromEntries(
    numbers.map((number) => [number === 0 ? '/' : `/${number}`, `<a href="/${number + 1}">next</a> page ${number}`]),
  );
}

const itemsIn = (events: readonly Event[]): { item: CrawlResponse; token: Uint8Array }[] =>
  events.flatMap(({ Body: body }) => (body.case === 'syncItem' ? [{ item: body.value.item!, token: body.value.token }] : []));

async function begin(asking: ApiClient, url: string, maxCost = 100): Promise<Uint8Array> {
  await asking.done({ case: 'setRateLimit', value: { delay: 0 } });
  const { policyId } = await asking.get({ case: 'setPolicy', value: { policy: policy({ limits: { maxCost } }) } }, 'newPolicy');
  const seeds = [` ${url}/ `, `${url}/`];
  return (await asking.get({ case: 'setJob', value: { policyId, seeds, tags: [' a ', ' '] } }, 'newJob')).jobId;
}

function ended(asking: ApiClient, subscriptionId: number): Promise<Event[]> {
  return asking.until(() => {
    const events = asking.events(subscriptionId);
    return events.some(({ Body: body }) => body.case === 'subscriptionClosed') ? events : undefined;
  });
}

test('a crawl: status and stream while it runs, items in the archive, then deleted', async (t) => {
  const site = await startSite(t, pages(chain(30)));
  const { program, client } = await crawlServer(t, 'real', { given: GIVEN });
  const asking = await client();
  const status = (await asking.get({ case: 'subscribeJobStatus', value: { minInterval: 0.1 } }, 'newSubscription')).subscriptionId;
  const jobId = await begin(asking, site.url);
  const sync = (await asking.get({ case: 'subscribeJobSync', value: { jobId } }, 'newSubscription')).subscriptionId;
  const items = itemsIn(await ended(asking, sync));
  assert.deepEqual(
    items.map(({ item }) => item.url),
    [...Object.keys(chain(30)), '/30'].map((path) => site.url + path),
  );
  const last = items.at(-1)!.item;
  assert.deepEqual([last.statusCode, last.isSuccess, last.cost, last.exception], [404, false, 31, '']);
  const [first] = items;
  assert.deepEqual([first!.item.isCompressed, first!.item.contentType, first!.item.statusCode], [true, 'text/html', 200]);
  assert.equal(gunzipSync(first!.item.body).toString(), chain(1)['/']);
  assert.ok(first!.item.headers.some(({ key, value }) => key === 'CONTENT-TYPE' && value === 'text/html'));
  assert.match(first!.item.warcRecordId, /^<urn:uuid:/);
  const plain = (await asking.get({ case: 'subscribeJobSync', value: { jobId, compressionOk: false } }, 'newSubscription')).subscriptionId;
  const inflated = itemsIn(await ended(asking, plain));
  assert.ok(inflated.every(({ item }) => !item.isCompressed));
  assert.equal(Buffer.from(inflated[29]!.item.body).toString(), chain(30)['/29']);

  const job = await asking.get({ case: 'getJob', value: { jobId } }, 'job');
  assert.deepEqual(
    [job.name, job.tags, job.runState, job.itemCount, job.httpSuccessCount, job.httpErrorCount, job.httpStatusCounts],
    ['127.0.0.1 & 1 more', ['a'], JobRunState.COMPLETED, 31, 30, 1, { 200: 30, 404: 1 }],
  );
  const jobsIn = ({ Body: body }: Event): Job[] => (body.case === 'jobList' ? body.value.jobs : []);
  const told = await asking.until(() => {
    const jobs = asking.events(status).flatMap(jobsIn);
    return jobs.some(({ runState }) => runState === JobRunState.COMPLETED) ? jobs : undefined;
  });
  assert.equal(told[0]!.name, job.name);
  assert.deepEqual(
    told.slice(1).map(({ name }) => name),
    told.slice(1).map(() => ''),
  );
  assert.equal(Math.max(...told.map(({ itemCount }) => itemCount)), 31);
  await asking.done({ case: 'deleteJob', value: { jobId } });
  await asking.until(() =>
    asking
      .events(status)
      .flatMap(jobsIn)
      .find(({ runState }) => runState === JobRunState.DELETED),
  );
  assert.match(await asking.refused({ case: 'getJob', value: { jobId } }), /^No job exists with ID=/);
  await asking.close();
  await program.close();
  assert.ok(existsSync(join(program.warcDir, first!.item.warcFile)), first!.item.warcFile);
});

test('a token is good after a restart: exactly the rest, and a job that was running is paused until it is told to go on', async (t) => {
  const folder = newFolder(t);
  let holding = true;
  const answer = pages(chain(20));
  const site = await startSite(t, (request, response) => {
    if (request.url !== '/10' || !holding) answer(request, response);
  });
  const before = await crawlServer(t, 'real', { folder, given: GIVEN });
  const asking = await before.client();
  const jobId = await begin(asking, site.url);
  const { subscriptionId } = await asking.get({ case: 'subscribeJobSync', value: { jobId } }, 'newSubscription');
  const first = itemsIn(await asking.eventsOf(subscriptionId, 10));
  await asking.close();
  await before.program.close();

  holding = false;
  const again = await (await crawlServer(t, 'real', { folder, given: GIVEN })).client();
  assert.equal((await again.get({ case: 'getJob', value: { jobId } }, 'job')).runState, JobRunState.PAUSED);
  const value = { jobId, syncToken: first[6]!.token };
  const rest = (await again.get({ case: 'subscribeJobSync', value }, 'newSubscription')).subscriptionId;
  assert.equal(itemsIn(await again.eventsOf(rest, 3)).length, 3);
  await again.done({ case: 'setJob', value: { jobId, runState: JobRunState.RUNNING } });
  const urls = [...first.slice(0, 7), ...itemsIn(await ended(again, rest))].map(({ item }) => item.url);
  assert.deepEqual(
    urls,
    [...Object.keys(chain(20)), '/20'].map((path) => site.url + path),
  );
  assert.equal((await again.get({ case: 'getJob', value: { jobId } }, 'job')).itemCount, 21);
});

test('a login that a client has set is used before the first page, and its cookie afterwards', async (t) => {
  const site = await startSite(t, (request, response) => {
    if (request.url === '/login' && request.method === 'GET')
      return response
        .writeHead(200, { 'Content-Type': 'text/html' })
        .end('<form method=post action="/enter"><input name=user><input type=password name=pass></form>');
    if (request.url === '/enter') return response.writeHead(302, { 'Set-Cookie': 'in=yes', Location: '/welcome' }).end();
    return response.writeHead(200, { 'Content-Type': 'text/html' }).end('page');
  });
  const { client } = await crawlServer(t, 'real', { given: GIVEN });
  const asking = await client();
  const users = [{ username: 'jo', password: 'secret' }];
  await asking.done({ case: 'setDomainLogin', value: { login: { domain: '127.0.0.1', loginUrl: `${site.url}/login`, users } } });
  await asking.done({ case: 'setRateLimit', value: { delay: 0 } });
  const { policyId } = await asking.get(
    { case: 'setPolicy', value: { policy: policy({ authentication: { enabled: true } }) } },
    'newPolicy',
  );
  const { jobId } = await asking.get({ case: 'setJob', value: { policyId, seeds: [`${site.url}/page`] } }, 'newJob');
  const { subscriptionId } = await asking.get({ case: 'subscribeJobSync', value: { jobId } }, 'newSubscription');
  await ended(asking, subscriptionId);
  assert.deepEqual(site.asked.slice(0, 2), ['/login', '/enter']);
  assert.equal(site.requests[1]!.method, 'POST');
  const page = site.requests.find(({ url }) => url === '/page');
  assert.equal(page?.headers.cookie, 'in=yes');
});
