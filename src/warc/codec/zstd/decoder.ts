/**
 * The frames of Zstandard that a record is packed in, usually one: block by block, so that whatever is in it, no step makes more than 128 KiB.
 *
 * Of a file with a dictionary each frame is unpacked at once, up to a bound. Checksums are compared. What is to be skipped is.
 * Source: RFC 8878; "Zstandard Compression for WARC Files" of the IIPC.
 */
import { CutOffError } from '../../errors.ts';
import type { FileWindow } from '../../window.ts';
import type { Decoder, Unit } from '../codec.ts';
import { dictionaryIn, type Dictionary } from './dictionary.ts';
import {
  BLOCK_HEADER_BYTES,
  blockHeader,
  CHECKSUM_BYTES,
  DICTIONARY_MAGIC,
  FRAME_MAGIC,
  frameHeader,
  MAX_BLOCK_BYTES,
  MAX_HEADER_BYTES,
  beginsSkippable,
  skippableBytes,
  type FrameHeader,
} from './frame.ts';
import { loadZstd } from './library.ts';

/** What libzstd takes unless told otherwise (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`). */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
/** Of a frame with a dictionary, packed or not. */
const MAX_AT_ONCE_BYTES = 128 * 1024 * 1024;

export const zstdDecoder: Decoder = {
  magic: FRAME_MAGIC,
  alsoBegins: DICTIONARY_MAGIC,
  delimits: true,
  open(window) {
    let dictionary: Promise<Dictionary | undefined> | undefined;
    return (start) => new Frames(window, start, () => (dictionary ??= dictionaryIn(window)));
  },
};

class Frames implements Unit {
  readonly #window: FileWindow;
  readonly #dictionary: () => Promise<Dictionary | undefined>;
  readonly #start: number;
  #end: number | undefined;
  #isLast = false;

  constructor(window: FileWindow, start: number, dictionary: () => Promise<Dictionary | undefined>) {
    this.#window = window;
    this.#start = start;
    this.#dictionary = dictionary;
  }

  get end(): number | undefined {
    return this.#end;
  }

  last(): void {
    this.#isLast = true;
  }

  async *data(): AsyncGenerator<Buffer, void> {
    let at = this.#start;
    do at = yield* this.#frame(await this.#frameStart(at));
    while (!this.#isLast && at < this.#window.end);
    this.#end = await this.#behindSkipped(at);
  }

  /** @returns where it ends */
  async *#frame(at: number): AsyncGenerator<Buffer, number> {
    const header = frameHeader(await this.#window.read(at, MAX_HEADER_BYTES));
    if (header === undefined) throw new CutOffError('Zstandard header without end');
    const dictionary = await this.#dictionaryFor(header);
    return yield* dictionary === undefined ? this.#blocks(at, header) : this.#atOnce(at, header, dictionary);
  }

  async #dictionaryFor({ dictionaryId, contentBytes = Infinity }: FrameHeader): Promise<Dictionary | undefined> {
    const dictionary = await this.#dictionary();
    if (dictionaryId !== 0 && dictionaryId !== dictionary?.id)
      throw new Error(`packed with the dictionary ${dictionaryId}, which is not in the file: "zstd -D" unpacks it`);
    // What is larger, and says of no dictionary, has most likely none.
    return dictionaryId === 0 && contentBytes > MAX_AT_ONCE_BYTES ? undefined : dictionary;
  }

  async *#blocks(start: number, header: FrameHeader): AsyncGenerator<Buffer, number> {
    if (header.windowBytes > MAX_WINDOW_BYTES)
      throw new Error(`needs ${header.windowBytes} bytes of memory to be unpacked, more than ${MAX_WINDOW_BYTES}`);
    const [{ Decompress }, checksum] = await Promise.all([import('fzstd'), header.hasChecksum ? newChecksum() : undefined]);
    let made: Buffer[] = [];
    // Its own memory goes on to be written to.
    const unpack = new Decompress((piece) => made.push(Buffer.from(piece)));
    unpack.push(await this.#exactly(start, header.bytes));
    let at = start + header.bytes;
    for (let isLast = false; !isLast;) {
      const block = blockHeader(await this.#exactly(at, BLOCK_HEADER_BYTES));
      ({ isLast } = block);
      const size = BLOCK_HEADER_BYTES + block.bytes + (isLast ? checksumBytes(header) : 0);
      const bytes = await this.#exactly(at, size);
      unpack.push(bytes, isLast);
      at += size;
      const pieces = made;
      made = [];
      for (const piece of pieces) checksum?.update(piece);
      if (isLast && checksum !== undefined) compare(checksum.digest(), bytes);
      yield* pieces.filter((piece) => piece.length > 0);
    }
    return at;
  }

  async *#atOnce(start: number, header: FrameHeader, dictionary: Dictionary): AsyncGenerator<Buffer, number> {
    let at = start + header.bytes;
    let blocks = 0;
    for (let isLast = false; !isLast; blocks++) {
      const block = blockHeader(await this.#exactly(at, BLOCK_HEADER_BYTES));
      ({ isLast } = block);
      at += BLOCK_HEADER_BYTES + block.bytes;
      if (at > this.#window.end) throw new CutOffError('unexpected end of file');
    }
    at += checksumBytes(header);
    const size = header.contentBytes ?? Math.min(blocks * MAX_BLOCK_BYTES, MAX_AT_ONCE_BYTES);
    if (size > MAX_AT_ONCE_BYTES || at - start > MAX_AT_ONCE_BYTES)
      throw new Error(`a frame with a dictionary, of more than ${MAX_AT_ONCE_BYTES} bytes: "zstd -D" unpacks it`);
    const bytes = (await loadZstd()).unpack(await this.#exactly(start, at - start), Math.max(size, 1), dictionary);
    if (bytes.length > 0) yield bytes;
    return at;
  }

  /** Behind what is to be skipped. */
  async #frameStart(from: number): Promise<number> {
    const at = await this.#behindSkipped(from);
    const first = await this.#window.read(at, MAX_HEADER_BYTES);
    const isCut = beginsSkippable(first) || skippableBytes(first) !== undefined;
    if (isCut || (at >= this.#window.end && at > from)) throw new CutOffError('ends within what stands in front of a Zstandard frame');
    return at;
  }

  /** What is to be skipped behind a record belongs to it, so that the next begins with a frame of its own. */
  async #behindSkipped(from: number): Promise<number> {
    let at = from;
    for (;;) {
      const skipped = skippableBytes(await this.#window.read(at, MAX_HEADER_BYTES));
      if (skipped === undefined || at + skipped > this.#window.end) return at;
      at += skipped;
    }
  }

  async #exactly(at: number, bytes: number): Promise<Buffer> {
    const read = await this.#window.read(at, bytes);
    if (read.length < bytes) throw new CutOffError('unexpected end of file');
    return read;
  }
}

async function newChecksum() {
  return (await loadZstd()).hash.create64();
}

function checksumBytes({ hasChecksum }: FrameHeader): number {
  return hasChecksum ? CHECKSUM_BYTES : 0;
}

/** @param last what ends with it */
function compare(digest: bigint, last: Buffer): void {
  if (Number(digest & 0xffff_ffffn) !== last.readUInt32LE(last.length - CHECKSUM_BYTES))
    throw new Error('Zstandard checksum does not match');
}
