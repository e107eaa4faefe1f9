/**
 * Waiting for temporary files that are behind, until there is no time for that any more: then what is left goes to memory first.
 */
import type { Spool } from '../util/spool.ts';

export class Drains {
  readonly #waiting = new Set<() => void>();
  #hurries = false;

  /** Resolves when more may be appended. */
  of(spool: Pick<Spool, 'onDrain'>): Promise<void> {
    if (this.#hurries) return Promise.resolve();
    return new Promise((resolve) => {
      const over = () => {
        this.#waiting.delete(over);
        resolve();
      };
      this.#waiting.add(over);
      spool.onDrain(over);
    });
  }

  /** Nobody waits any more. */
  hurry(): void {
    this.#hurries = true;
    for (const over of [...this.#waiting]) over();
  }
}
