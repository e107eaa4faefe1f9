/**
 * What has happened lately, for people who watch: in memory only, and bounded.
 */
import type { Clock } from './clock.ts';

export interface RecentReport {
  readonly at: number;
  readonly url: string;
  readonly worker: string;
  readonly status_code: number | null;
  readonly result: string;
  readonly length: number;
}

export type Counted = 'added' | 'given' | 'reported';

const MAX_REPORTS = 50;
const MINUTE_MS = 60_000;
const MINUTES = 60;

export class Recent {
  readonly #clock: Clock;
  readonly #reports: RecentReport[] = [];
  /** of the last hour, one for each minute */
  readonly #minutes = new Map<number, Record<Counted, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  count(what: Counted, number: number): void {
    const minute = Math.floor(this.#clock() / MINUTE_MS);
    const counts = this.#minutes.get(minute) ?? { added: 0, given: 0, reported: 0 };
    counts[what] += number;
    this.#minutes.set(minute, counts);
    for (const old of this.#minutes.keys()) if (old <= minute - MINUTES) this.#minutes.delete(old);
  }

  report(report: RecentReport): void {
    this.#reports.unshift(report);
    if (this.#reports.length > MAX_REPORTS) this.#reports.pop();
  }

  /** Latest first. */
  get reports(): readonly RecentReport[] {
    return this.#reports;
  }

  /** Of each of the last 60 minutes, oldest first; the last is this one. */
  minutes(what: Counted): readonly number[] {
    const now = Math.floor(this.#clock() / MINUTE_MS);
    return Array.from({ length: MINUTES }, (_, index) => this.#minutes.get(now - MINUTES + 1 + index)?.[what] ?? 0);
  }
}
