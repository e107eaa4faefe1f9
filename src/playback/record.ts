/**
 * One record of our WARC files, opened at the place that the index gives, whether its file is closed already or still being written.
 */
import { join } from 'node:path';
import type { PlaybackPlace } from '../store/playback.ts';
import { WarcReadError } from '../warc/errors.ts';
import { OPEN_SUFFIX } from '../warc/paths.ts';
import type { ReadRecord } from '../warc/read/reader.ts';
import { codeOf, isSystemError, reasonOf } from '../util/thrown.ts';

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
export async function openRecord(dir: string, place: PlaybackPlace): Promise<OpenRecord | string> {
  const { file, offset, length, recordId } = place;
  // Only now: a proxy without playback, or that nobody plays back from, does without the library that reads WARC.
  const { readWarc } = await import('../warc/read/reader.ts');
  for (const suffix of SUFFIXES) {
    const records = readWarc(join(dir, file + suffix), { start: offset, end: offset + length });
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
