/**
 * Who is at work, and how long the manager runs: kept in memory, and written down now and then.
 *
 * A worker is active between two requests that are at most a quarter of an hour apart.
 */
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import type { Clock } from './clock.ts';
import { key } from './keys.ts';
import { dayOf, totals, type WorkerCounts } from './statistics.ts';
import type { QueueStore, View } from './store.ts';

const MAX_GAP_MS = 15 * 60_000;
const WRITE_MS = 10_000;

export class Activity {
  readonly startedMs: number;
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #seen = new Map<string, number>();
  /** of each worker and day, milliseconds that are not written yet */
  #pending = new Map<string, { readonly worker: string; readonly day: string; ms: number }>();
  #changed = new Set<string>();
  #ranUntil: number;
  readonly #timer: NodeJS.Timeout;

  private constructor(store: QueueStore, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.startedMs = this.#ranUntil = clock();
    this.#timer = setInterval(() => {
      this.write().catch((error: unknown) => log.error({ err: error }, `the time that workers were active waits: ${reasonOf(error)}`));
    }, WRITE_MS).unref();
  }

  static async open(store: QueueStore, clock: Clock, log: Log): Promise<Activity> {
    const activity = new Activity(store, clock, log);
    for (const [worker, { seen }] of await totals(store)) if (seen !== undefined) activity.#seen.set(worker, seen);
    return activity;
  }

  /** A request has come. */
  request(worker: string): void {
    const nowMs = this.#clock();
    const before = this.#seen.get(worker);
    this.#seen.set(worker, nowMs);
    this.#changed.add(worker);
    if (before !== undefined && nowMs - before <= MAX_GAP_MS) this.#count(worker, before, nowMs);
  }

  seen(worker: string): number | undefined {
    return this.#seen.get(worker);
  }

  /** Write down what has come since the last time. @throws QueueStoreError */
  async write(): Promise<void> {
    const nowMs = this.#clock();
    const [pending, changed, from] = [this.#pending, this.#changed, this.#ranUntil];
    this.#pending = new Map();
    this.#changed = new Set();
    this.#ranUntil = nowMs;
    const ran = byDay(from, nowMs);
    try {
      await this.#store.change({
        keys: [
          ...[...pending.values()].flatMap(({ worker, day }) => [key.total(worker), key.day(day, worker)]),
          ...[...changed].map(key.total),
          ...ran.map(([day]) => key.ran(day)),
        ],
        apply: (view) => {
          for (const { worker, day, ms } of pending.values())
            for (const name of [key.total(worker), key.day(day, worker)]) add(view, name, { ms });
          for (const worker of changed) add(view, key.total(worker), { seen: this.#seen.get(worker) ?? nowMs });
          for (const [day, ms] of ran) view.set(key.ran(day), (view.get<number>(key.ran(day)) ?? 0) + ms);
        },
      });
    } catch (error) {
      for (const { worker, day, ms } of pending.values()) this.#add(worker, day, ms);
      for (const worker of changed) this.#changed.add(worker);
      this.#ranUntil = from;
      throw error;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  #count(worker: string, from: number, to: number): void {
    for (const [day, ms] of byDay(from, to)) this.#add(worker, day, ms);
  }

  #add(worker: string, day: string, ms: number): void {
    const name = key.day(day, worker);
    const pending = this.#pending.get(name) ?? { worker, day, ms: 0 };
    pending.ms += ms;
    this.#pending.set(name, pending);
  }
}

function add(view: View, name: string, { ms = 0, seen }: { readonly ms?: number; readonly seen?: number }): void {
  const before = view.get<WorkerCounts>(name) ?? { reports: 0, bytes: 0, active: 0 };
  view.set(name, { ...before, active: before.active + ms, ...(seen === undefined ? {} : { seen }) });
}

/** A stretch of time, cut at midnight. */
function byDay(from: number, to: number): [day: string, ms: number][] {
  const days: [string, number][] = [];
  for (let at = from; at < to;) {
    const midnight = Date.parse(`${dayOf(at)}T00:00:00Z`) + 86_400_000;
    const end = Math.min(to, midnight);
    days.push([dayOf(at), end - at]);
    at = end;
  }
  return days;
}
