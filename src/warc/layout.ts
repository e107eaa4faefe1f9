/**
 * A record's bytes as they stand in an uncompressed file: header, block, two line ends.
 *
 * Checks that the block is as long as the header says: a record that is too short would swallow the next one.
 * Source: ISO 28500:2017 §4 (warc-record).
 */
import type { RecordBytes } from './record.ts';

export const RECORD_END = Buffer.from('\r\n\r\n');

/** In UTF-8. */
const MAX_CHARACTER_BYTES = 4;

/** Bytes of a record's header. */
export type HeadOf = (record: RecordBytes) => Buffer;

const headOfOne: HeadOf = ({ head }) => Buffer.from(head);

/**
 * The headers of many records, made at once: one by one most of the time goes into the calls.
 *
 * @returns to be asked for each of these records, in their order
 */
export function headsOf(records: readonly RecordBytes[]): HeadOf {
  let text = '';
  for (const { head } of records) text += head;
  // Where all is ASCII characters are bytes, and there is nothing to be counted first. Anything else takes more, and finds room for some of it.
  const bytes = Buffer.allocUnsafeSlow(text.length + MAX_CHARACTER_BYTES);
  if (bytes.write(text) !== text.length) return headOfOne;
  let end = 0;
  return ({ head }) => bytes.subarray(end, (end += head.length));
}

/** All pieces of a record, the header as the first, or undefined when its block is not in memory. */
export function memoryPieces(record: RecordBytes, headOf = headOfOne): readonly Buffer[] | undefined {
  const head = headOf(record);
  const { memory } = record.block;
  if (memory === undefined) return undefined;
  // Of its final length from the beginning: one that grows has room for seventeen.
  const all = new Array<Buffer>(memory.length + 2);
  all[0] = head;
  let size = 0;
  let end = 1;
  for (const piece of memory) {
    size += piece.length;
    all[end++] = piece;
  }
  all[end] = RECORD_END;
  checkSize(record, size);
  return all;
}

/**
 * All pieces, some at a time: the header together with the first of the block.
 *
 * @param into as `Bytes.read`
 */
export async function* pieces(record: RecordBytes, into?: Buffer): AsyncGenerator<readonly Buffer[]> {
  let some: Buffer[] = [Buffer.from(record.head)];
  let size = 0;
  for await (const piece of record.block.read(into)) {
    size += piece.length;
    some.push(piece);
    yield some;
    some = [];
  }
  checkSize(record, size);
  yield [...some, RECORD_END];
}

function checkSize(record: RecordBytes, size: number): void {
  if (size !== record.block.size) throw new Error(`block of ${record.id} has ${size} bytes instead of ${record.block.size}`);
}
