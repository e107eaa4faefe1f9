/**
 * When a worker is started again: at once, and ever later where one dies as soon as it runs; at last never.
 */
import { performance } from 'node:perf_hooks';

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 30_000;
/** Who has listened for so long did not die of how it was started. */
const STEADY_MS = 2000;
/** So many in a row, about a minute and a half. */
const MAX_ATTEMPTS = 10;

/** Of one worker's place. */
export interface Attempts {
  /** whether there were too many */
  readonly exhausted: boolean;
  /** Resolves when the next is to be made; with false when none is. */
  next(): Promise<boolean>;
  /** It listens. */
  succeeded(): void;
}

export class Starter {
  readonly #now: () => number;
  #stopped = false;
  readonly #waiting = new Set<() => void>();

  /** @param now in ms, monotonic */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** From now on none is started. */
  stop(): void {
    this.#stopped = true;
    for (const wake of this.#waiting) wake();
  }

  /** To be asked for when the first one listens. */
  attempts(): Attempts {
    let quick = 0;
    let sinceMs = this.#now();
    return {
      get exhausted() {
        return quick > MAX_ATTEMPTS;
      },
      next: async () => {
        quick = this.#now() - sinceMs > STEADY_MS ? 1 : quick + 1;
        // One that cannot be started at all has not been steady.
        sinceMs = Infinity;
        if (quick > MAX_ATTEMPTS) return false;
        if (quick > 1) await this.#wait(Math.min(FIRST_WAIT_MS * 2 ** (quick - 2), MAX_WAIT_MS));
        return !this.#stopped;
      },
      succeeded: () => {
        sinceMs = this.#now();
      },
    };
  }

  #wait(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }
}
