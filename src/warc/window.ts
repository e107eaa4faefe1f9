/**
 * Reads a file at any place, a large piece at a time, so that many small records cost few system calls.
 *
 * Does not own the file handle.
 */

const WINDOW_BYTES = 256 * 1024;
const SEARCHED_BYTES = 64 * 1024;

/** What is needed of a `FileHandle`. */
export interface ReadHandle {
  read(into: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

export class FileWindow {
  readonly #handle: ReadHandle;
  readonly #end: number;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  /** @param end nothing at or after it is read */
  constructor(handle: ReadHandle, end: number) {
    this.#handle = handle;
    this.#end = end;
  }

  get end(): number {
    return this.#end;
  }

  /** So many bytes from `position` on, less at the end of the file. They must not be changed. */
  async read(position: number, size: number): Promise<Buffer> {
    const wanted = Math.max(Math.min(size, this.#end - position), 0);
    const loaded = position >= this.#start && position + wanted <= this.#start + this.#bytes.length;
    // Not through the fields after waiting: another read may have moved the window on.
    const bytes = loaded ? this.#bytes.subarray(position - this.#start) : await this.#load(position, wanted);
    return bytes.subarray(0, wanted);
  }

  /** All bytes from `position` on, in pieces. */
  async *from(position: number): AsyncGenerator<Buffer, void> {
    let next = position;
    while (next < this.#end) {
      const inWindow = this.#start + this.#bytes.length - next;
      const piece = await this.read(next, next >= this.#start && inWindow > 0 ? inWindow : WINDOW_BYTES);
      if (piece.length === 0) return;
      next += piece.length;
      yield piece;
    }
  }

  /** Where these bytes stand next, at `from` or later. */
  async indexOf(wanted: Buffer, from: number): Promise<number | undefined> {
    let next = from;
    while (next < this.#end) {
      const bytes = await this.read(next, SEARCHED_BYTES);
      const found = bytes.indexOf(wanted);
      if (found !== -1) return next + found;
      next += Math.max(bytes.length - wanted.length + 1, 1);
    }
    return undefined;
  }

  async #load(position: number, size: number): Promise<Buffer> {
    // A new buffer each time: pieces of the old one may still be in use.
    const buffer = Buffer.allocUnsafe(Math.max(Math.min(WINDOW_BYTES, this.#end - position), size));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#start = position;
    this.#bytes = buffer.subarray(0, filled);
    return this.#bytes;
  }
}
