/**
 * libzstd and XXH64 as WebAssembly, loaded when the first frame needs them.
 *
 * Packs and unpacks whole frames in memory; whoever calls bounds them. Streams are not here: `decoder.ts` reads frames without a dictionary
 * by another library, block by block.
 * Source: RFC 8878 §3.1.1 (Content_Checksum); the manual of libzstd.
 */
import type { XXHashAPI } from 'xxhash-wasm';
import type { Dictionary } from './dictionary.ts';
import { withChecksum } from './frame.ts';

export interface Zstd {
  /** @returns a frame that says how much is in it, with its checksum */
  pack(bytes: Uint8Array, dictionary?: Dictionary): Buffer;
  /**
   * @param frame one that says in its header that it holds no more than `maxBytes`, or does not say
   * @throws when it is damaged or holds more; what it says of its checksum is compared
   */
  unpack(frame: Uint8Array, maxBytes: number, dictionary?: Dictionary): Buffer;
  readonly hash: Pick<XXHashAPI, 'create64' | 'h64Raw'>;
}

const LEVEL = 3;
const NOTHING = new Uint8Array(0);

let loading: Promise<Zstd> | undefined;

/** The same for everybody: each instance would have memory of its own. */
export function loadZstd(): Promise<Zstd> {
  return (loading ??= load());
}

async function load(): Promise<Zstd> {
  const [zstd, { default: xxhash }] = await Promise.all([import('@bokuweb/zstd-wasm'), import('xxhash-wasm')]);
  const [hash] = await Promise.all([xxhash(), zstd.init()]);
  const [packing, unpacking] = [zstd.createCCtx(), zstd.createDCtx()];
  return {
    hash,
    pack: (bytes, dictionary) => {
      const frame = zstd.compressUsingDict(packing, bytes, dictionary?.bytes ?? NOTHING, LEVEL);
      return withChecksum(bufferOf(frame), hash.h64Raw(bytes));
    },
    unpack: (frame, maxBytes, dictionary) => {
      try {
        return bufferOf(zstd.decompressUsingDict(unpacking, frame, dictionary?.bytes ?? NOTHING, { defaultHeapSize: maxBytes }));
      } catch (error) {
        throw new Error(`cannot be unpacked, or holds more than ${maxBytes} bytes`, { cause: error });
      }
    },
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
