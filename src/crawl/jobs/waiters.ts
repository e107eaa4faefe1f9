/**
 * Who waits for the next change of a job.
 */

export interface Waiting {
  /** resolves with the next `wake`, or at the end of all */
  readonly woken: Promise<void>;
  /** it is not waited for any more */
  readonly leave: () => void;
}

export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  next(job: string): Waiting {
    const waiting = this.#waiting.get(job) ?? new Set();
    this.#waiting.set(job, waiting);
    let go: () => void = () => undefined;
    const leave = () => {
      waiting.delete(go);
      if (waiting.size === 0 && this.#waiting.get(job) === waiting) this.#waiting.delete(job);
      go();
    };
    const woken = new Promise<void>((resolve) => (go = resolve));
    waiting.add(go);
    return { woken, leave };
  }

  wake(job: string): void {
    const waiting = this.#waiting.get(job);
    this.#waiting.delete(job);
    for (const go of waiting ?? []) go();
  }

  close(): void {
    for (const job of [...this.#waiting.keys()]) this.wake(job);
  }
}
