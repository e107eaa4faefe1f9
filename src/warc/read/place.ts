/**
 * One record of our WARC files, opened at a place that is known, whether its file is closed already or still being written.
 */
import { join } from 'node:path';
import { codeOf, isSystemError, reasonOf } from '../../util/thrown.ts';
import { WarcReadError } from '../errors.ts';
import { OPEN_SUFFIX } from '../paths.ts';
import type { ReadRecord } from './reader.ts';

export interface Place {
  /** path below the folder, without `.open` */
  readonly file: string;
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
  /** bytes in the (compressed) file; undefined where they are not known */
  readonly length?: number | undefined;
  readonly recordId: string;
}

export interface OpenRecord {
  readonly record: ReadRecord;
  /** Let go of the file. Further calls do nothing. */
  close(): Promise<unknown>;
}

/** The final name first, and again at last: it may be given to the file while we look. */
const SUFFIXES = ['', OPEN_SUFFIX, ''];

/**
 * @returns the record, or why it is not there: the file is gone or cut off, or something else stands in its place
 * @throws WarcReadError when the system does not let us read
 */
export async function openRecord(dir: string, place: Place): Promise<OpenRecord | string> {
  const { file, offset, length, recordId } = place;
  // Only now: a proxy without playback, or that nobody plays back from, does without the library that reads WARC.
  const { readWarc } = await import('./reader.ts');
  for (const suffix of SUFFIXES) {
    const records = readWarc(join(dir, file + suffix), { start: offset, ...(length === undefined ? {} : { end: offset + length }) });
    const close = () => records.return();
    try {
      const { value: record } = await records.next();
      if (record?.header('WARC-Record-ID') === recordId) return { record, close };
      await close();
      return record === undefined ? 'the file ends before it' : 'another record stands in its place';
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) return reasonOf(error);
      if (code !== 'ENOENT') throw error;
    }
  }
  return 'its file is gone';
}

/** ENOENT, EMFILE …; undefined when what was read is no record. */
function systemCode(error: unknown): string | undefined {
  const cause = error instanceof WarcReadError ? error.cause : error;
  return isSystemError(cause) ? codeOf(cause) : undefined;
}
