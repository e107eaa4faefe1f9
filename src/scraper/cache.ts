/** Reference numbers that need not be sent again for a while. In memory only. */
const HOUR_MS = 3_600_000;
export const LONG_MS = 72 * HOUR_MS;
export const SHORT_MS = 12 * HOUR_MS;
/** After so many new entries the expired ones are dropped. */
const SWEEP_EACH = 10_000;

export class ReferenceCache {
  readonly #untilMs = new Map<string, number>();
  readonly #now: () => number;
  #unswept = 0;

  /** @param now milliseconds of a clock that nobody sets */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#untilMs.size;
  }

  /** Begins anew for one that is there. */
  add(reference: string, forMs: number): void {
    this.#untilMs.set(reference, this.#now() + forMs);
    if (++this.#unswept < SWEEP_EACH) return;
    this.#unswept = 0;
    const now = this.#now();
    for (const [each, untilMs] of this.#untilMs) if (untilMs <= now) this.#untilMs.delete(each);
  }

  has(reference: string): boolean {
    const untilMs = this.#untilMs.get(reference);
    if (untilMs === undefined) return false;
    if (untilMs > this.#now()) return true;
    this.#untilMs.delete(reference);
    return false;
  }
}
