/**
 * One gzip member of a file at a time, with the place where it ends and its checksum verified.
 *
 * Node's Gunzip runs over the borders of members, and warcio's takes what follows a broken one for plain text; a WARC reader needs both right.
 * Source: RFC 1952 §2.3.
 */
import { createInflateRaw, crc32 } from 'node:zlib';
import { Readable } from 'node:stream';
import type { FileWindow } from './window.ts';

const FIXED_HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** FEXTRA has at most 64 KiB; names and comments are short. */
const MAX_HEADER_BYTES = 128 * 1024;
const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;

export class Member {
  readonly #window: FileWindow;
  readonly #start: number;
  #end: number | undefined;

  constructor(window: FileWindow, start: number) {
    this.#window = window;
    this.#start = start;
  }

  /** Where the member ends, once all of `data()` was read. */
  get end(): number | undefined {
    return this.#end;
  }

  /** What was compressed. @throws when the member is cut off or damaged; the last piece comes before its checksum was seen */
  async *data(): AsyncGenerator<Buffer, void> {
    const dataStart = this.#start + (await headerBytes(this.#window, this.#start));
    const inflate = createInflateRaw();
    const source = Readable.from(this.#window.from(dataStart));
    source.on('error', (error) => inflate.destroy(error));
    source.pipe(inflate);
    let checksum = 0;
    let size = 0;
    try {
      for await (const piece of inflate as AsyncIterable<Buffer>) {
        checksum = crc32(piece, checksum);
        size += piece.length;
        yield piece;
      }
    } finally {
      source.destroy();
      inflate.destroy();
    }
    const trailerStart = dataStart + inflate.bytesWritten;
    const trailer = await this.#window.read(trailerStart, TRAILER_BYTES);
    if (trailer.length < TRAILER_BYTES) throw new Error('gzip member without its checksum');
    if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== size % 2 ** 32) throw new Error('gzip checksum does not match');
    this.#end = trailerStart + TRAILER_BYTES;
  }
}

/** True where a gzip member begins. */
export async function isGzip(window: FileWindow, position: number): Promise<boolean> {
  const magic = await window.read(position, 2);
  return magic.length === 2 && magic.readUInt16BE(0) === 0x1f8b;
}

async function headerBytes(window: FileWindow, start: number): Promise<number> {
  const fixed = await window.read(start, FIXED_HEADER_BYTES);
  if (fixed.length < FIXED_HEADER_BYTES || fixed.readUIntBE(0, 3) !== 0x1f8b08) throw new Error('not the start of a gzip member');
  const flags = fixed.readUInt8(3);
  if ((flags & (FHCRC | FEXTRA | FNAME | FCOMMENT)) === 0) return FIXED_HEADER_BYTES;
  const header = await window.read(start, MAX_HEADER_BYTES);
  let position = FIXED_HEADER_BYTES;
  if ((flags & FEXTRA) !== 0) position += 2 + header.readUInt16LE(position);
  for (const text of [FNAME, FCOMMENT]) {
    if ((flags & text) === 0) continue;
    const end = header.indexOf(0, position);
    if (end === -1) throw new Error('gzip header without end');
    position = end + 1;
  }
  return (flags & FHCRC) === 0 ? position : position + 2;
}
