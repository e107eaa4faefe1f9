/**
 * Watches how much space is left on the disk of a folder, and says when it is too little.
 *
 * Too little begins below the minimum and ends a tenth above it, so that it does not come and go with every file.
 */
import { statfs } from 'node:fs/promises';

export interface FreeSpaceOptions {
  readonly dir: string;
  /** 0 never finds it too little; undefined is a share of the disk, at most `MAX_SHARE_BYTES` */
  readonly minBytes: number | undefined;
  /** bytes left for this user, and of the whole disk; the file system's word unless a test has its own */
  readonly look?: (dir: string) => Promise<DiskSpace>;
  /** told of each change */
  readonly onChange: (low: boolean, space: Shortage) => void;
}

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What is left, and what should be. */
export interface Shortage {
  readonly freeBytes: number;
  readonly minBytes: number;
}

const CHECK_MS = 1000;
const ENOUGH = 1.1;
/** A small disk, such as a tmpfs, would be too full from its beginning for what a large one can spare. */
const SHARE = 0.05;
const MAX_SHARE_BYTES = 1024 ** 3;

export class FreeSpace {
  readonly #options: Required<FreeSpaceOptions>;
  readonly #timer: NodeJS.Timeout | undefined;
  #shortage: Shortage | undefined;

  constructor(options: FreeSpaceOptions) {
    this.#options = { look: spaceOf, ...options };
    if (options.minBytes !== 0) this.#timer = setInterval(() => void this.check(), CHECK_MS).unref();
  }

  /** undefined: there is enough */
  get shortage(): Shortage | undefined {
    return this.#shortage;
  }

  /** Look now. A disk that cannot be asked is left to the next write to complain of. */
  async check(): Promise<void> {
    const { dir, look, onChange } = this.#options;
    if (this.#options.minBytes === 0) return;
    const space = await look(dir).catch(() => undefined);
    if (space === undefined) return;
    const { freeBytes, totalBytes } = space;
    const { minBytes = Math.min(MAX_SHARE_BYTES, Math.floor(totalBytes * SHARE)) } = this.#options;
    const wasLow = this.#shortage !== undefined;
    const low = freeBytes < minBytes * (wasLow ? ENOUGH : 1);
    this.#shortage = low ? { freeBytes, minBytes } : undefined;
    if (low !== wasLow) onChange(low, { freeBytes, minBytes });
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

async function spaceOf(dir: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(dir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
