/**
 * One frame of Zstandard at a time, block by block: whatever is in it, no step makes more than 128 KiB.
 *
 * A dictionary in front of the first frame is passed over; frames that need one are not unpacked. Checksums of frames are not compared.
 * Source: RFC 8878; "Zstandard Compression of WARC" of the IIPC.
 */
import { CutOffError } from '../../errors.ts';
import type { FileWindow } from '../../window.ts';
import type { Decoder, Unit } from '../codec.ts';
import {
  BLOCK_HEADER_BYTES,
  blockHeader,
  CHECKSUM_BYTES,
  DICTIONARY_MAGIC,
  FRAME_MAGIC,
  frameHeader,
  MAX_HEADER_BYTES,
  skippableBytes,
} from './frame.ts';

/** What libzstd takes unless told otherwise (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`). */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;

export const zstdDecoder: Decoder = {
  magic: FRAME_MAGIC,
  alsoBegins: DICTIONARY_MAGIC,
  delimits: true,
  open: (window) => (start) => new Frame(window, start),
};

class Frame implements Unit {
  readonly #window: FileWindow;
  readonly #start: number;
  #end: number | undefined;

  constructor(window: FileWindow, start: number) {
    this.#window = window;
    this.#start = start;
  }

  get end(): number | undefined {
    return this.#end;
  }

  async *data(): AsyncGenerator<Buffer, void> {
    let at = await this.#frameStart();
    const first = await this.#window.read(at, MAX_HEADER_BYTES);
    const header = frameHeader(first);
    if (header === undefined) throw new CutOffError('Zstandard header without end');
    if (header.dictionaryId !== 0) throw new Error('packed with a dictionary, which is not unpacked: "zstd -D" does');
    if (header.windowBytes > MAX_WINDOW_BYTES)
      throw new Error(`needs ${header.windowBytes} bytes of memory to be unpacked, more than ${MAX_WINDOW_BYTES}`);
    const { Decompress } = await import('fzstd');
    let pieces: Buffer[] = [];
    // Its own memory goes on to be written to.
    const unpack = new Decompress((piece) => pieces.push(Buffer.from(piece)));
    unpack.push(first.subarray(0, header.bytes));
    at += header.bytes;
    for (let isLast = false; !isLast;) {
      const start = await this.#exactly(at, BLOCK_HEADER_BYTES);
      const block = blockHeader(start);
      ({ isLast } = block);
      const size = BLOCK_HEADER_BYTES + block.bytes + (isLast && header.hasChecksum ? CHECKSUM_BYTES : 0);
      unpack.push(await this.#exactly(at, size), isLast);
      at += size;
      const made = pieces;
      pieces = [];
      yield* made.filter((piece) => piece.length > 0);
    }
    this.#end = at;
  }

  /** Behind what is to be skipped. */
  async #frameStart(): Promise<number> {
    let at = this.#start;
    for (;;) {
      const skipped = skippableBytes(await this.#window.read(at, MAX_HEADER_BYTES));
      if (skipped === undefined) return at;
      at += skipped;
      if (at >= this.#window.end) throw new CutOffError('ends within what stands in front of a Zstandard frame');
    }
  }

  async #exactly(at: number, bytes: number): Promise<Buffer> {
    const read = await this.#window.read(at, bytes);
    if (read.length < bytes) throw new CutOffError('unexpected end of file');
    return read;
  }
}
