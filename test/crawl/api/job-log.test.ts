/** The log of a job, as a subscription and as a page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SubscriptionClosed_Reason as Reason } from '../../../src/crawl/proto/starbelly_pb.ts';
import { MemoryJobs } from '../support/memory-jobs.ts';
import { crawlServer } from '../support/server.ts';

test('lines that are kept, then each new one, until the job is deleted', async (t) => {
  const jobs = new MemoryJobs();
  const { program, client } = await crawlServer(t, jobs);
  const asking = await client();
  const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const value = { policyId: policies[0]!.policyId, seeds: ['http://a.example/'] };
  const { jobId } = await asking.get({ case: 'setJob', value }, 'newJob');
  const line = (number: number) => ({
    at: 1_500_000_000_000,
    reason: 'cost',
    url: `http://a.example/${number}`,
    detail: '4 is more than 3',
  });
  jobs.drop(jobId, line(1));
  const { subscriptionId } = await asking.get({ case: 'subscribeJobLog', value: { jobId } }, 'newSubscription');
  await asking.eventsOf(subscriptionId, 1);
  jobs.drop(jobId, line(2));
  const told = (await asking.eventsOf(subscriptionId, 2)).map(({ Body: body }) => (body.case === 'jobLogLine' ? body.value : undefined));
  assert.deepEqual(
    told.map((each) => [each?.timestamp, each?.reason, each?.url, each?.detail]),
    [1, 2].map((number) => ['2017-07-14T02:40:00+00:00', 'cost', `http://a.example/${number}`, '4 is more than 3']),
  );

  const headers = { authorization: `Basic ${Buffer.from('admin:a password').toString('base64')}` };
  const hex = Buffer.from(jobId).toString('hex');
  assert.equal((await fetch(`${program.url}/jobs/${hex}/log`)).status, 401);
  const page = await fetch(`${program.url}/jobs/${hex}/log`, { headers });
  assert.equal(page.headers.get('content-type'), 'application/x-ndjson;charset=utf-8');
  const lines = (await page.text()).trim().split('\n');
  assert.deepEqual(
    lines.map((text) => (JSON.parse(text) as { url: string }).url),
    ['http://a.example/1', 'http://a.example/2'],
  );
  const other = await fetch(`${program.url}/jobs/${'0'.repeat(32)}/log`, { headers });
  assert.deepEqual([other.status, await other.text()], [404, 'No job exists with ID=00000000-0000-0000-0000-000000000000\n']);

  jobs.forget(jobId);
  const [, , closed] = await asking.eventsOf(subscriptionId, 3);
  assert.ok(closed?.Body.case === 'subscriptionClosed');
  assert.equal(closed.Body.value.reason, Reason.ERROR);
});
