/**
 * WARC files written in another way: record for record, each byte of a record as it is, so that digests stay right and the way back is exact.
 *
 * A record is looked through before it is written: of one that is not whole nothing is. Memory holds records up to 1 MiB, of longer ones a piece.
 */
import type { Bytes } from '../../util/spool.ts';
import type { Encoder } from '../codec/codec.ts';
import { eachRecord, type Fault } from '../read/onward.ts';
import { rawRecord } from '../read/raw.ts';
import type { ReadRecord } from '../read/reader.ts';
import { RECORD_END } from '../layout.ts';
import type { RecordBytes } from '../record.ts';

export interface ConvertOptions {
  readonly encoder: Encoder;
  readonly write: (pieces: readonly Buffer[]) => Promise<void>;
  readonly onFault: (fault: Fault) => void;
  readonly onRecord: (offset: number) => void;
}

const IN_MEMORY_BYTES = 1024 * 1024;

/** @returns how many records were written */
export async function convertFile(file: string, { encoder, write, onFault, onRecord }: ConvertOptions): Promise<number> {
  let records = 0;
  const into = Buffer.alloc(64 * 1024);
  const visit = async (record: ReadRecord) => {
    onRecord(record.offset);
    const bytes = await bytesOf(file, record);
    const made = bytes.block.memory === undefined ? undefined : await encoder.units([bytes]).next();
    if (made === undefined) await encoder.stream(bytes, into, write);
    else await write(made);
    records += 1;
  };
  await eachRecord(file, visit, onFault);
  return records;
}

/** Of which all but its last two line ends count as the block: fields are not written anew. */
async function bytesOf(file: string, record: ReadRecord): Promise<RecordBytes> {
  const length = await record.length();
  const raw = () => rawRecord(file, record.offset, length);
  let size = 0;
  let memory: Buffer[] | undefined = [];
  for await (const piece of raw()) {
    size += piece.length;
    if (size > IN_MEMORY_BYTES) memory = undefined;
    memory?.push(piece);
  }
  size -= RECORD_END.length;
  const held = memory === undefined ? undefined : [Buffer.concat(memory).subarray(0, size)];
  const block: Bytes = { size, memory: held, read: () => (held === undefined ? cut(raw(), size) : fromMemory(held)) };
  return { id: '', type: record.type, date: '', head: '', block, headSize: size - record.contentLength };
}

async function* cut(pieces: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer, void> {
  let left = size;
  for await (const piece of pieces) {
    if (left > 0) yield piece.subarray(0, left);
    left -= piece.length;
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- one interface for memory and file
async function* fromMemory(held: readonly Buffer[]): AsyncGenerator<Buffer, void> {
  yield* held;
}
