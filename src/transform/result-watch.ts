/** Lets those who wait for a result know that it is there, whichever process has made it. */
import type { Log } from '../util/log.ts';
import { folderEvents } from './folder-events.ts';
import type { Hex } from './job-id.ts';
import type { JobStore } from './job-store.ts';

/** So often it is looked at, for file systems that tell of nothing. */
const LOOK_MS = 1000;

export class ResultWatch {
  readonly #store: JobStore;
  readonly #waiting = new Map<Hex, Set<() => void>>();
  readonly #watcher: { close(): void };
  readonly #timer: NodeJS.Timeout;
  readonly #closed = new AbortController();

  constructor(store: JobStore, log: Log) {
    this.#store = store;
    this.#watcher = folderEvents(store.doneDir, (name) => this.#look(name.slice(0, 32)), log);
    this.#timer = setInterval(() => [...this.#waiting.keys()].forEach((hex) => this.#look(hex)), LOOK_MS);
  }

  /** @returns true when the result is there, false when the program ends first */
  async wait(hex: Hex): Promise<boolean> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      let wake = (): void => undefined;
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const others = this.#waiting.get(hex) ?? new Set();
      this.#waiting.set(hex, others.add(wake));
      signal.addEventListener('abort', wake, { once: true });
      try {
        // Asked only now, so that nothing is missed in between.
        if (await this.#store.isDone(hex)) return true;
        await woken;
      } finally {
        signal.removeEventListener('abort', wake);
        others.delete(wake);
        if (others.size === 0) this.#waiting.delete(hex);
      }
    }
    return false;
  }

  close(): void {
    this.#watcher.close();
    clearInterval(this.#timer);
    this.#closed.abort();
  }

  #look(hex: Hex): void {
    for (const wake of this.#waiting.get(hex) ?? []) wake();
  }
}
