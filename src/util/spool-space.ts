/**
 * What all spools together may take: bytes in temporary files, their number, and what the disks have left.
 *
 * A spool that nobody appends to any more is let go of by itself, once its record is written: while there are such, whoever appends past the
 * bound is asked to wait. Otherwise, and on a disk that runs low, the largest of those that are still appended to is told to end.
 */
import type { FreeSpace } from './free-space.ts';

export interface SpoolSpaceOptions {
  /** bytes of all temporary files; 0 is no bound */
  readonly maxBytes: number;
  /** temporary files open at once */
  readonly maxFiles: number;
  readonly free: Pick<FreeSpace, 'look'>;
}

/** A spool that is appended to, as far as it matters here. */
export interface Growing {
  readonly size: number;
  /** of these, in a temporary file */
  readonly inFile: number;
  /** It has to end. @param alone it is large by itself: more than half of what all may take */
  full(alone: boolean): void;
}

/** So many bytes may come until the disks are looked at again: half of what they have room for, within these bounds. */
const MIN_STEP_BYTES = 256 * 1024;
const MAX_STEP_BYTES = 64 * 1024 * 1024;

export class SpoolSpace {
  readonly #options: SpoolSpaceOptions;
  readonly #growing = new Set<Growing>();
  #held = 0;
  #inFiles = 0;
  #written = 0;
  /** of what is written, what stands where it is bound for */
  #placed = 0;
  #files = 0;
  /** bytes until the next look; while one is under way, everybody past them waits for it */
  #untilLook = 0;
  #looking = false;
  #waiting: (() => void)[] = [];

  constructor(options: SpoolSpaceOptions) {
    this.#options = options;
  }

  /** Bytes that all temporary files may take; 0 is no bound. */
  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  /** Bytes of those that are in temporary files, or go there. */
  get inFiles(): number {
    return this.#inFiles;
  }

  /** Temporary files that are open, and how many may be. */
  get files(): { readonly open: number; readonly max: number } {
    return { open: this.#files, max: this.#options.maxFiles };
  }

  /** Bytes of all spools, wherever they are. */
  get held(): number {
    return this.#held;
  }

  /** Bytes that wait to be written to temporary files. */
  get unwritten(): number {
    return this.#inFiles - this.#written;
  }

  /** Bytes of those that are held, that will still be written to where they are bound for. */
  get due(): number {
    return this.#held - this.#placed;
  }

  /** Whoever has appended should wait for `onRoom` before it appends more. */
  get full(): boolean {
    return this.#untilLook <= 0 || this.#isOver;
  }

  /** Bytes are appended to a spool. */
  take(bytes: number): void {
    this.#held += bytes;
    this.#untilLook -= bytes;
    if (this.#untilLook <= 0) void this.look();
  }

  /** Bytes of those go to a temporary file. */
  toFile(bytes: number): void {
    this.#inFiles += bytes;
    if (this.#isOver) this.#relieve();
  }

  /** They have been written to it. @param placed it is where they are bound for */
  wrote(bytes: number, placed = false): void {
    this.#written += bytes;
    if (placed) this.#placed += bytes;
  }

  /** @returns false when there are enough temporary files already */
  takeFile(): boolean {
    if (this.#files >= this.#options.maxFiles) return false;
    this.#files++;
    return true;
  }

  /** It may have to end for the sake of others, from now until `settle`. */
  grows(spool: Growing): void {
    this.#growing.add(spool);
  }

  settle(spool: Growing): void {
    this.#growing.delete(spool);
  }

  /** Nothing of a spool is held any more. @param file it had a file, with so many bytes, so many of them written, and where they are bound for */
  give(bytes: number, file: { readonly bytes: number; readonly written: number; readonly placed: boolean } | undefined): void {
    this.#held -= bytes;
    if (file !== undefined) {
      this.#inFiles -= file.bytes;
      this.#written -= file.written;
      if (file.placed) this.#placed -= file.written;
      this.#files--;
    }
    if (this.#isOver) this.#relieve();
    this.#wake();
  }

  /** Call back once, when it may be tried again. */
  onRoom(callback: () => void): void {
    this.#waiting.push(callback);
  }

  /** Look at the disks now. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { bytes: room, halfGone } = await this.#options.free.look();
    this.#looking = false;
    // Half of the minimum is for what is in the chain already.
    if (halfGone) for (const spool of [...this.#growing]) this.#end(spool);
    else if (room < 0) this.#end(this.#largest());
    this.#untilLook = Math.min(Math.max(room / 2, MIN_STEP_BYTES), MAX_STEP_BYTES);
    this.#wake();
  }

  get #isOver(): boolean {
    const { maxBytes } = this.#options;
    return maxBytes > 0 && this.#inFiles > maxBytes;
  }

  #relieve(): void {
    let growing = 0;
    for (const { inFile } of this.#growing) growing += inFile;
    if (this.#inFiles <= growing) this.#end(this.#largest());
  }

  #largest(): Growing | undefined {
    let largest: Growing | undefined;
    for (const spool of this.#growing) if (largest === undefined || spool.size > largest.size) largest = spool;
    return largest;
  }

  /** Who appends to it may be in the middle of a piece, and is told after that. */
  #end(spool: Growing | undefined): void {
    if (spool === undefined || !this.#growing.delete(spool)) return;
    const { maxBytes } = this.#options;
    queueMicrotask(() => spool.full(maxBytes > 0 && spool.size > maxBytes / 2));
  }

  #wake(): void {
    if (this.#waiting.length === 0 || this.full) return;
    for (const callback of this.#waiting.splice(0)) callback();
  }
}
