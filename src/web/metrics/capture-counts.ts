/**
 * What captures add up to: totals since the start for `/metrics`, and a slot every five seconds of the last quarter of an hour for the charts of
 * the dashboard.
 */
import type { ArchivedAs } from '../../capture/kinds.ts';
import type { CaptureEvent } from '../captures/event.ts';
import { Histogram } from './histogram.ts';

/** Seconds: from what is on the next machine to `--fetch-timeout`. */
const DURATIONS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
/** Bytes: powers of four from 256 bytes to 4 GiB. */
const SIZES = Array.from({ length: 13 }, (_, power) => 256 * 4 ** power);

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
    if (error !== undefined) increase(this.failures, error.code);
    else increase(this.statuses, `${Math.floor(status / 100)}xx`);
    this.durations.observe(duration / 1000);
    this.sizes.observe(size);
    this.#turn();
    const slot = this.#slots[this.#slot % SLOTS];
    if (slot === undefined) return;
    slot[archived]++;
    slot.bytes += size;
  }

  /** The last quarter of an hour, oldest first; the last one is not over yet. */
  slots(): readonly Slot[] {
    this.#turn();
    return Array.from({ length: SLOTS }, (_, index) => this.#slots[(this.#slot + 1 + index) % SLOTS] ?? NOTHING());
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

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
