/**
 * Whether bytes pass too slowly. Where they come it is looked at when some do, because that none come is for the idle time-out to see.
 */
import { performance } from 'node:perf_hooks';

export interface MinimumRateOptions {
  /** 0 is no minimum */
  readonly bytesPerSecond: number;
  /** the average is taken over so long at least */
  readonly windowMs: number;
}

export class MinimumRate {
  readonly #options: MinimumRateOptions;
  #bytes = 0;
  #sinceMs: number | undefined;
  /** the sender is held back since then */
  #heldMs: number | undefined;

  constructor(options: MinimumRateOptions) {
    this.#options = options;
  }

  /**
   * Count bytes that have passed.
   *
   * @param atLeast bytes per second, where more than the usual minimum is asked for at the moment
   * @returns true when a window has passed in which too few passed
   */
  tooSlow(bytes: number, atLeast = 0): boolean {
    const { bytesPerSecond, windowMs } = this.#options;
    if (bytesPerSecond === 0) return false;
    this.resume();
    const nowMs = performance.now();
    this.#sinceMs ??= nowMs;
    this.#bytes += bytes;
    const passedMs = nowMs - this.#sinceMs;
    if (passedMs < windowMs) return false;
    const wanted = (Math.max(bytesPerSecond, atLeast) * passedMs) / 1000;
    const slow = this.#bytes < wanted;
    this.#sinceMs = nowMs;
    this.#bytes = 0;
    return slow;
  }

  /** From now on the sender is held back: that time is not its own. */
  hold(): void {
    this.#heldMs ??= performance.now();
  }

  /** It may go on. */
  resume(): void {
    if (this.#heldMs === undefined) return;
    if (this.#sinceMs !== undefined) this.#sinceMs += performance.now() - this.#heldMs;
    this.#heldMs = undefined;
  }
}
