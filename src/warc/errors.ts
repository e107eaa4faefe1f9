/**
 * What can go wrong with WARC files, one class per reaction: refuse to start, stop the proxy, report a broken file.
 *
 * Every message is one line that names the file or the option.
 */
import { reasonOf } from '../util/thrown.ts';

/** An option or a folder that cannot be used: the program should not start. */
export class WarcOptionError extends Error {
  readonly code = 'WARC_OPTION';
  override readonly name = 'WarcOptionError';
}

/** Some bytes are not in the file: the archive is not complete, and the proxy must stop taking requests. */
export class WarcWriteError extends Error {
  readonly code = 'WARC_WRITE';
  override readonly name = 'WarcWriteError';
  readonly file: string;

  constructor(file: string, doing: string, cause: unknown) {
    super(`${file}: ${doing}: ${reasonOf(cause)}`, { cause });
    this.file = file;
  }
}

/** The file does not hold whole, well-formed WARC records from `offset` on. */
export class WarcReadError extends Error {
  readonly code = 'WARC_READ';
  override readonly name = 'WarcReadError';
  readonly file: string;
  /** start of the record that cannot be read, in bytes of the (compressed) file */
  readonly offset: number;

  constructor(file: string, offset: number, problem: string, cause?: unknown) {
    super(`${file}: record at byte ${offset}: ${problem}`, cause === undefined ? undefined : { cause });
    this.file = file;
    this.offset = offset;
  }
}

/** The file ends before what began in it does. A reader makes a `WarcReadError` of it; to a repair it means that there is nothing to lose. */
export class CutOffError extends Error {
  override readonly name = 'CutOffError';
}
