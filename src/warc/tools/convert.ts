/**
 * WARC files written in another way: record for record, each byte of a record as it is, so that digests stay right and the way back is exact.
 *
 * Of a record that is not whole nothing is written. Those up to 1 MiB are read and unpacked once, and packed many at a time while the next
 * are read; longer ones are looked through first, and memory holds a piece of them.
 */
import type { Bytes } from '../../util/spool.ts';
import type { Encoder } from '../codec/codec.ts';
import { parseHead } from '../read/head.ts';
import { eachOf, type Fault } from '../read/onward.ts';
import { rawRecord, rawRecords, type RawRecord } from '../read/raw.ts';
import { RECORD_END } from '../layout.ts';
import { bytesOf, type RecordBytes } from '../record.ts';

export interface ConvertOptions {
  readonly encoder: Encoder;
  /** takes the pieces in the order of the calls */
  readonly write: (pieces: readonly Buffer[]) => Promise<void>;
  readonly onFault: (fault: Fault) => void;
  readonly onRecord: (offset: number) => void;
}

const IN_MEMORY_BYTES = 1024 * 1024;
const BATCH_RECORDS = 512;
const BATCH_BYTES = 4 * 1024 * 1024;

/** @returns how many records were written */
export async function convertFile(file: string, { encoder, write, onFault, onRecord }: ConvertOptions): Promise<number> {
  const start = await encoder.start?.();
  let records = 0;
  let batch: RecordBytes[] = [];
  let bytes = 0;
  let writing: Promise<void> | undefined = start === undefined ? undefined : write([start]);
  const flush = async () => {
    const made = batch;
    [batch, bytes] = [[], 0];
    await writing;
    writing = writeBatch(made, encoder, write);
    // Whoever waits for it next is told.
    writing.catch(() => undefined);
  };
  const visit = async (record: RawRecord) => {
    onRecord(record.offset);
    const whole = recordBytes(file, record);
    batch.push(whole);
    bytes += record.bytes?.length ?? 0;
    records += 1;
    if (record.bytes === undefined || bytes >= BATCH_BYTES || batch.length >= BATCH_RECORDS) await flush();
  };
  await eachOf(file, (from) => rawRecords(file, from, IN_MEMORY_BYTES), visit, onFault);
  await flush();
  await writing;
  return records;
}

async function writeBatch(batch: readonly RecordBytes[], encoder: Encoder, write: ConvertOptions['write']): Promise<void> {
  const units = encoder.units(batch);
  let made: Buffer[] = [];
  for (const record of batch) {
    const unit = await units.next();
    if (unit !== undefined) made.push(...unit);
    else {
      await write(made);
      made = [];
      await encoder.stream(record, Buffer.alloc(64 * 1024), write);
    }
  }
  await write(made);
}

/** Of which all but its last two line ends count as the block: fields are not written anew. */
function recordBytes(file: string, { offset, length, size, begin, bytes }: RawRecord): RecordBytes {
  const blockSize = size - RECORD_END.length;
  const onDisk: Bytes = { size: blockSize, memory: undefined, read: () => upTo(blockSize, rawRecord(file, offset, length)) };
  const block = bytes === undefined ? onDisk : bytesOf(bytes.subarray(0, blockSize));
  return { id: '', type: '', date: '', head: '', block, headSize: parseHead(begin)?.headBytes ?? 0 };
}

async function* upTo(size: number, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let left = size;
  for await (const piece of pieces) {
    if (left > 0) yield piece.subarray(0, left);
    left -= piece.length;
  }
}
