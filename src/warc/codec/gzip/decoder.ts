/**
 * One gzip member of a file at a time, with the place where it ends and its checksum verified.
 *
 * Node's Gunzip runs over the borders of members, and warcio's takes what follows a broken one for plain text; a WARC reader needs both right.
 * Source: RFC 1952 §2.3.
 */
import { createInflateRaw, crc32, inflateRawSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { codeOf } from '../../../util/thrown.ts';
import { CutOffError } from '../../errors.ts';
import type { FileWindow } from '../../window.ts';
import type { Decoder, Unit } from '../codec.ts';

const MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);
const FIXED_HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** FEXTRA has at most 64 KiB; names and comments are short. */
const MAX_HEADER_BYTES = 128 * 1024;
/** A member that begins and ends within so many bytes is unpacked at once: a stream for each costs several times as much. */
const AT_ONCE_BYTES = 64 * 1024;
const AT_ONCE_UNPACKED_BYTES = 1024 * 1024;
/** A trip to the thread pool for each; 16 kB of output at a time costs a third more. */
const STREAM_CHUNK_BYTES = 256 * 1024;
const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
/** Bits that mean nothing yet: what sets them may be laid out in another way. */
const RESERVED = 0xe0;

export const gzipDecoder: Decoder = {
  magic: MAGIC,
  delimits: true,
  open: (window) => (start) => new Member(window, start),
};

class Member implements Unit {
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
    const dataStart = this.#start + (await headerBytes(this.#window, this.#start));
    const small = unpackAtOnce(await this.#window.read(dataStart, AT_ONCE_BYTES));
    if (small !== undefined) {
      await this.#finish(dataStart + small.packedBytes, crc32(small.data), small.data.length);
      if (small.data.length > 0) yield small.data;
      return;
    }
    const inflate = createInflateRaw({ chunkSize: STREAM_CHUNK_BYTES });
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
    } catch (error) {
      throw codeOf(error) === 'Z_BUF_ERROR' ? new CutOffError('unexpected end of file', { cause: error }) : error;
    } finally {
      source.destroy();
      inflate.destroy();
    }
    await this.#finish(dataStart + inflate.bytesWritten, checksum, size);
  }

  async #finish(trailerStart: number, checksum: number, size: number): Promise<void> {
    const trailer = await this.#window.read(trailerStart, TRAILER_BYTES);
    if (trailer.length < TRAILER_BYTES) throw new CutOffError('gzip member without its checksum');
    if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== size % 2 ** 32) throw new Error('gzip checksum does not match');
    this.#end = trailerStart + TRAILER_BYTES;
  }
}

/** What a short member holds; undefined when these bytes are not all of it. @throws when they are damaged: whoever searches tries many */
function unpackAtOnce(bytes: Buffer): { data: Buffer; packedBytes: number } | undefined {
  try {
    const options = { info: true, maxOutputLength: AT_ONCE_UNPACKED_BYTES };
    // With `info` the engine comes back, too, and says how much of the input it took.
    const { buffer, engine } = inflateRawSync(bytes, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return { data: buffer, packedBytes: engine.bytesWritten };
  } catch (error) {
    if (codeOf(error) === 'Z_DATA_ERROR') throw error;
    return undefined;
  }
}

async function headerBytes(window: FileWindow, start: number): Promise<number> {
  const fixed = await window.read(start, FIXED_HEADER_BYTES);
  if (!MAGIC.subarray(0, fixed.length).equals(fixed.subarray(0, MAGIC.length))) throw new Error('not the start of a gzip member');
  if (fixed.length < FIXED_HEADER_BYTES) throw new CutOffError('gzip header without end');
  const flags = fixed.readUInt8(3);
  if ((flags & RESERVED) !== 0) throw new Error('gzip header with unknown flags');
  if ((flags & (FHCRC | FEXTRA | FNAME | FCOMMENT)) === 0) return FIXED_HEADER_BYTES;
  const header = await window.read(start, MAX_HEADER_BYTES);
  let position = FIXED_HEADER_BYTES;
  if ((flags & FEXTRA) !== 0) {
    if (header.length < position + 2) throw new CutOffError('gzip header without end');
    position += 2 + header.readUInt16LE(position);
  }
  for (const text of [FNAME, FCOMMENT]) {
    if ((flags & text) === 0) continue;
    const end = header.indexOf(0, position);
    if (end === -1) throw header.length < MAX_HEADER_BYTES ? new CutOffError('gzip header without end') : new Error('gzip header too long');
    position = end + 1;
  }
  if ((flags & FHCRC) === 0) return position;
  if (header.length < position + 2) throw new CutOffError('gzip header without end');
  if (header.readUInt16LE(position) !== crc32(header.subarray(0, position)) % 2 ** 16)
    throw new Error('gzip header checksum does not match');
  return position + 2;
}
