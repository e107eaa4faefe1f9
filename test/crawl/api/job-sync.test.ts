/** Streams of items: whole, in order, from any token on, for clients of any speed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobRunState, SubscriptionClosed_Reason as Reason, type Event } from '../../../src/crawl/proto/starbelly_pb.ts';
import type { ApiClient } from '../support/client.ts';
import { MemoryJobs } from '../support/memory-jobs.ts';
import { crawlServer } from '../support/server.ts';

async function newJob(asking: ApiClient): Promise<Uint8Array> {
  const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const value = { policyId: policies[0]!.policyId, seeds: ['http://a.example/'] };
  return (await asking.get({ case: 'setJob', value }, 'newJob')).jobId;
}

async function sync(asking: ApiClient, jobId: Uint8Array, syncToken?: Uint8Array): Promise<number> {
  const value = syncToken === undefined ? { jobId } : { jobId, syncToken };
  return (await asking.get({ case: 'subscribeJobSync', value }, 'newSubscription')).subscriptionId;
}

const itemsIn = (events: readonly Event[]) =>
  events.flatMap(({ Body: body }) => (body.case === 'syncItem' ? [{ url: body.value.item?.url, token: body.value.token }] : []));
const closedIn = (events: readonly Event[]) =>
  events.flatMap(({ Body: body }) => (body.case === 'subscriptionClosed' ? [[body.value.reason, body.value.message]] : []));

test('a finished job: all items in order with rising tokens, then the end; from a token on, exactly the rest', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const asking = await client();
  const jobId = await newJob(asking);
  for (let times = 0; times < 20; times++) jobs.add(jobId);
  await jobs.setState(jobId, JobRunState.COMPLETED);
  const all = await asking.eventsOf(await sync(asking, jobId), 21);
  assert.deepEqual(closedIn(all), [[Reason.COMPLETE, '']]);
  const items = itemsIn(all);
  assert.equal(items.length, 20);
  assert.deepEqual(items.map(({ token }) => Buffer.from(token).toString('hex')).slice(15, 17), [
    '011000000000000000',
    '011100000000000000',
  ]);
  const other = await client();
  const rest = await other.eventsOf(await sync(other, jobId, items[6]!.token), 14);
  assert.deepEqual(
    itemsIn(rest).map(({ url }) => url),
    items.slice(7).map(({ url }) => url),
  );
  const none = await asking.eventsOf(await sync(asking, jobId, Buffer.from('01ffffffffffffffff', 'hex')), 1);
  assert.deepEqual([itemsIn(none), closedIn(none).length], [[], 1]);
  assert.equal(await asking.refused({ case: 'unsubscribe', value: { subscriptionId: 0 } }), 'Invalid subscription id=0');
});

test('a running job: what comes is sent as it comes, also after a pause, until it ends', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const asking = await client();
  const jobId = await newJob(asking);
  const id = await sync(asking, jobId);
  for (let times = 1; times <= 3; times++) {
    jobs.add(jobId);
    assert.equal(itemsIn(await asking.eventsOf(id, times)).length, times);
    await jobs.setState(jobId, times === 2 ? JobRunState.PAUSED : JobRunState.RUNNING);
  }
  await jobs.setState(jobId, JobRunState.CANCELLED);
  assert.deepEqual(closedIn(await asking.eventsOf(id, 4)), [[Reason.COMPLETE, '']]);
});

test('a bad token and an unknown job are failures; that the job is deleted ends the stream with an error', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const asking = await client();
  const jobId = await newJob(asking);
  for (const token of ['010203', '000100000000000000', '01010000000000000000'])
    assert.equal(
      await asking.refused({ case: 'subscribeJobSync', value: { jobId, syncToken: Buffer.from(token, 'hex') } }),
      'Invalid sync token',
    );
  assert.match(await asking.refused({ case: 'subscribeJobSync', value: { jobId: new Uint8Array(16) } }), /^No job exists with ID=0{8}-/);
  assert.ok((await asking.ask({ case: 'listJobs', value: {} })).isSuccess);
  const id = await sync(asking, jobId);
  jobs.forget(jobId);
  assert.deepEqual(closedIn(await asking.eventsOf(id, 1)), [[Reason.ERROR, 'The job was deleted.']]);
});

test('a client that does not read holds up nobody, and has all of it when it reads again', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const [slow, quick] = [await client(), await client()];
  const jobId = await newJob(quick);
  const body = { bytes: Buffer.alloc(100_000, 'x'), isCompressed: false };
  for (let times = 0; times < 300; times++) jobs.add(jobId, { body });
  await jobs.setState(jobId, JobRunState.COMPLETED);
  const slowId = await sync(slow, jobId);
  slow.socket.pause();
  const quickId = await sync(quick, jobId);
  await quick.eventsOf(quickId, 301);
  assert.ok(jobs.read < 500, `${jobs.read} items were read`);
  slow.socket.resume();
  assert.equal(itemsIn(await slow.eventsOf(slowId, 301)).length, 300);
});

test('sixteen clients at once, one of which reads a message now and then: the others have it all', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const asking = await client();
  const jobId = await newJob(asking);
  for (let times = 0; times < 1000; times++) jobs.add(jobId, { body: { bytes: Buffer.alloc(20_000, 'x'), isCompressed: false } });
  await jobs.setState(jobId, JobRunState.COMPLETED);
  const slow = await client();
  const slowId = await sync(slow, jobId);
  slow.socket.on('message', () => slow.socket.pause());
  const others = await Promise.all(Array.from({ length: 15 }, () => client()));
  const counts = others.map(async (other) => itemsIn(await other.eventsOf(await sync(other, jobId), 1001)).length);
  assert.deepEqual(await Promise.all(counts), Array<number>(15).fill(1000));
  assert.ok(slow.events(slowId).length < 1000);
  slow.socket.terminate();
});
