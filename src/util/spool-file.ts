/**
 * An unnamed temporary file, or a place in another file: appended to in order, read at will once everything is in it.
 *
 * A temporary file has no name any more once it is open, so that nothing is left behind by a crash.
 */
import { close, open, read, unlink, writev } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cut } from './pieces.ts';
import type { SpoolPlace, TakePlace } from './spool-place.ts';
import type { SpoolSpace } from './spool-space.ts';

/** Bytes that may wait for the disk before `write` asks its caller to pause. */
const MAX_PENDING_BYTES = 1024 * 1024;
const READ_BYTES = 256 * 1024;

const readAt = promisify(read);

export class SpoolFile {
  error: Error | undefined;
  readonly #space: SpoolSpace | undefined;
  readonly #dir: string;
  #fd: number | undefined;
  #place: SpoolPlace | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #position = 0;
  #busy = true;
  #closed = false;
  #waiting: (() => void)[] = [];

  /**
   * @param dir of temporary files
   * @param space told of what has been written
   * @param take asked for a place first
   */
  constructor(dir: string, space: SpoolSpace | undefined, take?: TakePlace) {
    this.#dir = dir;
    this.#space = space;
    if (take === undefined) this.#openTemporary();
    else void take().then((place) => this.#begin(place));
  }

  /** Where the bytes are, when they are not in a temporary file. */
  get place(): SpoolPlace | undefined {
    return this.#place;
  }

  /** bytes in the file */
  get written(): number {
    return this.#position;
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
      const at = this.#start + position;
      const { bytesRead } = await readAt(this.#fd, buffer, 0, Math.min(buffer.length, end - position), at);
      if (bytesRead === 0) throw new Error(`temporary file ends at ${position} of ${end} bytes`);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  close(): void {
    this.#closed = true;
    if (!this.#busy) this.#closeFile();
  }

  get #start(): number {
    return this.#place?.start ?? 0;
  }

  #begin(place: SpoolPlace | undefined): void {
    if (place === undefined) return this.#openTemporary();
    this.#place = place;
    this.#fd = place.fd;
    this.#next();
  }

  #openTemporary(): void {
    const path = join(this.#dir, `warctap-${randomUUID()}.tmp`);
    open(path, 'wx+', 0o600, (error, fd) => {
      if (error !== null) return this.#fail(error);
      this.#fd = fd;
      unlink(path, (unlinkError) => {
        if (unlinkError !== null) this.#fail(unlinkError);
        else this.#next();
      });
    });
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
    writev(this.#fd, pieces, this.#start + this.#position, (error, written) => {
      if (error !== null) return this.#fail(error);
      // What is closed has been taken off already.
      if (!this.#closed) this.#space?.wrote(written, this.#place !== undefined);
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
    if (this.#place !== undefined) this.#place.release();
    else if (fd !== undefined) close(fd, () => undefined);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }
}
