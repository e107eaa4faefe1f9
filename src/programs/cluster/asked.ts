/**
 * What one worker says when it is asked, within a time: a page waits for no process that hangs.
 *
 * One question at a time, and one more for all who ask meanwhile. Who has been silent for longer than the limit is asked nothing more until it
 * answers, so that nothing gathers for it.
 */
import { performance } from 'node:perf_hooks';
import { oneForAll } from '../../util/one-for-all.ts';

/** A worker that has nothing else to do answers within a millisecond, one at its limits within some tens. */
export const MAX_SILENT_MS = 2000;

export class Asked<Answer> {
  /** what it said last */
  last: Answer | undefined;
  readonly #limitMs: number;
  readonly #now: () => number;
  readonly #ask: () => Promise<void>;
  #askedMs: number | undefined;

  /** @param now in ms, monotonic */
  constructor(ask: () => Promise<Answer>, limitMs = MAX_SILENT_MS, now = () => performance.now()) {
    this.#limitMs = limitMs;
    this.#now = now;
    this.#ask = oneForAll(async () => {
      this.#askedMs = this.#now();
      this.last = await ask();
      this.#askedMs = undefined;
    });
  }

  /** since the question that it has not answered yet */
  get silentMs(): number {
    return this.#askedMs === undefined ? 0 : this.#now() - this.#askedMs;
  }

  /** @returns whether it has answered in time. Never rejects: who is gone has not */
  async inTime(): Promise<boolean> {
    if (this.silentMs > this.#limitMs) return false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), this.#limitMs)));
    const answered = this.#ask().then(
      () => true,
      () => false,
    );
    const is = await Promise.race([answered, late]);
    clearTimeout(timer);
    return is;
  }
}
