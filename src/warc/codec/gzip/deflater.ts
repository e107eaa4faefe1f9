/**
 * Deflates small pieces in one step, with a state that is kept from one to the next.
 *
 * `deflateRawSync` makes a stream for every call, which costs more than half of what deflating a record's header does. Keeping one goes by
 * parts of Node that are not documented: they are tried out when the module is loaded, and done without where they are missing or behave
 * in another way.
 */
import { constants, createDeflateRaw, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';

/** A small window for small pieces: initialised faster, and the same size up to 8 kB. */
const STATE: ZlibOptions = { windowBits: 13, memLevel: 7 };
/** Larger pieces are deflated without the kept state. */
const MAX_KEPT_BYTES = 16 * 1024;

/** `Z_FINISH` ends the deflated data; `Z_SYNC_FLUSH` ends at a byte border, and more blocks may follow. */
export type Flush = number;
type Deflate = (bytes: Buffer, flush: Flush) => Buffer | undefined;

/** What a zlib stream of Node 20 to 26 holds. */
interface Internals {
  readonly _handle: {
    writeSync(flush: number, from: Buffer, at: number, length: number, into: Buffer, intoAt: number, room: number): void;
    reset(): void;
  };
  /** after a call: room left, input left */
  readonly _writeState: Uint32Array;
}

const kept = keptDeflate();

/** Raw deflate data (RFC 1951), level 6. */
export function deflateRaw(bytes: Buffer, flush: Flush): Buffer {
  return kept?.(bytes, flush) ?? plain(bytes, flush);
}

function plain(bytes: Buffer, flush: Flush): Buffer {
  return deflateRawSync(bytes, { ...STATE, finishFlush: flush, chunkSize: roomFor(bytes.length) });
}

/** @returns undefined where this runtime has no such thing */
function keptDeflate(): Deflate | undefined {
  const stream = createDeflateRaw(STATE) as unknown as Internals;
  const room = Buffer.allocUnsafeSlow(roomFor(MAX_KEPT_BYTES));
  const deflate: Deflate = (bytes, flush) => {
    if (bytes.length > MAX_KEPT_BYTES) return undefined;
    const { _handle: handle, _writeState: state } = stream;
    handle.writeSync(flush, bytes, 0, bytes.length, room, 0, room.length);
    const [roomLeft = 0, inputLeft] = state;
    handle.reset();
    return inputLeft === 0 && roomLeft > 0 ? Buffer.from(room.subarray(0, room.length - roomLeft)) : undefined;
  };
  try {
    return works(deflate) ? deflate : undefined;
  } catch {
    return undefined;
  }
}

/** What goes in comes out again, several times in a row. */
function works(deflate: Deflate): boolean {
  const sample = Buffer.from(`${'WARC/1.1\r\n'.repeat(20)}WARC-Type: warcinfo`);
  return [constants.Z_SYNC_FLUSH, constants.Z_FINISH, constants.Z_SYNC_FLUSH, constants.Z_FINISH].every((flush) => {
    const deflated = deflate(sample, flush);
    return deflated !== undefined && inflateRawSync(deflated, { finishFlush: flush }).equals(sample);
  });
}

/** More than deflate can need, so that zlib is entered once. */
function roomFor(size: number): number {
  return size + (size >> 8) + 64;
}
