/**
 * Each record as frames of Zstandard of its own: one, or one for each 8 MiB. Each says what it holds, and ends with its checksum.
 *
 * With a dictionary all frames are packed with it, and files begin with it.
 * Source: RFC 8878; "Zstandard Compression for WARC Files" of the IIPC, §3.
 */
import { headsOf, memoryPieces, pieces } from '../../layout.ts';
import type { RecordBytes } from '../../record.ts';
import type { Encoder, UnitPieces } from '../codec.ts';
import { dictionaryFrame, type Dictionary } from './dictionary.ts';
import { loadZstd } from './library.ts';

/** More than a reader has to look back into would gain nothing. */
const FRAME_BYTES = 8 * 1024 * 1024;

export function zstdEncoder(dictionary?: Dictionary): Encoder {
  const packed = async (record: Buffer): Promise<UnitPieces> => [(await loadZstd()).pack(record, dictionary)];
  return {
    suffix: '.warc.zst',
    ...(dictionary && { start: () => dictionaryFrame(dictionary) }),
    units(records) {
      const headOf = headsOf(records);
      let next = 0;
      return {
        next() {
          const record = records[next++];
          if (record === undefined) throw new RangeError(`no record ${next - 1}`);
          const memory = memoryPieces(record, headOf);
          const bytes = memory?.reduce((sum, piece) => sum + piece.length, 0) ?? Infinity;
          return memory === undefined || bytes > FRAME_BYTES ? undefined : packed(Buffer.concat(memory, bytes));
        },
      };
    },
    async stream(record, _into, sink) {
      for await (const frame of framesOf(record)) await sink((await packed(frame)) ?? []);
    },
    close: () => Promise.resolve(),
  };
}

/** What goes into each frame of a record. */
async function* framesOf(record: RecordBytes): AsyncGenerator<Buffer, void> {
  let held: Buffer[] = [];
  let size = 0;
  // Into fresh memory: pieces are held until there are enough.
  for await (const some of pieces(record)) {
    for (let piece of some) {
      while (size + piece.length > FRAME_BYTES) {
        const part = piece.subarray(0, FRAME_BYTES - size);
        yield Buffer.concat([...held, part]);
        piece = piece.subarray(part.length);
        [held, size] = [[], 0];
      }
      held.push(piece);
      size += piece.length;
    }
  }
  yield Buffer.concat(held, size);
}
