/**
 * Opening files while the process, or the machine, has no file handle left: tried again until there is one.
 *
 * For what everything depends on: it waits, and so does whoever waits for it, instead of failing for want of what comes back by itself.
 */
import { codeOf } from './thrown.ts';

export interface PatienceOptions {
  /** called when it begins to wait, with the system's error */
  readonly onWait: (error: unknown) => void;
  /** called when what it waited for is there */
  readonly onOver: () => void;
}

const WAIT_MS = 100;
/** What is still tried once nobody wants to wait any more. */
const LAST_TRIES = 50;

export class Patience {
  readonly #options: PatienceOptions;
  #triesLeft = Infinity;
  #waiting = 0;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** @throws what `open` throws, but for want of a handle only after `hurry` and some seconds */
  async run<T>(open: () => Promise<T>): Promise<T> {
    let waits = false;
    let isOpen = false;
    try {
      for (;;) {
        try {
          const opened = await open();
          isOpen = true;
          return opened;
        } catch (error) {
          if (!wantsHandle(error) || this.#triesLeft-- <= 0) throw error;
          if (!waits && this.#waiting++ === 0) this.#options.onWait(error);
          waits = true;
        }
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      }
    } finally {
      if (waits && --this.#waiting === 0 && isOpen) this.#options.onOver();
    }
  }

  /** The program ends: from now on it waits for some seconds in all. */
  hurry(): void {
    this.#triesLeft = LAST_TRIES;
  }
}

function wantsHandle(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EMFILE' || code === 'ENFILE';
}
