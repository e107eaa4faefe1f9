/**
 * All records of a file that can be read: behind a fault it goes on where the next whole record is found.
 */
import { open } from 'node:fs/promises';
import { isSystemError } from '../../util/thrown.ts';
import { whyUnreadable } from '../../util/why-unreadable.ts';
import { WarcReadError } from '../errors.ts';
import { FileWindow } from '../window.ts';
import { readWarc, type ReadRecord } from './reader.ts';
import { findRecord } from './scan.ts';

export interface Fault {
  readonly file: string;
  /** start of the record in bytes of the (compressed) file; undefined when it is about the whole file */
  readonly offset: number | undefined;
  /** one line */
  readonly problem: string;
}

/**
 * Look at the records of a file, one after the other.
 *
 * @param visit may throw the record's own WarcReadError, which is told as any fault of the file
 * @throws whatever else `visit` throws
 */
export function eachRecord(file: string, visit: (record: ReadRecord) => Promise<void>, onFault: (fault: Fault) => void): Promise<void> {
  return eachOf(file, (start) => readWarc(file, { start }), visit, onFault);
}

/**
 * The same, however the records are read.
 *
 * @param read from a place on, where one begins
 */
export async function eachOf<Read>(
  file: string,
  read: (start: number) => AsyncIterable<Read>,
  visit: (record: Read) => Promise<void>,
  onFault: (fault: Fault) => void,
): Promise<void> {
  let next: number | undefined = 0;
  while (next !== undefined) {
    try {
      for await (const record of read(next)) await visit(record);
      next = undefined;
    } catch (error) {
      if (!(error instanceof WarcReadError)) throw error;
      const isSystem = isSystemError(error.cause);
      onFault({ file, offset: isSystem ? undefined : error.offset, problem: whyUnreadable(error.cause ?? error.message) });
      next = isSystem ? undefined : await recordAfter(file, error.offset);
    }
  }
}

/** A fault in one line. */
export function faultLine({ file, offset, problem }: Fault): string {
  return `${file}: ${offset === undefined ? '' : `record at byte ${offset}: `}${problem}`;
}

async function recordAfter(file: string, offset: number): Promise<number | undefined> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    return await findRecord(new FileWindow(handle, size), offset);
  } finally {
    await handle.close();
  }
}
