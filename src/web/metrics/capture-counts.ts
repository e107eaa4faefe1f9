/**
 * What captures add up to: totals since the start for `/metrics`, and a slot every five seconds of the last quarter of an hour for the charts of
 * the dashboard.
 */
import type { ArchivedAs } from '../../capture/kinds.ts';
import type { CaptureEvent } from '../captures/event.ts';
import { Histogram, type Observed } from './histogram.ts';

/** Seconds: from what is on the next machine to `--fetch-timeout`. */
const DURATIONS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
/** Bytes: powers of four from 256 bytes to 4 GiB. */
const SIZES = Array.from({ length: 13 }, (_, power) => 256 * 4 ** power);

const STATUS_CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx', '6xx', '7xx', '8xx', '9xx'];

export const SLOT_MS = 5000;
const SLOTS = 180;

export const ARCHIVED: readonly ArchivedAs[] = ['new', 'dup', 'skipped', 'failed'];

type Counts = Record<ArchivedAs, number>;

/** What came within one slot. */
export interface Slot extends Readonly<Counts> {
  /** bytes that came from origins */
  readonly bytes: number;
}

const NOTHING = (): Counts & { bytes: number } => ({ new: 0, dup: 0, skipped: 0, failed: 0, bytes: 0 });

/** What came since it was told of last, from one process to another. */
export interface Counted {
  readonly archived: Readonly<Counts>;
  readonly statuses: readonly (readonly [status: string, count: number])[];
  readonly failures: readonly (readonly [code: string, count: number])[];
  readonly durations: Observed;
  readonly sizes: Observed;
}

export class CaptureCounts {
  readonly archived: Counts = { new: 0, dup: 0, skipped: 0, failed: 0 };
  /** by the first digit of their status */
  readonly statuses = new Map<string, number>();
  /** fetches that failed, by the code of their error */
  readonly failures = new Map<string, number>();
  readonly durations = new Histogram(DURATIONS);
  readonly sizes = new Histogram(SIZES);
  readonly #nowMs: () => number;
  readonly #slots = Array.from({ length: SLOTS }, NOTHING);
  #slot: number;

  /** @param nowMs a clock that never goes back, in milliseconds */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#slot = this.#current();
  }

  add({ archived, status, duration, size, error }: CaptureEvent): void {
    this.archived[archived]++;
    if (error !== undefined) increase(this.failures, error.code, 1);
    else increase(this.statuses, STATUS_CLASSES[Math.floor(status / 100)] ?? '0xx', 1);
    this.durations.observe(duration / 1000);
    this.sizes.observe(size);
    const slot = this.#thisSlot();
    slot[archived]++;
    slot.bytes += size;
  }

  /** Those of another process; they count as of now. */
  merge({ archived, statuses, failures, durations, sizes }: Counted): void {
    const slot = this.#thisSlot();
    for (const as of ARCHIVED) {
      this.archived[as] += archived[as];
      slot[as] += archived[as];
    }
    slot.bytes += sizes.sum;
    for (const [status, count] of statuses) increase(this.statuses, status, count);
    for (const [code, count] of failures) increase(this.failures, code, count);
    this.durations.add(durations);
    this.sizes.add(sizes);
  }

  /** What has come since the last call, to be counted elsewhere: from now on it counts here no more. */
  take(): Counted {
    const { new: fresh, dup, skipped, failed } = this.archived;
    const taken = {
      archived: { new: fresh, dup, skipped, failed },
      statuses: [...this.statuses],
      failures: [...this.failures],
      durations: this.durations.take(),
      sizes: this.sizes.take(),
    };
    Object.assign(this.archived, { new: 0, dup: 0, skipped: 0, failed: 0 });
    this.statuses.clear();
    this.failures.clear();
    return taken;
  }

  /** The last quarter of an hour, oldest first; the last one is not over yet. */
  slots(): readonly Slot[] {
    this.#turn();
    return Array.from({ length: SLOTS }, (_, index) => this.#slots[(this.#slot + 1 + index) % SLOTS] ?? NOTHING());
  }

  #thisSlot(): Counts & { bytes: number } {
    this.#turn();
    return (this.#slots[this.#slot % SLOTS] ??= NOTHING());
  }

  #current(): number {
    return Math.floor(this.#nowMs() / SLOT_MS);
  }

  #turn(): void {
    const current = this.#current();
    for (let slot = Math.max(this.#slot, current - SLOTS) + 1; slot <= current; slot++) this.#slots[slot % SLOTS] = NOTHING();
    this.#slot = current;
  }
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
