/**
 * Each record as a frame of Zstandard of its own, without a dictionary.
 *
 * There is one state for streams: one record is streamed at a time.
 * Source: RFC 8878; "Zstandard Compression of WARC" of the IIPC.
 */
import { memoryPieces, pieces } from '../../layout.ts';
import type { Encoder, UnitPieces } from '../codec.ts';

const LEVEL = 3;

export const zstdEncoder: Encoder = {
  suffix: '.warc.zst',
  units(records) {
    let next = 0;
    return {
      next() {
        const record = records[next++];
        if (record === undefined) throw new RangeError(`no record ${next - 1}`);
        const memory = memoryPieces(record);
        return memory === undefined ? undefined : packed(Buffer.concat(memory));
      },
    };
  },
  async stream(record, into, sink) {
    const zstd = await load();
    zstd.reset();
    zstd.setCompressionLevel(LEVEL);
    for await (const some of pieces(record, into)) await sink([Buffer.from(zstd.compressChunk(Buffer.concat(some)))]);
    await sink([Buffer.from(zstd.compressEnd())]);
  },
  close: () => Promise.resolve(),
};

async function packed(record: Buffer): Promise<UnitPieces> {
  const zstd = await load();
  return [Buffer.from(zstd.compress(record, LEVEL))];
}

async function load() {
  const { Zstd } = await import('@hpcc-js/wasm-zstd');
  return Zstd.load();
}
