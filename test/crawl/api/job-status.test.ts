/** The status of jobs: whole records first, then differences, none while nothing changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobRunState, type Event, type Job } from '../../../src/crawl/proto/starbelly_pb.ts';
import type { ApiClient } from '../support/client.ts';
import { MemoryJobs } from '../support/memory-jobs.ts';
import { crawlServer } from '../support/server.ts';

async function newJob(asking: ApiClient, name: string): Promise<Uint8Array> {
  const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const value = { policyId: policies[0]!.policyId, seeds: ['http://a.example/'], name, tags: ['t'] };
  return (await asking.get({ case: 'setJob', value }, 'newJob')).jobId;
}

const jobsIn = ({ Body: body }: Event): Job[] => {
  assert.ok(body.case === 'jobList');
  return body.value.jobs;
};
const fieldsOf = (job: object | undefined) =>
  Object.keys(job ?? {})
    .filter((name) => name !== '$typeName')
    .sort();

async function subscribe(asking: ApiClient, minInterval: number): Promise<number> {
  return (await asking.get({ case: 'subscribeJobStatus', value: { minInterval } }, 'newSubscription')).subscriptionId;
}

test('first an empty list, then a new job as a whole, then what changes of it, then that it is deleted', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const asking = await client();
  const id = await subscribe(asking, 0);
  assert.equal(id, 0);
  assert.deepEqual(jobsIn((await asking.eventsOf(id, 1))[0]!), []);
  const jobId = await newJob(asking, 'one');
  const [whole] = jobsIn((await asking.eventsOf(id, 2))[1]!);
  assert.deepEqual([whole!.name, whole!.seeds, whole!.tags, whole!.runState], ['one', ['http://a.example/'], ['t'], JobRunState.RUNNING]);
  assert.deepEqual(
    fieldsOf(whole!.policy).filter((name) => !name.endsWith('Rules') && name !== 'userAgents'),
    ['createdAt', 'name', 'policyId', 'updatedAt'],
  );
  jobs.add(jobId);
  const [changed] = jobsIn((await asking.eventsOf(id, 3))[2]!);
  assert.deepEqual([changed!.itemCount, changed!.httpSuccessCount, changed!.httpStatusCounts], [1, 1, { 200: 1 }]);
  for (const name of ['name', 'startedAt', 'runState', 'exceptionCount', 'httpErrorCount', 'policy'])
    assert.ok(!Object.hasOwn(changed!, name), name);
  assert.deepEqual([changed!.seeds, changed!.tags, changed!.exceptionCount], [[], [], -1]);
  jobs.add(jobId, { isSuccess: false, answer: { status: 404, contentType: 'text/html', headers: [] } });
  const [again] = jobsIn((await asking.eventsOf(id, 4))[3]!);
  assert.deepEqual([again!.itemCount, again!.httpErrorCount, again!.httpStatusCounts], [2, 1, { 404: 1 }]);
  assert.ok(!Object.hasOwn(again!, 'httpSuccessCount'));
  await asking.done({ case: 'setJob', value: { jobId, runState: JobRunState.CANCELLED } });
  const [cancelled] = jobsIn((await asking.eventsOf(id, 5))[4]!);
  assert.equal(cancelled!.runState, JobRunState.CANCELLED);
  assert.match(cancelled!.completedAt, /\+00:00$/);
  await asking.done({ case: 'deleteJob', value: { jobId } });
  const [deleted, ...others] = jobsIn((await asking.eventsOf(id, 6))[5]!);
  assert.deepEqual(
    [deleted!.runState, fieldsOf(deleted), others.length],
    [JobRunState.DELETED, ['httpStatusCounts', 'jobId', 'runState', 'seeds', 'tags'], 0],
  );
});

test('what changes within an interval is one event, whose sum is the job', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const asking = await client();
  const jobId = await newJob(asking, 'busy');
  const id = await subscribe(asking, 0.3);
  await asking.eventsOf(id, 1);
  const times: number[] = [];
  asking.socket.on('message', () => times.push(performance.now()));
  let added = 0;
  const adding = setInterval(() => {
    jobs.add(jobId, added % 3 === 0 ? { isSuccess: false, exception: 'no', answer: undefined, body: undefined } : {});
    if (++added < 100) return;
    clearInterval(adding);
    void jobs.setState(jobId, JobRunState.COMPLETED);
  }, 10);
  t.after(() => clearInterval(adding));
  const merged = await asking.until(() => {
    const all = asking.events(id).flatMap(jobsIn);
    const sum: Partial<Job> = {};
    for (const job of all) {
      const counts = { ...sum.httpStatusCounts, ...job.httpStatusCounts };
      for (const name of fieldsOf(job)) {
        const value: unknown = Reflect.get(job, name);
        if (!Array.isArray(value) || value.length > 0) Reflect.set(sum, name, value);
      }
      sum.httpStatusCounts = counts;
    }
    return sum.runState === JobRunState.COMPLETED ? sum : undefined;
  });
  const job = await asking.get({ case: 'getJob', value: { jobId } }, 'job');
  for (const name of fieldsOf(job)) if (name !== 'policy') assert.deepEqual(Reflect.get(merged, name), Reflect.get(job, name), name);
  const count = asking.events(id).length;
  assert.ok(count < 20, String(count));
});

test('nothing is told where nothing changes, nor to a client that has unsubscribed', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const [asking, other] = [await client(), await client()];
  const jobId = await newJob(asking, 'one');
  const [id, same] = [await subscribe(asking, 0), await subscribe(asking, 0)];
  assert.deepEqual([id, same], [0, 1]);
  await asking.eventsOf(same, 1);
  await asking.done({ case: 'unsubscribe', value: { subscriptionId: id } });
  assert.equal(await asking.refused({ case: 'unsubscribe', value: { subscriptionId: id } }), 'Invalid subscription id=0');
  assert.equal(await other.refused({ case: 'unsubscribe', value: { subscriptionId: same } }), 'Invalid subscription id=1');
  jobs.add(jobId);
  await asking.eventsOf(same, 2);
  // The same state again changes nothing.
  await jobs.setState(jobId, JobRunState.RUNNING);
  await jobs.setState(jobId, JobRunState.RUNNING);
  jobs.add(jobId);
  const events = await asking.eventsOf(same, 3);
  assert.deepEqual(
    events.slice(1).map((event) => jobsIn(event)[0]!.itemCount),
    [1, 2],
  );
  assert.equal(asking.events(id).length, 1);
});
