/**
 * Records as bytes: whole, their heads, or their bodies unpacked. Nothing is held but the piece on its way and the heads.
 */
import { WarcReadError } from '../errors.ts';
import { parseHead } from '../read/head.ts';
import { eachRecord, type Fault } from '../read/onward.ts';
import { rawRecord } from '../read/raw.ts';
import { readWarc, type ReadRecord } from '../read/reader.ts';
import { isSystemError } from '../../util/thrown.ts';
import { whyUnreadable } from '../../util/why-unreadable.ts';
import { decodedBody, isReadFault } from './body.ts';
import { glanceAt, type Glance } from './glance.ts';

export interface RecordPlace {
  readonly file: string;
  /** where the one record that is meant begins; without it all of the file are */
  readonly offset: number | undefined;
}

export interface PrintOptions {
  readonly part: 'all' | 'head' | 'body';
  readonly isMeant: (glance: Glance) => boolean;
  /** a body that unpacks to more is cut, and told as a fault */
  readonly maxBodyBytes: number;
  readonly write: (bytes: Buffer) => Promise<void> | undefined;
  readonly onFault: (fault: Fault) => void;
  readonly onRecord: (file: string, offset: number) => void;
}

/** @returns how many records were meant */
export async function printRecords(places: readonly RecordPlace[], options: PrintOptions): Promise<number> {
  let printed = 0;
  for (const { file, offset } of places) {
    const visit = async (record: ReadRecord) => {
      options.onRecord(file, record.offset);
      const glance = await glanceAt(record);
      if (!options.isMeant(glance)) return;
      printed += 1;
      await print(file, glance, options);
    };
    if (offset === undefined) await eachRecord(file, visit, options.onFault);
    else await oneRecord(file, offset, visit, options.onFault);
  }
  return printed;
}

async function oneRecord(
  file: string,
  offset: number,
  visit: (record: ReadRecord) => Promise<void>,
  onFault: (fault: Fault) => void,
): Promise<void> {
  const records = readWarc(file, { start: offset });
  try {
    const { value: record } = await records.next();
    if (record === undefined) onFault({ file, offset, problem: 'the file ends before it' });
    else await visit(record);
  } catch (error) {
    if (!(error instanceof WarcReadError)) throw error;
    const isSystem = isSystemError(error.cause);
    onFault({ file, offset: isSystem ? undefined : offset, problem: whyUnreadable(error.cause ?? error.message) });
  } finally {
    await records.return();
  }
}

async function print(file: string, glance: Glance, options: PrintOptions): Promise<void> {
  const { record, block } = glance;
  if (options.part === 'body') return printBody(file, glance, options);
  const length = await record.length();
  const blockBytes = options.part === 'all' || block.kind === 'bytes' ? 0 : record.contentLength - block.bodySize;
  let left = options.part === 'all' ? Infinity : undefined;
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of rawRecord(file, record.offset, length)) {
    let bytes = piece;
    if (left === undefined) {
      held = Buffer.concat([held, piece]);
      const head = parseHead(held);
      if (head === undefined) continue;
      left = head.headBytes + blockBytes;
      bytes = held;
    }
    if (left <= 0) break;
    await options.write(bytes.subarray(0, Math.min(left, bytes.length)));
    left -= bytes.length;
  }
}

async function printBody(file: string, { record, block }: Glance, { write, onFault, maxBodyBytes }: PrintOptions): Promise<void> {
  const fault = (problem: string) => onFault({ file, offset: record.offset, problem });
  let left = maxBodyBytes;
  try {
    for await (const piece of decodedBody(block)) {
      await write(piece.subarray(0, left));
      left -= piece.length;
      if (left < 0) return fault(`its body unpacks to more than ${maxBodyBytes} bytes, and is cut there (--max-body)`);
    }
  } catch (error) {
    // A fault of the file is told by who reads on.
    if (!isReadFault(error) || error instanceof WarcReadError) throw error;
    fault(`its body ${error.message}`);
  }
}
