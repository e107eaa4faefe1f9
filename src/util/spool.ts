/**
 * The bytes of one block while they wait to be written: in memory up to a size, then in a temporary file.
 *
 * Owns the temporary file. Never copies what it is given: the pieces must not change until `release()`.
 */
import type { MemoryBudget } from './memory-budget.ts';
import { cut } from './pieces.ts';
import { SpoolFile } from './spool-file.ts';
import type { SpoolPlace, TakePlace } from './spool-place.ts';
import type { Growing, SpoolSpace } from './spool-space.ts';

/** Bytes that can be read as often as needed, whole or in part. */
export interface Bytes {
  readonly size: number;
  /** the pieces, when all of them are in memory */
  readonly memory: readonly Buffer[] | undefined;
  /** where all of them stand, when they are where they are bound for */
  readonly place?: SpoolPlace | undefined;
  /**
   * @param into where a temporary file is read into, over and over: a piece is good until the next one is asked for. Otherwise each is new
   * @throws the file system's error when the temporary file cannot be written or read
   */
  read(into?: Buffer): AsyncIterable<Buffer>;
}

export interface SpoolOptions {
  /** bytes kept in memory before all of them go to a file */
  readonly maxMemoryBytes: number;
  /** shared with other spools: when it is used up, bytes go to the file at once */
  readonly budget?: MemoryBudget;
  /** shared with other spools: what all of them may take of the disk */
  readonly space?: SpoolSpace;
  /** folder of temporary files */
  readonly dir: string;
}

/** Whether a spool of these can take so many bytes, however empty the others are. */
export function canHold({ maxMemoryBytes, space }: SpoolOptions, bytes: number): boolean {
  return bytes <= maxMemoryBytes || space === undefined || space.maxBytes === 0 || bytes <= space.maxBytes;
}

/** Who appends to a spool. */
export interface SpoolHolder {
  /** There is no room for more, and nothing more should be appended. @param alone it is large by itself: more than half of what all may take */
  onFull(alone: boolean): void;
}

/** Smaller ones in memory need not end for the sake of others. */
const SMALL_BYTES = 64 * 1024;
/** So many small pieces in a row are joined: an answer that drips byte by byte must not cost hundreds of bytes for each. */
const JOIN_PIECES = 128;
const JOIN_BYTES = 64 * 1024;

/** Never changed. */
const NO_PIECES: Buffer[] = [];

export class Spool implements Bytes, Growing {
  readonly #options: SpoolOptions;
  readonly #place: TakePlace | undefined;
  #holder: SpoolHolder | undefined;
  /** more may be appended */
  #growing = true;
  /** there was no file for it: everything stays in memory, and it should wait for one before it grows */
  #wantsFile = false;
  #pieces: Buffer[] = NO_PIECES;
  #joined = 0;
  #size = 0;
  #file: SpoolFile | undefined;
  #released = false;
  /** bytes of the budget */
  #taken = 0;

  /**
   * @param holder told at most once; without one the spool never has to end
   * @param place where they go instead of a temporary file once they are more than memory is for
   */
  constructor(options: SpoolOptions, holder?: SpoolHolder, place?: TakePlace) {
    this.#options = options;
    this.#place = place;
    this.#holder = holder;
  }

  get size(): number {
    return this.#size;
  }

  get memory(): readonly Buffer[] | undefined {
    return this.#file === undefined ? this.#pieces : undefined;
  }

  get place(): SpoolPlace | undefined {
    return this.#file?.place;
  }

  /** Why the temporary file failed, if it did. */
  get error(): Error | undefined {
    return this.#file?.error;
  }

  get inFile(): number {
    return this.#file === undefined ? 0 : this.#size;
  }

  /** @returns false when the disk is behind or has no room now; the caller should append no more before `onDrain` has called back */
  append(piece: Buffer): boolean {
    const { length } = piece;
    if (length === 0 || this.#released) return true;
    const { space } = this.#options;
    const wasSmall = this.#size <= SMALL_BYTES;
    this.#size += length;
    space?.take(length);
    if (wasSmall && this.#size > SMALL_BYTES) this.#grows();
    return this.#keep(piece) && space?.full !== true;
  }

  /** Call back once, when there is room and less than the pending limit waits for the disk, or nothing more is appended. */
  onDrain(callback: () => void): void {
    const { space } = this.#options;
    if (this.#wantsFile && this.#growing) this.#spill();
    if (space !== undefined && this.#growing && (this.#wantsFile || space.full)) space.onRoom(() => this.onDrain(callback));
    else if (this.#file === undefined) callback();
    else this.#file.onDrain(callback);
  }

  /** Nothing more is appended. */
  finish(): void {
    this.#growing = false;
    this.#holder = undefined;
    this.#options.space?.settle(this);
  }

  full(alone: boolean): void {
    const holder = this.#holder;
    this.#holder = undefined;
    holder?.onFull(alone);
  }

  /** Resolves when nothing waits for the disk any more; `error` is known then. */
  async flushed(): Promise<void> {
    await this.#file?.flushed();
  }

  read(into?: Buffer): AsyncIterable<Buffer> {
    return this.slice(0, this.#size).read(into);
  }

  /** The bytes from `start` to before `end`. */
  slice(start: number, end: number): Bytes {
    const file = this.#file;
    if (file !== undefined) return { size: end - start, memory: undefined, read: (into) => file.read(start, end, into) };
    const pieces = start === 0 && end === this.#size ? this.#pieces : cut(this.#pieces, start, end);
    return { size: end - start, memory: pieces, read: () => fromMemory(pieces) };
  }

  /** Let go of memory and file. Further calls do nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.finish();
    this.#pieces = NO_PIECES;
    this.#giveBack();
    this.#file?.close();
    this.#options.space?.give(
      this.#size,
      this.#file && { bytes: this.#size, written: this.#file.written, placed: this.#file.place !== undefined },
    );
  }

  #grows(): void {
    if (this.#holder !== undefined) this.#options.space?.grows(this);
  }

  /** @returns false when the caller should pause */
  #keep(piece: Buffer): boolean {
    const { maxMemoryBytes, budget, space } = this.#options;
    if (this.#file !== undefined) {
      space?.toFile(piece.length);
      return this.#file.write(piece);
    }
    // Most have one or two, for which an array that grows has room for seventeen.
    if (this.#pieces.length === 0) this.#pieces = [piece];
    else this.#pieces.push(piece);
    if (this.#size > maxMemoryBytes || budget?.take(piece.length) === false) return this.#spill();
    this.#taken += piece.length;
    if (this.#pieces.length - this.#joined >= JOIN_PIECES) this.#join();
    return true;
  }

  #spill(): boolean {
    const { dir, space, maxMemoryBytes } = this.#options;
    this.#wantsFile = space?.takeFile() === false;
    if (this.#wantsFile) return false;
    const pieces = this.#pieces;
    this.#pieces = NO_PIECES;
    this.#giveBack();
    this.#file = new SpoolFile(dir, space, this.#size > maxMemoryBytes ? this.#place : undefined);
    this.#grows();
    space?.toFile(this.#size);
    let ready = true;
    for (const piece of pieces) ready = this.#file.write(piece);
    return ready;
  }

  #giveBack(): void {
    this.#options.budget?.give(this.#taken);
    this.#taken = 0;
  }

  #join(): void {
    const recent = this.#pieces.slice(this.#joined);
    if (recent.reduce((sum, piece) => sum + piece.length, 0) <= JOIN_BYTES) {
      this.#pieces.length = this.#joined;
      this.#pieces.push(Buffer.concat(recent));
    }
    this.#joined = this.#pieces.length;
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- one interface for memory and file
async function* fromMemory(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}
