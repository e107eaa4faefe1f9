/**
 * The folder of WARC files: made at start, and proved to be writable before the proxy takes its first request.
 */
import { randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../util/folder.ts';
import { reasonOf } from '../../util/thrown.ts';
import { WarcOptionError } from '../errors.ts';

/** @throws WarcOptionError when no file can be made in it */
export async function prepareFolder(dir: string): Promise<void> {
  const probe = join(dir, `.warctap-${randomUUID()}.tmp`);
  try {
    await makeFolders(dir);
    const handle = await open(probe, 'wx');
    await handle.close();
    await unlink(probe);
  } catch (error) {
    throw new WarcOptionError(`--dir ${dir}: WARC files cannot be written there: ${reasonOf(error)}`, { cause: error });
  }
}
