/**
 * What a WARC file is called while it is written to and once it is closed, and how those call it who refer to its records.
 *
 * Source: specification §3 (file names).
 */
import { relative, sep } from 'node:path';

export const OPEN_SUFFIX = '.open';

/** What names end with, whoever has written the file. */
export const WARC_SUFFIX = /\.warc(\.gz|\.zst)?$/;

/** The name that a file has when it is closed. */
export function closedName(file: string): string {
  return file.endsWith(OPEN_SUFFIX) ? file.slice(0, -OPEN_SUFFIX.length) : file;
}

/** Path of a file below the folder of WARC files: the same on every system, and the same before and after the file is closed. */
export function pathBelow(dir: string, file: string): string {
  return relative(dir, closedName(file)).split(sep).join('/');
}
