/** Schedules and jobs together: what a due schedule makes of its policy, and when it cancels. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { SecretBox } from '../../../src/auth/secret-box.ts';
import { JobRunState, ScheduleSchema, ScheduleTimeUnit, ScheduleTiming } from '../../../src/crawl/proto/starbelly_pb.ts';
import { scheduledJobs } from '../../../src/crawl/scheduled-jobs.ts';
import { Scheduler } from '../../../src/crawl/settings/scheduler.ts';
import { openSettings } from '../../../src/crawl/settings/settings.ts';
import { Databases } from '../../../src/store/level/database.ts';
import { silentLog } from '../../../src/util/log.ts';
import { MemoryJobs } from '../support/memory-jobs.ts';
import { newFolder } from '../support/server.ts';

test('a due schedule makes a job with its seeds, tags and name, and cancels the one before that still runs', async (t) => {
  const folder = newFolder(t);
  const databases = new Databases();
  const level = (await databases.open(join(folder, 'db'))).level();
  let aheadMs = 0;
  // Jobs are begun by the clock of this machine.
  const now = () => Date.now() + aheadMs;
  const settings = await openSettings({ level, box: await SecretBox.open(join(folder, 'key'), true), now });
  const jobs = new MemoryJobs();
  const scheduler = new Scheduler({ schedules: settings.schedules, jobs: scheduledJobs(jobs, settings.policies), now, log: silentLog });
  t.after(async () => {
    await scheduler.close();
    await databases.close();
  });
  const scheduleId = await settings.schedules.add(
    create(ScheduleSchema, {
      enabled: true,
      scheduleName: 'Hourly',
      jobName: 'Run {COUNT}',
      seeds: ['http://a.example/'],
      tags: ['t'],
      policyId: settings.policies.list()[0]!.policyId,
      numUnits: 1,
      timeUnit: ScheduleTimeUnit.HOURS,
      timing: ScheduleTiming.REGULAR_INTERVAL,
    }),
  );
  const look = async (ms: number) => {
    aheadMs += ms;
    await scheduler.look();
    const { found } = await jobs.list({ scheduleId }, { offset: 0, limit: 10 });
    return found.map(({ name, runState }) => [name, runState]);
  };
  assert.deepEqual(await look(0), []);
  assert.deepEqual(await look(61_000), [['Run 1', JobRunState.RUNNING]]);
  const [job] = jobs.tracked();
  assert.deepEqual([job!.seeds, job!.tags, job!.policy.name], [['http://a.example/'], ['t'], 'Broad Crawl']);
  assert.deepEqual(await look(60_000), [['Run 1', JobRunState.RUNNING]]);
  assert.deepEqual(await look(3_600_000), [
    ['Run 2', JobRunState.RUNNING],
    ['Run 1', JobRunState.CANCELLED],
  ]);
  assert.equal(settings.schedules.get(scheduleId).jobCount, 2);
});
