/** The client library against a server. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { CrawlClient, CrawlConnectionError, CrawlRefusedError, JobRunState } from '../../src/crawl/client.ts';
import { MemoryJobs } from './support/memory-jobs.ts';
import { crawlServer } from './support/server.ts';

async function connected(t: TestContext, url: string): Promise<CrawlClient> {
  const client = await CrawlClient.connect({ url, username: 'admin', password: 'a password' });
  t.after(() => client.close());
  return client;
}

async function newJob(client: CrawlClient): Promise<Uint8Array> {
  const { policies } = await client.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  return (await client.get({ case: 'setJob', value: { policyId: policies[0]!.policyId, seeds: ['http://a.example/'] } }, 'newJob')).jobId;
}

test('commands resolve, or are refused in the words of the server', async (t) => {
  const { program } = await crawlServer(t);
  const client = await connected(t, program.url);
  const jobId = await newJob(client);
  assert.equal((await client.get({ case: 'getJob', value: { jobId } }, 'job')).runState, JobRunState.RUNNING);
  assert.deepEqual(await client.command({ case: 'setJob', value: { jobId, tags: ['x'] } }), { case: undefined });
  await assert.rejects(client.command({ case: 'deleteJob', value: { jobId } }), (error) => {
    assert.ok(error instanceof CrawlRefusedError);
    return error.message === 'Can only delete cancelled or completed jobs.';
  });
  await assert.rejects(
    CrawlClient.connect({ url: program.url, username: 'admin', password: 'wrong' }),
    /^CrawlConnectionError: no connection to ws:.*\/ws\/: the name or the password is wrong$/,
  );
});

test('a stream goes on from its token, holds back what is not read, and ends with the job', async (t) => {
  const jobs = new MemoryJobs();
  const { program } = await crawlServer(t, jobs);
  const client = await connected(t, program.url);
  const jobId = await newJob(client);
  for (let times = 0; times < 2000; times++) jobs.add(jobId, { body: { bytes: Buffer.alloc(10_000), isCompressed: false } });
  const first = [];
  for await (const item of client.jobSync(jobId)) {
    first.push(item);
    if (first.length === 1000) break;
  }
  await jobs.setState(jobId, JobRunState.COMPLETED);
  const urls = first.map(({ item }) => item!.url);
  for await (const { item } of client.jobSync(jobId, { token: first.at(-1)!.token })) urls.push(item!.url);
  assert.equal(new Set(urls).size, 2000);
  assert.equal(urls.length, 2000);
});

test('status, and what becomes of a stream whose job is deleted, or whose server stops', async (t) => {
  const jobs = new MemoryJobs();
  const { program } = await crawlServer(t, jobs);
  const client = await connected(t, program.url);
  const jobId = await newJob(client);
  const status = client.jobStatus(0.1);
  assert.equal((await status.next()).value?.[0]?.runState, JobRunState.RUNNING);
  jobs.add(jobId);
  assert.equal((await status.next()).value?.[0]?.itemCount, 1);
  await status.return();
  const items = client.jobSync(jobId);
  await items.next();
  jobs.forget(jobId);
  await assert.rejects(items.next(), { name: 'CrawlRefusedError', message: 'The job was deleted.' });
  const tasks = client.tasks();
  assert.equal((await tasks.next()).value?.name, '<Root>');
  const waiting = tasks.next();
  const [ended] = await Promise.allSettled([waiting, program.close()]);
  assert.ok(ended.status === 'rejected' && ended.reason instanceof CrawlConnectionError);
  assert.equal(ended.reason.message, 'the connection to the crawl server has ended: the server stops');
  await assert.rejects(client.command({ case: 'listJobs', value: {} }), CrawlConnectionError);
});
