/** Jobs as clients see and set them, over jobs that fetch nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobRunState } from '../../../src/crawl/proto/starbelly_pb.ts';
import { MemoryJobs } from '../support/memory-jobs.ts';
import { crawlServer } from '../support/server.ts';

test('a job is made of a policy and seeds, and of nothing less', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const { policyId } = policies[1]!;
  const seeds = ['http://example.org/'];
  const make = (value: object) => asking.refused({ case: 'setJob', value });
  assert.equal(await make({ seeds }), '"policy_id" is required');
  assert.equal(await make({ policyId }), '"seeds" is required');
  assert.equal(await make({ policyId: new Uint8Array(16), seeds }), 'No policy exists with ID=00000000-0000-0000-0000-000000000000');
  assert.equal(await make({ policyId: new Uint8Array(4), seeds }), 'Invalid ID');
  assert.equal(await make({ policyId, seeds, runState: JobRunState.PAUSED }), 'New job state must be set to RUNNING');
  const value = { policyId, seeds, name: 'one', tags: ['a', 'b'], runState: JobRunState.RUNNING };
  const { jobId } = await asking.get({ case: 'setJob', value }, 'newJob');
  assert.equal(jobId.length, 16);
  const job = await asking.get({ case: 'getJob', value: { jobId } }, 'job');
  assert.deepEqual([job.name, job.seeds, job.tags, job.runState], ['one', seeds, ['a', 'b'], JobRunState.RUNNING]);
  assert.deepEqual([job.policy?.name, job.policy?.urlRules.length], ['Deep Crawl', 2]);
  assert.deepEqual([job.itemCount, job.httpSuccessCount, job.httpErrorCount, job.exceptionCount], [0, 0, 0, 0]);
  assert.match(job.startedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/);
  assert.ok(!Object.hasOwn(job, 'completedAt'));
  const { jobs, total } = await asking.get({ case: 'listJobs', value: {} }, 'listJobs');
  assert.deepEqual([total, jobs[0]?.name, jobs[0]?.policy], [1, 'one', undefined]);
  assert.equal(await asking.refused({ case: 'listJobs', value: { startedAfter: 'soon' } }), 'Invalid date: soon');
  // The policy may change: the job has its own.
  await asking.done({ case: 'setPolicy', value: { policy: { ...job.policy!, policyId, name: 'Changed' } } });
  assert.equal((await asking.get({ case: 'getJob', value: { jobId } }, 'job')).policy?.name, 'Deep Crawl');
});

test('without a state, name and tags are set; with one, nothing else', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const asking = await client();
  const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const { policyId } = policies[0]!;
  const { jobId } = await asking.get(
    { case: 'setJob', value: { policyId, seeds: ['http://a.example/'], name: 'x', tags: ['t'] } },
    'newJob',
  );
  const look = async () => {
    const { name, tags, runState } = await asking.get({ case: 'getJob', value: { jobId } }, 'job');
    return [name, tags, runState];
  };
  await asking.done({ case: 'setJob', value: { jobId } });
  assert.deepEqual(await look(), ['x', ['t'], JobRunState.RUNNING]);
  await asking.done({ case: 'setJob', value: { jobId, name: ' ', tags: ['u', 'v'] } });
  assert.deepEqual(await look(), ['x', ['u', 'v'], JobRunState.RUNNING]);
  await asking.done({ case: 'setJob', value: { jobId, name: 'y', runState: JobRunState.PAUSED } });
  assert.deepEqual(await look(), ['x', ['u', 'v'], JobRunState.PAUSED]);
  await asking.done({ case: 'setJob', value: { jobId, name: 'y' } });
  assert.deepEqual(await look(), ['y', ['u', 'v'], JobRunState.PAUSED]);
  assert.equal(await asking.refused({ case: 'deleteJob', value: { jobId } }), 'Can only delete cancelled or completed jobs.');
  assert.match(await asking.refused({ case: 'setJob', value: { jobId: new Uint8Array(16) } }), /^No job exists with ID=0{8}-/);
});

test('items by kind, a page at a time', async (t) => {
  const jobs = new MemoryJobs();
  const { client } = await crawlServer(t, jobs);
  const asking = await client();
  const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const { jobId } = await asking.get(
    { case: 'setJob', value: { policyId: policies[0]!.policyId, seeds: ['http://a.example/'] } },
    'newJob',
  );
  const record = { id: '<urn:uuid:0>', file: 'a.warc.gz', offset: 2 ** 40 };
  jobs.add(jobId, { record, finalUrl: 'http://example.org/end', startedAt: 1_500_000_000_000, completedAt: 1_500_000_000_250 });
  const answer = {
    status: 404,
    contentType: 'text/plain',
    headers: [
      ['SERVER', 'a'],
      ['SERVER', 'b'],
    ] as const,
  };
  jobs.add(jobId, { isSuccess: false, answer, body: { bytes: new Uint8Array(), isCompressed: false } });
  for (let times = 0; times < 3; times++) jobs.add(jobId, { isSuccess: false, exception: 'Error: no', answer: undefined, body: undefined });
  const items = (value: object) => asking.get({ case: 'getJobItems', value: { jobId, ...value } }, 'listItems');
  assert.equal(await asking.refused({ case: 'getJobItems', value: { jobId } }), 'You must set at least one include_* flag to true.');
  const {
    items: [success],
    total,
  } = await items({ includeSuccess: true });
  assert.equal(total, 1);
  assert.deepEqual(
    [success!.startedAt, success!.completedAt, success!.duration, success!.cost, Buffer.from(success!.body).toString()],
    ['2017-07-14T02:40:00+00:00', '2017-07-14T02:40:00.250000+00:00', 0.25, 1, 'page'],
  );
  assert.deepEqual(
    [success!.warcRecordId, success!.warcFile, success!.warcOffset, success!.finalUrl],
    ['<urn:uuid:0>', 'a.warc.gz', 2n ** 40n, 'http://example.org/end'],
  );
  const {
    items: [error],
  } = await items({ includeError: true });
  assert.deepEqual([error!.statusCode, error!.isSuccess, error!.body.length, Object.hasOwn(error!, 'body')], [404, false, 0, true]);
  assert.deepEqual(
    error!.headers.map(({ key, value }) => [key, value]),
    answer.headers,
  );
  const { items: exceptions, total: all } = await items({ includeException: true, page: { limit: 2, offset: 1 } });
  assert.deepEqual([all, exceptions.length], [3, 2]);
  for (const name of ['body', 'statusCode', 'contentType']) assert.ok(!Object.hasOwn(exceptions[0]!, name), name);
  assert.deepEqual([exceptions[0]!.exception, exceptions[0]!.isCompressed], ['Error: no', false]);
  assert.equal((await items({ includeException: true, includeError: true, includeSuccess: true })).total, 5);
});
