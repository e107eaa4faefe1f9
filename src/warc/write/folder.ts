/**
 * The folder of WARC files: made at start, and proved to be writable before the proxy takes its first request.
 */
import { makeWritable } from '../../util/folder.ts';
import { reasonOf } from '../../util/thrown.ts';
import { WarcOptionError } from '../errors.ts';

/** @throws WarcOptionError when no file can be made in it */
export async function prepareFolder(dir: string): Promise<void> {
  try {
    await makeWritable(dir);
  } catch (error) {
    throw new WarcOptionError(`--dir ${dir}: WARC files cannot be written there: ${reasonOf(error)}`, { cause: error });
  }
}
