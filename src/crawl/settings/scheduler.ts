/**
 * Makes the jobs of schedules when they are due.
 *
 * Looks at the clock of the wall once a second, as a calendar does: it may be set, and machines sleep. What was missed meanwhile is made up
 * for once.
 */
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import { hexOf } from '../ids.ts';
import { ScheduleTiming, type Schedule } from '../proto/starbelly_pb.ts';
import { later } from './calendar.ts';
import { jobNameOf } from './job-name.ts';
import { templateOf, type Schedules } from './schedules.ts';

/** The newest job of a schedule. Times in milliseconds since 1970. */
export interface LatestJob {
  readonly jobId: Uint8Array;
  readonly startedMs: number;
  /** undefined for as long as it may still run */
  readonly endedMs: number | undefined;
}

/** What is asked of the jobs. */
export interface ScheduledJobs {
  latest(scheduleId: Uint8Array): Promise<LatestJob | undefined>;
  /** @throws whatever keeps it from starting */
  start(schedule: Schedule, name: string): Promise<void>;
  cancel(jobId: Uint8Array): Promise<void>;
}

export interface SchedulerParts {
  readonly schedules: Schedules;
  readonly jobs: ScheduledJobs;
  /** milliseconds since 1970 */
  readonly now: () => number;
  readonly log: Log;
}

const LOOK_MS = 1000;
/** For one that never ran, after it was enabled or the server has started. */
const FIRST_MS = 60_000;

export class Scheduler {
  readonly #parts: SchedulerParts;
  /** enabled schedules by identifier: when their first job is due, and before when none is since one has failed */
  readonly #plans = new Map<string, { readonly firstMs: number; notBeforeMs: number }>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    const { schedules, log } = parts;
    for (const schedule of schedules.list()) this.#plan(schedule);
    schedules.changes.on('change', (kind, schedule) => {
      this.#plans.delete(hexOf(schedule.scheduleId));
      if (kind !== 'deleted') this.#plan(schedule);
    });
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) => log.error({ err: error }, `schedules could not be looked at: ${reasonOf(error)}`));
    }, LOOK_MS);
    this.#timer.unref();
  }

  /** Make the jobs that are due. One look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking?.catch(() => undefined);
  }

  #plan({ enabled, scheduleId }: Schedule): void {
    if (enabled) this.#plans.set(hexOf(scheduleId), { firstMs: this.#parts.now() + FIRST_MS, notBeforeMs: -Infinity });
  }

  async #look(): Promise<void> {
    for (const schedule of this.#parts.schedules.list()) {
      if (this.#closed) return;
      if (schedule.enabled) await this.#lookAt(schedule);
    }
  }

  async #lookAt(schedule: Schedule): Promise<void> {
    const { schedules, jobs, now, log } = this.#parts;
    const { scheduleId, numUnits, timeUnit, scheduleName } = schedule;
    const latest = await jobs.latest(scheduleId);
    const plan = this.#plans.get(hexOf(scheduleId));
    if (plan === undefined) return;
    const dueMs = Math.max(latest === undefined ? plan.firstMs : nextAfter(latest, schedule), plan.notBeforeMs);
    if (dueMs > now()) return;
    try {
      if (latest !== undefined && latest.endedMs === undefined) await jobs.cancel(latest.jobId);
      await jobs.start(schedule, jobNameOf(templateOf(schedule), schedule.jobCount + 1, dueMs));
      await schedules.count(scheduleId);
      plan.notBeforeMs = -Infinity;
    } catch (error) {
      let nextMs = dueMs;
      while (nextMs <= now()) nextMs = later(nextMs, numUnits, timeUnit);
      plan.notBeforeMs = nextMs;
      log.error({ err: error, schedule: scheduleName }, `a scheduled job did not start: ${reasonOf(error)}`);
    }
  }
}

/** @returns Infinity while it depends on a job that may still run */
function nextAfter({ startedMs, endedMs }: LatestJob, { timing, numUnits, timeUnit }: Schedule): number {
  const fromMs = timing === ScheduleTiming.REGULAR_INTERVAL ? startedMs : endedMs;
  return fromMs === undefined ? Infinity : later(fromMs, numUnits, timeUnit);
}
