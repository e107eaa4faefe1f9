/** Reference numbers that need not be sent again for a while. In memory only. */
import { createHash } from 'node:crypto';

const HOUR_MS = 3_600_000;
export const LONG_MS = 72 * HOUR_MS;
export const SHORT_MS = 12 * HOUR_MS;
/** Past it the oldest goes: its document may be sent again. */
export const MAX_ENTRIES = 1_000_000;
/** Of a longer reference its digest stands for it. */
const MAX_TEXT = 64;
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
    const key = keyOf(reference);
    this.#untilMs.delete(key); // and to the end
    this.#untilMs.set(key, this.#now() + forMs);
    if (this.#untilMs.size > MAX_ENTRIES) this.#untilMs.delete(this.#untilMs.keys().next().value ?? '');
    if (++this.#unswept < SWEEP_EACH) return;
    this.#unswept = 0;
    const now = this.#now();
    for (const [each, untilMs] of this.#untilMs) if (untilMs <= now) this.#untilMs.delete(each);
  }

  has(reference: string): boolean {
    const key = keyOf(reference);
    const untilMs = this.#untilMs.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > this.#now()) return true;
    this.#untilMs.delete(key);
    return false;
  }
}

/** Longer than any reference that stands for itself. */
function keyOf(reference: string): string {
  return reference.length <= MAX_TEXT ? reference : `sha512:${createHash('sha512').update(reference).digest('hex')}`;
}
