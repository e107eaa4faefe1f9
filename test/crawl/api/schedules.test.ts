/** Schedules as clients set them. When they make jobs: test/crawl/settings/scheduler.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScheduleTimeUnit, ScheduleTiming } from '../../../src/crawl/proto/starbelly_pb.ts';
import { crawlServer } from '../support/server.ts';

test('a schedule is made, replaced, and keeps its policy from being deleted', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const { policyId } = policies[0]!;
  const good = {
    enabled: true,
    scheduleName: 'Daily',
    jobName: 'Job #{COUNT} of {DATE} @ {TIME}',
    seeds: [' http://a.example/ '],
    tags: ['x', ' '],
    policyId,
    numUnits: 1,
    timeUnit: ScheduleTimeUnit.DAYS,
    timing: ScheduleTiming.REGULAR_INTERVAL,
    jobCount: 99,
  };
  const refused = (change: object) => asking.refused({ case: 'setSchedule', value: { schedule: { ...good, ...change } } });
  assert.equal(await refused({ seeds: [] }), 'Crawl schedule must have at least one seed URL.');
  assert.equal(await refused({ seeds: ['a.example'] }), 'Invalid seed URL: a.example');
  assert.equal(await refused({ numUnits: 0 }), 'Time units must be positive');
  assert.equal(await refused({ numUnits: undefined }), 'Time units must be positive');
  assert.equal(await refused({ timeUnit: undefined }), 'Invalid schedule');
  assert.equal(await refused({ timing: undefined }), 'Invalid schedule');
  assert.equal(await refused({ jobName: '{BOGUS}' }), 'Invalid variable in job name: COUNT, DATE, & TIME are allowed.');
  assert.equal(await refused({ jobName: 'Job {COUNT' }), 'Invalid job name');
  assert.equal(await refused({ policyId: new Uint8Array(16) }), 'No policy exists with ID=00000000-0000-0000-0000-000000000000');
  assert.equal((await asking.get({ case: 'listSchedules', value: {} }, 'listSchedules')).total, 0);

  const { scheduleId } = await asking.get({ case: 'setSchedule', value: { schedule: good } }, 'newSchedule');
  const get = () => asking.get({ case: 'getSchedule', value: { scheduleId } }, 'schedule');
  const made = await get();
  assert.deepEqual([made.enabled, made.jobCount, made.seeds, made.tags], [true, 0, ['http://a.example/'], ['x']]);
  await asking.done({ case: 'setSchedule', value: { schedule: { ...good, enabled: false, scheduleId, scheduleName: 'Never' } } });
  const changed = await get();
  assert.deepEqual([changed.scheduleName, changed.enabled, changed.createdAt, changed.jobCount], ['Never', false, made.createdAt, 0]);
  const { jobs, total } = await asking.get({ case: 'listScheduleJobs', value: { scheduleId } }, 'listScheduleJobs');
  assert.deepEqual([jobs, total], [[], 0]);

  const remove = { case: 'deletePolicy', value: { policyId } } as const;
  assert.equal(await asking.refused(remove), 'Cannot delete policy because it is being used by a schedule.');
  await asking.done({ case: 'deleteSchedule', value: { scheduleId } });
  assert.match(await asking.refused({ case: 'getSchedule', value: { scheduleId } }), /^No schedule exists with ID=[0-9a-f-]{36}$/);
  await asking.done(remove);
});
