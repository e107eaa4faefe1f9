/**
 * The bytes of one block while they wait to be written: in memory up to a size, then in a temporary file.
 *
 * Owns the temporary file, which has no name any more once it is open, so that nothing is left behind by a crash.
 * Never copies what it is given: the pieces must not change until `release()`.
 */
import { close, open, read, unlink, writev } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MemoryBudget } from './memory-budget.ts';

/** Bytes that can be read as often as needed, whole or in part. */
export interface Bytes {
  readonly size: number;
  /** the pieces, when all of them are in memory */
  readonly memory: readonly Buffer[] | undefined;
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
  /** folder of temporary files */
  readonly dir: string;
}

/** Bytes that may wait for the disk before `append` asks its caller to pause. */
const MAX_PENDING_BYTES = 1024 * 1024;
const READ_BYTES = 256 * 1024;
/** So many small pieces in a row are joined: an answer that drips byte by byte must not cost hundreds of bytes for each. */
const JOIN_PIECES = 128;
const JOIN_BYTES = 64 * 1024;

const readAt = promisify(read);

export class Spool implements Bytes {
  readonly #options: SpoolOptions;
  #pieces: Buffer[] = [];
  #joined = 0;
  #size = 0;
  #file: SpoolFile | undefined;
  #released = false;
  /** bytes of the budget */
  #taken = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  get memory(): readonly Buffer[] | undefined {
    return this.#file === undefined ? this.#pieces : undefined;
  }

  /** Why the temporary file failed, if it did. */
  get error(): Error | undefined {
    return this.#file?.error;
  }

  /** @returns false when the disk is behind; the caller should append no more before `onDrain` has called back */
  append(piece: Buffer): boolean {
    if (piece.length === 0) return true;
    this.#size += piece.length;
    if (this.#file !== undefined) return this.#file.write(piece);
    this.#pieces.push(piece);
    if (this.#size > this.#options.maxMemoryBytes || this.#options.budget?.take(piece.length) === false) return this.#spill();
    this.#taken += piece.length;
    if (this.#pieces.length - this.#joined >= JOIN_PIECES) this.#join();
    return true;
  }

  /** Call back once, when less than the pending limit waits for the disk or the file has failed. */
  onDrain(callback: () => void): void {
    if (this.#file === undefined) callback();
    else this.#file.onDrain(callback);
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
    this.#pieces = [];
    this.#giveBack();
    this.#file?.close();
  }

  #spill(): boolean {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#giveBack();
    this.#file = new SpoolFile(this.#options.dir);
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

/** An unnamed temporary file: appended to in order, read at will once everything is in it. */
class SpoolFile {
  error: Error | undefined;
  #fd: number | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #position = 0;
  #busy = true;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(dir: string) {
    const path = join(dir, `warctap-${randomUUID()}.tmp`);
    open(path, 'wx+', 0o600, (error, fd) => {
      if (error !== null) return this.#fail(error);
      this.#fd = fd;
      unlink(path, (unlinkError) => {
        if (unlinkError !== null) this.#fail(unlinkError);
        else this.#next();
      });
    });
  }

  write(piece: Buffer): boolean {
    if (this.error !== undefined || this.#closed) return true;
    this.#pending.push(piece);
    this.#pendingBytes += piece.length;
    if (!this.#busy) this.#next();
    return this.#pendingBytes < MAX_PENDING_BYTES;
  }

  onDrain(callback: () => void): void {
    if (this.#pendingBytes < MAX_PENDING_BYTES) callback();
    else this.#waiting.push(callback);
  }

  async flushed(): Promise<void> {
    while (this.#busy || this.#pendingBytes > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async *read(start: number, end: number, into: Buffer | undefined): AsyncGenerator<Buffer> {
    await this.flushed();
    if (this.error !== undefined) throw this.error;
    let position = start;
    while (position < end) {
      if (this.#fd === undefined || this.#closed) throw new Error('temporary file was released while it was read');
      const buffer = into ?? Buffer.allocUnsafe(Math.min(READ_BYTES, end - position));
      const { bytesRead } = await readAt(this.#fd, buffer, 0, Math.min(buffer.length, end - position), position);
      if (bytesRead === 0) throw new Error(`temporary file ends at ${position} of ${end} bytes`);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  close(): void {
    this.#closed = true;
    if (!this.#busy) this.#closeFile();
  }

  #next(): void {
    this.#busy = false;
    if (this.#closed) return this.#closeFile();
    if (this.#pendingBytes > 0 && this.error === undefined) this.#flush();
    if (this.#pendingBytes < MAX_PENDING_BYTES) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const callback of waiting) callback();
    }
  }

  #flush(): void {
    if (this.#fd === undefined) return;
    this.#busy = true;
    const pieces = this.#pending;
    this.#pending = [];
    writev(this.#fd, pieces, this.#position, (error, written) => {
      if (error !== null) return this.#fail(error);
      this.#position += written;
      this.#pendingBytes -= written;
      const rest = cut(pieces, written, Infinity);
      if (rest.length > 0) this.#pending = [...rest, ...this.#pending];
      this.#next();
    });
  }

  #fail(error: Error): void {
    this.error = error;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#next();
  }

  #closeFile(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) close(fd, () => undefined);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- one interface for memory and file
async function* fromMemory(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

/** The bytes from `start` to before `end` of what stands in pieces. */
export function cut(pieces: readonly Buffer[], start: number, end: number): Buffer[] {
  const part: Buffer[] = [];
  let position = 0;
  for (const piece of pieces) {
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, piece.length);
    if (from < to) part.push(from === 0 && to === piece.length ? piece : piece.subarray(from, to));
    position += piece.length;
    if (position >= end) break;
  }
  return part;
}
