/**
 * How much space is left on the disks of some folders, and whether that is too little. Whoever wants to know has to look.
 *
 * What is bound to be written there counts as written. Too little begins below the minimum and ends a tenth above it, so that it does not
 * come and go with every file.
 */
import { statfs } from 'node:fs/promises';

export interface Disk {
  /** what it is there for, such as `the WARC files` */
  readonly of: string;
  /** a folder on it */
  readonly dir: string;
  /** bytes that will still be written to it */
  readonly due: () => number;
}

export interface FreeSpaceOptions {
  readonly disks: readonly Disk[];
  /** of each; 0 never finds it too little; undefined is a share of each disk, at most `MAX_SHARE_BYTES` */
  readonly minBytes: number | undefined;
  /** the file system's word unless a test has its own */
  readonly spaceOf?: (dir: string) => Promise<DiskSpace>;
  /** told of each change, with the disk that is nearest to its minimum */
  readonly onChange: (low: boolean, disk: DiskState) => void;
}

/** Bytes left for this user, and of the whole disk. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What a disk has left, and what it should have. */
export interface DiskState extends Pick<Disk, 'of' | 'dir'> {
  readonly freeBytes: number;
  /** of these, will still be written */
  readonly dueBytes: number;
  readonly minBytes: number;
}

export interface Room {
  /** bytes that may be taken before a disk has too little; negative when it has */
  readonly bytes: number;
  /** a disk has less than half of its minimum left */
  readonly halfGone: boolean;
}

const ENOUGH = 0.1;
/** A small disk, such as a tmpfs, would be too full from its beginning for what a large one can spare. */
const SHARE = 0.05;
const MAX_SHARE_BYTES = 1024 ** 3;

export class FreeSpace {
  readonly #options: Required<FreeSpaceOptions>;
  #shortage: DiskState | undefined;

  constructor(options: FreeSpaceOptions) {
    this.#options = { spaceOf, ...options };
  }

  /** undefined: there is enough */
  get shortage(): DiskState | undefined {
    return this.#shortage;
  }

  /** Look now. A disk that cannot be asked is left to the next write to complain of. */
  async look(): Promise<Room> {
    const { disks, onChange } = this.#options;
    const found = this.#options.minBytes === 0 ? [] : await Promise.all(disks.map((disk) => this.#state(disk)));
    const states = found.filter((state) => state !== undefined);
    const wasLow = this.#shortage !== undefined;
    const spare = (state: DiskState) => roomOn(state) - (wasLow ? state.minBytes * ENOUGH : 0);
    const [nearest] = states.sort((one, other) => spare(one) - spare(other));
    const low = nearest !== undefined && spare(nearest) < 0;
    this.#shortage = low ? nearest : undefined;
    if (nearest !== undefined && low !== wasLow) onChange(low, nearest);
    return {
      bytes: Math.min(...states.map(roomOn)),
      halfGone: states.some((state) => roomOn(state) < -state.minBytes / 2),
    };
  }

  /** All disks that can be asked, as they are now. */
  async states(): Promise<readonly DiskState[]> {
    const found = await Promise.all(this.#options.disks.map((disk) => this.#state(disk)));
    return found.filter((state) => state !== undefined);
  }

  async #state({ of, dir, due }: Disk): Promise<DiskState | undefined> {
    const space = await this.#options.spaceOf(dir).catch(() => undefined);
    if (space === undefined) return undefined;
    const { freeBytes, totalBytes } = space;
    const { minBytes = Math.min(MAX_SHARE_BYTES, Math.floor(totalBytes * SHARE)) } = this.#options;
    return { of, dir, freeBytes, dueBytes: due(), minBytes };
  }
}

/** @throws the system's error */
export async function spaceOf(dir: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(dir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

function roomOn({ freeBytes, dueBytes, minBytes }: DiskState): number {
  return freeBytes - dueBytes - minBytes;
}
