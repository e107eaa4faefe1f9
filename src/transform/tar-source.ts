/** Bytes in the amounts that a reader of tar files wants, from pieces of any size; counted, and no more than so many. */
import { badArchive, Refusal } from './errors.ts';

export class TarSource {
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #maxBytes: number;
  #held: Buffer = Buffer.alloc(0);
  #received = 0;

  constructor(pieces: AsyncIterable<Buffer>, maxBytes: number) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  /**
   * @param endAllowed nothing may follow, which is undefined then
   * @throws Refusal when less is there
   */
  async exactly(length: number, endAllowed: boolean): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#held.length === 0 && !(await this.#fill())) {
        if (endAllowed && missing === length) return undefined;
        throw this.#received < length ? noTar() : cut();
      }
      const part = this.#take(missing);
      missing -= part.length;
      parts.push(part);
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  /** The next bytes, at least one. @throws Refusal at the end */
  async upTo(length: number): Promise<Buffer> {
    if (this.#held.length === 0 && !(await this.#fill())) throw cut();
    return this.#take(length);
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0;) left -= (await this.upTo(left)).length;
  }

  /** Read to the end. */
  async drain(): Promise<void> {
    this.#held = Buffer.alloc(0);
    while (await this.#fill()) this.#held = Buffer.alloc(0);
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const next = await this.#pieces.next();
      if (next.done === true) return false;
      const { value } = next;
      this.#received += value.length;
      if (this.#received > this.#maxBytes)
        throw new Refusal(400, `the archive is too large: more than ${this.#maxBytes} bytes unpacked (CIRCE_MAX_UNPACKED)`);
      if (value.length === 0) continue;
      this.#held = value;
      return true;
    }
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }
}

/** Less than a single header. */
function noTar(): Refusal {
  return badArchive('expected a tar archive, got something else');
}

function cut(): Refusal {
  return badArchive('the archive is cut: it ends in the middle of a file');
}
