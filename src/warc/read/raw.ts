/**
 * The bytes of records as they stand in an uncompressed file: version line, fields, block and the two line ends, nothing understood but
 * where each ends.
 */
import { open } from 'node:fs/promises';
import { reasonOf } from '../../util/thrown.ts';
import { decoderAt } from '../codec/decoders.ts';
import { WarcReadError } from '../errors.ts';
import { FileWindow } from '../window.ts';
import { plainWalk } from './plain-walk.ts';
import { unitWalk } from './unit-walk.ts';

const BEGIN_BYTES = 16 * 1024;

/** A record that is whole. */
export interface RawRecord {
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
  /** bytes in the (compressed) file */
  readonly length: number;
  /** bytes, unpacked */
  readonly size: number;
  /** its first bytes, the header among them unless that is very long */
  readonly begin: Buffer;
  /** all of it; undefined when it is larger than was asked for */
  readonly bytes: Buffer | undefined;
}

/**
 * The records of a file in order, each read and unpacked once.
 *
 * @param maxHeldBytes of a record
 * @throws WarcReadError where the file is not whole and well-formed, or cannot be read
 */
export async function* rawRecords(file: string, start: number, maxHeldBytes: number): AsyncGenerator<RawRecord, void> {
  let offset = start;
  try {
    await using handle = await open(file, 'r');
    const window = new FileWindow(handle, (await handle.stat()).size);
    const decoder = await decoderAt(window, offset);
    const walk = decoder.delimits ? unitWalk(decoder, window) : plainWalk(window);
    while (offset < window.end) {
      const held = new Held(maxHeldBytes);
      const end = await walk.recordEnd(offset, (piece) => held.add(piece));
      const length = end - offset;
      if (!decoder.delimits) held.add(await window.read(offset, length > maxHeldBytes ? BEGIN_BYTES : length));
      const { begin, bytes, size } = held;
      yield {
        offset,
        length,
        begin,
        bytes: size === length || decoder.delimits ? bytes : undefined,
        size: decoder.delimits ? size : length,
      };
      offset = end;
    }
  } catch (error) {
    throw error instanceof WarcReadError ? error : new WarcReadError(file, offset, reasonOf(error), error);
  }
}

class Held {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #size = 0;
  begin: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(piece: Buffer): void {
    if (this.#size < BEGIN_BYTES) this.begin = this.#size === 0 ? piece : Buffer.concat([this.begin, piece]);
    this.#size += piece.length;
    if (this.#size <= this.#maxBytes) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): Buffer | undefined {
    if (this.#size > this.#maxBytes) return undefined;
    const [only, ...more] = this.#pieces;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.#pieces, this.#size);
  }
}

/**
 * @param offset where the record begins in the (compressed) file; @param length its bytes there
 * @throws the system's error, or what its unit throws when it is damaged
 */
export async function* rawRecord(file: string, offset: number, length: number): AsyncGenerator<Buffer, void> {
  const handle = await open(file, 'r');
  try {
    const window = new FileWindow(handle, offset + length);
    const decoder = await decoderAt(window, offset);
    yield* decoder.open(window)(offset).data();
  } finally {
    await handle.close();
  }
}
