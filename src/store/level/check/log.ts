/**
 * The records of a log file, and whether each is what LevelDB wrote.
 *
 * LevelDB's repair reads logs without looking at their checksums, and a number that is not what it was would spoil the whole database: so
 * from the first damaged record of a block on, the block is made one that holds nothing more.
 *
 * ```
 * blocks of 32 KiB: record … zeros, where no record would fit
 * record  masked CRC-32C of kind and contents (4 bytes), size (2), kind (1), contents
 * ```
 *
 * Source: https://github.com/google/leveldb/blob/main/doc/log_format.md.
 */
import { maskedCrc32c } from './crc32c.ts';

/** What stands in a block from its first damaged record on. */
export interface LogDamage {
  readonly offset: number;
  readonly bytes: number;
}

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** size and kind of a record behind which there is nothing in the block */
const NOTHING = Buffer.alloc(3);

/** The end of a log that was being written when its process was killed is not damage. */
export function checkLog(file: Buffer): readonly LogDamage[] {
  const damages: LogDamage[] = [];
  for (let block = 0; block < file.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, file.length);
    for (let at = block; at + HEADER_BYTES <= end;) {
      const size = file.readUInt16LE(at + 4);
      const kind = file[at + 6];
      if (kind === 0 && size === 0) break;
      const next = at + HEADER_BYTES + size;
      if (next > end && end === file.length) break;
      if (next > end || maskedCrc32c(file.subarray(at + 6, next)) !== file.readUInt32LE(at)) {
        damages.push({ offset: at, bytes: end - at });
        break;
      }
      at = next;
    }
  }
  return damages;
}

const FIRST_PIECE = 2;
const LAST_PIECE = 4;

/** The records of a log without damage, put together. */
export function* recordsIn(file: Buffer): Generator<Buffer, void> {
  let pieces: Buffer[] = [];
  for (let block = 0; block < file.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, file.length);
    for (let at = block; at + HEADER_BYTES <= end;) {
      const next = at + HEADER_BYTES + file.readUInt16LE(at + 4);
      const kind = file[at + 6] ?? 0;
      if (kind === 0 || next > end) break;
      if (kind <= FIRST_PIECE) pieces = [];
      pieces.push(file.subarray(at + HEADER_BYTES, next));
      if (kind === 1 || kind === LAST_PIECE) yield Buffer.concat(pieces);
      at = next;
    }
  }
}

/** Whether nothing of the last record is missing. */
export function endsWithRecord(file: Buffer): boolean {
  let at = file.length - (file.length % BLOCK_BYTES);
  while (at + HEADER_BYTES <= file.length) at += HEADER_BYTES + file.readUInt16LE(at + 4);
  return at === file.length;
}

/** What has to be written, and where, so that LevelDB goes on with the next block. */
export function skip({ offset }: LogDamage): { readonly at: number; readonly bytes: Buffer } {
  return { at: offset + 4, bytes: NOTHING };
}
