/** When schedules make their jobs, by a clock of the test's own. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { ScheduleSchema, ScheduleTimeUnit as Unit, ScheduleTiming, type Schedule } from '../../../src/crawl/proto/starbelly_pb.ts';
import { later } from '../../../src/crawl/settings/calendar.ts';
import { jobNameOf } from '../../../src/crawl/settings/job-name.ts';
import { Scheduler, type LatestJob } from '../../../src/crawl/settings/scheduler.ts';
import { Schedules } from '../../../src/crawl/settings/schedules.ts';
import { Databases } from '../../../src/store/level/database.ts';
import { silentLog } from '../../../src/util/log.ts';
import { newFolder } from '../support/server.ts';

const START = Date.parse('2018-11-02T16:14:31Z');
const MINUTE = 60_000;

async function clockwork(t: TestContext) {
  const databases = new Databases();
  const { level } = await databases.open(join(newFolder(t), 'db'));
  let nowMs = START;
  const now = () => nowMs;
  const schedules = await Schedules.open({ level: level(), policy: () => undefined, now });
  const jobs: { name: string; atMs: number; job: LatestJob }[] = [];
  const cancelled: string[] = [];
  let fails = false;
  const end = () => {
    const last = jobs.at(-1)!;
    last.job = { ...last.job, endedMs: nowMs };
  };
  const start = (_: Schedule, name: string) => {
    if (fails) return Promise.reject(new Error('no'));
    jobs.push({ name, atMs: nowMs - START, job: { jobId: new Uint8Array([jobs.length]), startedMs: nowMs, endedMs: undefined } });
    return Promise.resolve();
  };
  const open = () =>
    new Scheduler({
      schedules,
      jobs: {
        latest: () => Promise.resolve(jobs.at(-1)?.job),
        start,
        cancel: () => {
          cancelled.push(jobs.at(-1)!.name);
          end();
          return Promise.resolve();
        },
      },
      now,
      log: silentLog,
    });
  let scheduler = open();
  t.after(async () => {
    await scheduler.close();
    await databases.close();
  });
  return {
    schedules,
    jobs,
    cancelled,
    end,
    fail: (does: boolean) => (fails = does),
    /** Let time pass, and look at every second of it. */
    pass: async (ms: number) => {
      for (const endMs = nowMs + ms; nowMs < endMs;) {
        nowMs += 1000;
        await scheduler.look();
      }
    },
    restart: async (afterMs: number) => {
      await scheduler.close();
      nowMs += afterMs;
      scheduler = open();
    },
  };
}

const scheduleOf = (timing: ScheduleTiming, change: Partial<Schedule> = {}) =>
  Object.assign(
    create(ScheduleSchema, {
      enabled: true,
      scheduleName: 'S',
      jobName: 'Test Job #{COUNT} @ {TIME}',
      seeds: ['http://a.example/'],
      policyId: new Uint8Array(16),
      numUnits: 1,
      timeUnit: Unit.MINUTES,
      timing,
    }),
    change,
  );

test('at a regular interval: a minute after it was made, then from start to start, and a job that still runs is cancelled', async (t) => {
  const { schedules, jobs, cancelled, pass, end } = await clockwork(t);
  const id = await schedules.add(scheduleOf(ScheduleTiming.REGULAR_INTERVAL));
  await pass(59_000);
  assert.deepEqual(jobs, []);
  await pass(1000);
  assert.deepEqual(
    jobs.map(({ name, atMs }) => [name, atMs]),
    [['Test Job #1 @ 1541175331', MINUTE]],
  );
  await pass(MINUTE);
  assert.deepEqual(cancelled, ['Test Job #1 @ 1541175331']);
  end();
  await pass(MINUTE);
  assert.deepEqual(
    jobs.map(({ atMs }) => atMs),
    [MINUTE, 2 * MINUTE, 3 * MINUTE],
  );
  assert.deepEqual([cancelled.length, schedules.get(id).jobCount], [1, 3]);
});

test('after the previous job: from its end, however long it takes', async (t) => {
  const { schedules, jobs, cancelled, pass, end } = await clockwork(t);
  await schedules.add(scheduleOf(ScheduleTiming.AFTER_PREVIOUS_JOB_FINISHED));
  await pass(10 * MINUTE);
  assert.equal(jobs.length, 1);
  end();
  await pass(2 * MINUTE);
  assert.deepEqual(
    jobs.map(({ atMs }) => atMs),
    [MINUTE, 11 * MINUTE],
  );
  assert.deepEqual(cancelled, []);
});

test('a disabled one makes none; what was missed while the server was down is made up for once', async (t) => {
  const { schedules, jobs, pass, end, restart } = await clockwork(t);
  const schedule = scheduleOf(ScheduleTiming.REGULAR_INTERVAL, { enabled: false });
  const scheduleId = await schedules.add(schedule);
  await pass(5 * MINUTE);
  assert.deepEqual(jobs, []);
  await schedules.replace(Object.assign(schedule, { scheduleId, enabled: true }));
  await pass(MINUTE);
  end();
  await restart(100 * MINUTE);
  await pass(2000);
  assert.deepEqual(
    jobs.map(({ atMs }) => atMs),
    [6 * MINUTE, 106 * MINUTE + 1000],
  );
  await schedules.delete(scheduleId);
  await pass(5 * MINUTE);
  assert.equal(jobs.length, 2);
});

test('one that cannot start is tried again at its next time', async (t) => {
  const { schedules, jobs, pass, fail } = await clockwork(t);
  await schedules.add(scheduleOf(ScheduleTiming.REGULAR_INTERVAL, { jobName: '' }));
  fail(true);
  await pass(90_000);
  fail(false);
  await pass(MINUTE);
  assert.deepEqual(
    jobs.map(({ name, atMs }) => [name, atMs]),
    [['S #1', 2 * MINUTE]],
  );
});

test('months and years keep the day, or take the last one', () => {
  const on = (text: string, units: number, unit: Unit) => new Date(later(Date.parse(text), units, unit)).toISOString();
  assert.equal(on('1982-11-21T03:14Z', 2, Unit.MONTHS), '1983-01-21T03:14:00.000Z');
  assert.equal(on('2023-01-31T10:00Z', 1, Unit.MONTHS), '2023-02-28T10:00:00.000Z');
  assert.equal(on('2024-02-29T10:00Z', 1, Unit.YEARS), '2025-02-28T10:00:00.000Z');
  assert.equal(on('2024-02-29T10:00Z', 4, Unit.YEARS), '2028-02-29T10:00:00.000Z');
  assert.equal(on('2024-02-28T10:00Z', 1, Unit.WEEKS), '2024-03-06T10:00:00.000Z');
  assert.equal(on('2024-02-28T23:00Z', 2, Unit.HOURS), '2024-02-29T01:00:00.000Z');
  assert.equal(on('2024-02-28T23:00Z', 2_147_483_647, Unit.YEARS), '+275760-09-13T00:00:00.000Z');
});

test('names are made of a template', () => {
  assert.equal(jobNameOf('{COUNT} {DATE} {TIME} {COUNT}', 7, Date.parse('2018-11-02T16:15:31.9Z')), '7 2018-11-02T16:15:31 1541175331 7');
});
