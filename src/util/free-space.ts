/**
 * Watches how much space is left on the disk of a folder, and says when it is too little.
 *
 * Too little begins below the minimum and ends a tenth above it, so that it does not come and go with every file.
 */
import { statfs } from 'node:fs/promises';

export interface FreeSpaceOptions {
  readonly dir: string;
  /** 0 never finds it too little */
  readonly minBytes: number;
  /** bytes left for this user; the file system's word unless a test has its own */
  readonly free?: (dir: string) => Promise<number>;
  /** told of each change */
  readonly onChange: (low: boolean, freeBytes: number) => void;
}

const CHECK_MS = 1000;
const ENOUGH = 1.1;

export class FreeSpace {
  readonly #options: Required<FreeSpaceOptions>;
  readonly #timer: NodeJS.Timeout | undefined;
  #low = false;

  constructor(options: FreeSpaceOptions) {
    this.#options = { free: freeBytes, ...options };
    if (options.minBytes > 0) this.#timer = setInterval(() => void this.check(), CHECK_MS).unref();
  }

  get low(): boolean {
    return this.#low;
  }

  /** Look now. A disk that cannot be asked is left to the next write to complain of. */
  async check(): Promise<void> {
    const { dir, minBytes, free, onChange } = this.#options;
    if (minBytes === 0) return;
    const bytes = await free(dir).catch(() => Infinity);
    const low = bytes < minBytes * (this.#low ? ENOUGH : 1);
    if (low === this.#low) return;
    this.#low = low;
    onChange(low, bytes);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
