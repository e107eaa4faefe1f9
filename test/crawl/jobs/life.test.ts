/** The life of a job: pauses, ends, restarts, kill -9; what it keeps over them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobRunState } from '../../../src/crawl/proto/starbelly_pb.ts';
import { crawlWithKills, web } from '../show/crawl-kills.ts';
import { allItems, crawl, openCrawls, pages, pathsOf, policy, startSite, temporaryFolder, untilJob, untilState } from './support.ts';

const HTML = { 'Content-Type': 'text/html' };

test('a job is paused and goes on, and each page is stored once', async (t) => {
  const site = await startSite(t, (request, response) => response.writeHead(200, HTML).end(web(100, request.url ?? '')));
  await using crawls = await openCrawls();
  crawls.delays.set('127.0.0.1', 0.003);
  const id = await crawls.jobs.create({ seeds: [site.url], policy: policy() });
  for (const wanted of [5, 30, 60]) {
    await untilJob(crawls, id, ({ counts }) => counts.items >= wanted);
    await crawls.jobs.setState(id, JobRunState.PAUSED);
    const { counts, runState } = await crawls.jobs.get(id);
    assert.equal(runState, JobRunState.PAUSED);
    const asked = site.asked.length;
    await crawls.jobs.setState(id, JobRunState.PAUSED);
    await new Promise((done) => setTimeout(done, 30));
    assert.equal(site.asked.length, asked);
    assert.deepEqual((await crawls.jobs.get(id)).counts, counts);
    await crawls.jobs.setState(id, JobRunState.RUNNING);
  }
  const job = await untilState(crawls, id, JobRunState.COMPLETED);
  const paths = pathsOf(await allItems(crawls, id));
  assert.equal(new Set(paths).size, 101);
  assert.equal(paths.length, 101);
  assert.equal(job.counts.items, 101);
});

test('what a state does not allow is refused in words', async (t) => {
  const site = await startSite(t, pages({ '/': '' }));
  await using crawls = await openCrawls();
  const [{ id }] = await crawl(crawls, site.url);
  const refused = (state: JobRunState, message: string) => assert.rejects(crawls.jobs.setState(id, state), { name: 'Failure', message });
  await refused(JobRunState.RUNNING, 'Cannot change job run state from COMPLETED to RUNNING');
  await refused(JobRunState.COMPLETED, 'Not allowed to set job run state: 2');
  await refused(JobRunState.PENDING, 'Not allowed to set job run state: 4');
  const running = await crawls.jobs.create({ seeds: ['http://127.0.0.9:1/'], policy: policy() });
  await crawls.jobs.setState(running, JobRunState.PAUSED).catch(() => undefined);
  const [slow] = [await startSite(t, () => undefined)];
  const waits = await crawls.jobs.create({ seeds: [slow.url], policy: policy() });
  await assert.rejects(crawls.jobs.delete(waits), { message: 'Can only delete cancelled or completed jobs.' });
  await crawls.jobs.setState(waits, JobRunState.CANCELLED);
  const cancelled = await crawls.jobs.get(waits);
  assert.ok(cancelled.completedAt !== undefined);
  assert.equal(cancelled.counts.items, 0);
});

test('jobs are listed newest first, by time, tag and schedule; name and tags can be changed', async (t) => {
  const site = await startSite(t, pages({ '/': '' }));
  await using crawls = await openCrawls();
  const schedule = new Uint8Array(16).fill(7);
  const made = [];
  for (const n of [0, 1, 2, 3]) {
    const id = await crawls.jobs.create({
      seeds: [site.url],
      policy: policy(),
      name: `job ${n}`,
      tags: n % 2 === 0 ? [' even ', ''] : [],
      scheduleId: n > 1 ? schedule : undefined,
    });
    made.push(await untilState(crawls, id, JobRunState.COMPLETED));
  }
  const names = async (...[filter, page = { offset: 0, limit: 10 }]: [object, { offset: number; limit: number }?]) => {
    const { found, total } = await crawls.jobs.list(filter, page);
    return [total, ...found.map(({ name }) => name)];
  };
  assert.deepEqual(await names({}, { offset: 1, limit: 2 }), [4, 'job 2', 'job 1']);
  assert.deepEqual(await names({ tag: 'even' }), [2, 'job 2', 'job 0']);
  assert.deepEqual(await names({ scheduleId: schedule }), [2, 'job 3', 'job 2']);
  assert.deepEqual(await names({ startedAfter: made[2]?.startedAt }), [1, 'job 3']);
  assert.equal((await crawls.jobs.latestOf(schedule))?.name, 'job 3');
  await crawls.jobs.edit(made[0]!.id, { name: ' ', tags: ['new'] });
  await crawls.jobs.edit(made[1]!.id, { name: 'named' });
  assert.deepEqual(await names({ tag: 'new' }), [1, 'job 0']);
  assert.equal((await crawls.jobs.get(made[1]!.id)).name, 'named');
});

test('a job that ran when the process ended is paused, or goes on if that is wanted, with its cookies', async (t) => {
  let answered = 0;
  const seen: (string | undefined)[] = [];
  const site = await startSite(t, (request, response) => {
    seen.push(request.headers.cookie);
    const n = ++answered;
    response
      .writeHead(200, { ...HTML, ...(request.url === '/' ? { 'Set-Cookie': 'session=abc; Path=/' } : {}) })
      .end(n < 20 ? `<a href="/${n}">` : '');
  });
  const folder = temporaryFolder();
  const id = await (async () => {
    await using crawls = await openCrawls({ folder });
    const made = await crawls.jobs.create({ seeds: [site.url], policy: policy({ limits: { maxCost: 100 } }) });
    await untilJob(crawls, made, ({ counts }) => counts.items >= 3);
    return made;
  })();
  {
    await using crawls = await openCrawls({ folder });
    assert.equal((await crawls.jobs.get(id)).runState, JobRunState.PAUSED);
    await crawls.jobs.setState(id, JobRunState.RUNNING);
    await untilJob(crawls, id, ({ counts }) => counts.items >= 10);
  }
  {
    await using crawls = await openCrawls({ folder, settings: { resumeJobs: true } });
    await crawls.jobs.setState(id, JobRunState.RUNNING);
    await untilJob(crawls, id, ({ counts }) => counts.items >= 15);
  }
  await using crawls = await openCrawls({ folder, settings: { resumeJobs: true } });
  const job = await untilState(crawls, id, JobRunState.COMPLETED);
  assert.equal(job.counts.items, (await allItems(crawls, id)).length);
  assert.deepEqual([...new Set(seen.slice(1))], ['session=abc']);
  assert.equal(seen[0], undefined);
});

test('kill -9 again and again: nothing is lost and nothing doubled', async () => {
  // Somewhere in the crawl, further on each time.
  await crawlWithKills(150, [5, 24, 43, 62]);
});
