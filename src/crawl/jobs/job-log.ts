/**
 * The log of a job: why something was not fetched, or did not go as it should. The latest lines are kept, in memory only.
 */
import type { Clock, JobLogLine } from './types.ts';

const MAX_LINES = 1000;
const MAX_CHARS = 2048;

export class JobLog {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #lines: JobLogLine[] = [];
  readonly #listeners = new Set<(line: JobLogLine) => void>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get lines(): readonly JobLogLine[] {
    return [...this.#lines];
  }

  add(reason: string, url: string, detail: string): void {
    const line = { at: this.#clock.now(), reason, url: url.slice(0, MAX_CHARS), detail: detail.slice(0, MAX_CHARS) };
    // One at a time costs the length of the array each: half of them go at once.
    if (this.#lines.push(line) > 2 * MAX_LINES) this.#lines.splice(0, MAX_LINES);
    for (const listener of this.#listeners) listener(line);
  }

  on(listener: (line: JobLogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
