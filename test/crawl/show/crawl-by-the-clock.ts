/**
 * What a crawl server has to show that takes its time: silence, schedules, limits of time, sixteen clients, a page with very many links. With
 * the real program, three minutes. By hand:
 *
 *   node --import tsx test/crawl/show/crawl-by-the-clock.ts
 *
 * Numbers are those of the points that a crawl server is held to.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { JobRunState, ScheduleTimeUnit, ScheduleTiming, type Job } from '../../../src/crawl/proto/starbelly_pb.ts';
import { start } from '../../cli/child.ts';
import { temporaryFolder } from '../jobs/support.ts';
import { crawled, itemsIn, jobOf, newJob, newPolicy, sync, untilClosed } from '../outside/support.ts';
import { ApiClient } from '../support/client.ts';

const HTML = { 'Content-Type': 'text/html' };
const show = (point: number, what: object) => void process.stdout.write(`${point}: ${JSON.stringify(what)}\n`);

async function site(address: string, answer: RequestListener): Promise<string> {
  const server = createServer(answer).unref();
  server.listen(0, address);
  await once(server, 'listening');
  return `http://${address}:${(server.address() as AddressInfo).port}/`;
}

const links = (urls: readonly string[]) => urls.map((url) => `<a href="${url}">x</a>`).join('');
const endless: RequestListener = (request, response) => {
  const path = request.url === '/' ? '' : (request.url ?? '');
  setTimeout(() => response.writeHead(200, HTML).end(links([`${path}/1`, `${path}/2`])), 20);
};

async function silence(asking: ApiClient): Promise<void> {
  const { subscriptionId } = await asking.get({ case: 'subscribeJobStatus', value: { minInterval: 0 } }, 'newSubscription');
  await asking.eventsOf(subscriptionId, 1);
  await wait(10_000);
  assert.equal(asking.events(subscriptionId).length, 1);
  show(26, { eventsIn10s: 0 });
}

async function monitors(asking: ApiClient): Promise<void> {
  const began = performance.now();
  const resources = await asking.get({ case: 'subscribeResourceMonitor', value: { history: 5 } }, 'newSubscription');
  await asking.eventsOf(resources.subscriptionId, 5);
  const keptMs = Math.round(performance.now() - began);
  await asking.eventsOf(resources.subscriptionId, 8);
  assert.ok(keptMs < 500, `${keptMs} ms`);
  show(44, { keptMs, threeMoreMs: Math.round(performance.now() - began - keptMs) });
  const tasks = await asking.get({ case: 'subscribeTaskMonitor', value: { period: 1 } }, 'newSubscription');
  const subscribed = performance.now();
  await asking.eventsOf(tasks.subscriptionId, 3);
  show(45, { threeTreesMs: Math.round(performance.now() - subscribed) });
}

async function duration(asking: ApiClient): Promise<void> {
  const url = await site('127.0.0.15', endless);
  const jobId = await newJob(asking, await newPolicy(asking, { limits: { maxDuration: 3 } }), url);
  const left = await sync(asking, jobId);
  await asking.eventsOf(left, 3);
  await asking.done({ case: 'unsubscribe', value: { subscriptionId: left } });
  const heard = asking.events(left).length;
  await untilClosed(asking, await sync(asking, jobId));
  const job = await jobOf(asking, jobId);
  const seconds = (Date.parse(job.completedAt) - Date.parse(job.startedAt)) / 1000;
  assert.equal(job.runState, JobRunState.COMPLETED);
  assert.ok(seconds >= 3 && seconds < 5, `${seconds} s`);
  show(15, { seconds });
  await wait(7000);
  assert.equal(asking.events(left).length, heard);
  show(34, { eventsAfterUnsubscribe: 0 });
}

async function clients(url: string, asking: ApiClient): Promise<void> {
  const tree = await site('127.0.0.47', (request, response) => {
    const n = Number((request.url ?? '/').slice(1));
    const children = [2 * n + 1, 2 * n + 2].filter((child) => child < 1000).map((child) => `/${child}`);
    response.writeHead(200, HTML).end(links(children) + 'x'.repeat(5000));
  });
  const { jobId } = (await crawled(asking, { limits: { maxCost: 100 } }, tree)).job;
  const slow = await ApiClient.open(url);
  const id = await sync(slow, jobId);
  slow.socket.on('message', () => {
    slow.socket.pause();
    setTimeout(() => slow.socket.resume(), 1000);
  });
  const began = performance.now();
  const others = await Promise.all(Array.from({ length: 15 }, () => ApiClient.open(url)));
  for (const items of await Promise.all(others.map(async (other) => untilClosed(other, await sync(other, jobId)))))
    assert.equal(items.length, 1000);
  const ms = Math.round(performance.now() - began);
  assert.ok(ms < 10_000, `${ms} ms`);
  show(47, { fifteenMs: ms, slowHas: itemsIn(slow.events(id)).length });
  for (const client of [slow, ...others]) client.socket.terminate();
}

async function trap(asking: ApiClient, pid: number): Promise<void> {
  let count = 0;
  const url = await site('127.0.0.50', (request, response) => {
    response.writeHead(200, HTML);
    const end = count + (request.url === '/' ? 100_000 : count < 1_000_000 ? 20_000 : 10);
    while (count < end) response.write(links(Array.from({ length: Math.min(1000, end - count) }, () => `/trap/${++count}`)));
    response.end();
  });
  const jobId = await newJob(asking, await newPolicy(asking, { limits: { maxItems: 100, maxCost: 1e6 } }), url);
  let slowestMs = 0;
  for (let job: Job | undefined; job?.runState !== JobRunState.COMPLETED; await wait(20)) {
    const began = performance.now();
    job = await jobOf(asking, jobId);
    slowestMs = Math.max(slowestMs, performance.now() - began);
  }
  // Linux alone tells it.
  const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  assert.ok(peakMiB < 512 && slowestMs < 1000, `${peakMiB} MiB, ${slowestMs} ms`);
  show(50, { links: count, slowestMs: Math.round(slowestMs), peakMiB: Math.round(peakMiB) });
}

async function schedules(asking: ApiClient): Promise<void> {
  const hanging = await site('127.0.0.38', () => undefined);
  const quick = await site('127.0.0.39', (_request, response) => response.writeHead(200, HTML).end('done'));
  const policyId = await newPolicy(asking);
  const made = Date.now();
  const make = async (timing: ScheduleTiming, seed: string) => {
    const common = { enabled: true, policyId, seeds: [seed], numUnits: 1, timeUnit: ScheduleTimeUnit.MINUTES };
    const schedule = { ...common, scheduleName: ScheduleTiming[timing], jobName: 'job {COUNT}', timing };
    return (await asking.get({ case: 'setSchedule', value: { schedule } }, 'newSchedule')).scheduleId;
  };
  const [regular, after] = [
    await make(ScheduleTiming.REGULAR_INTERVAL, hanging),
    await make(ScheduleTiming.AFTER_PREVIOUS_JOB_FINISHED, quick),
  ];
  await wait(130_000);
  for (const [point, scheduleId] of [
    [38, regular],
    [39, after],
  ] as const) {
    const { jobs } = await asking.get({ case: 'listScheduleJobs', value: { scheduleId } }, 'listScheduleJobs');
    assert.deepEqual(
      jobs.map(({ name }) => name),
      ['job 2', 'job 1'],
    );
    const since = (time: string) => (Date.parse(time) - made) / 1000;
    const [second, first] = [jobs[0]!, jobs[1]!];
    if (point === 38) assert.equal(first.runState, JobRunState.CANCELLED);
    const from = point === 38 ? first.startedAt : first.completedAt;
    assert.ok(Math.abs(since(first.startedAt) - 60) < 5 && Math.abs(since(second.startedAt) - since(from) - 60) < 5);
    show(point, { firstAfterS: since(first.startedAt), secondAfterS: since(second.startedAt), firstIs: JobRunState[first.runState] });
  }
}

const folder = temporaryFolder();
const stores = ['--dedup-db-file', join(folder, 'stores'), '--stats-db-file', join(folder, 'stores'), '--db', join(folder, 'db')];
// So that a job of the schedule still runs when the next one is due.
const timeout = ['--download-timeout', '90', '--socket-timeout', '90'];
const server = start(
  ['crawl', 'serve', '-p', '0', '--allow-localhost', '--min-free-space', '0', '--dir', join(folder, 'warcs'), ...stores, ...timeout],
  { env: { WARCTAP_CRAWL_ADMIN_PASSWORD: 'a password' } },
);
try {
  const url = /ws:\S+?(?=\/ws)/.exec(await server.line('listens on'))![0].replace('ws', 'http');
  const [asking, other] = [await ApiClient.open(url), await ApiClient.open(url)];
  await asking.done({ case: 'setRateLimit', value: { delay: 0 } });
  await silence(asking);
  await monitors(await ApiClient.open(url));
  const scheduled = schedules(other);
  await duration(asking);
  await clients(url, asking);
  await trap(asking, server.child.pid!);
  await scheduled;
  server.child.kill('SIGTERM');
  assert.equal((await server.ended).code, 0);
  process.exit(0);
} finally {
  server.child.kill('SIGKILL');
}
