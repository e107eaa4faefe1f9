/**
 * Files that appear whole or not at all, readable by their owner only.
 *
 * A temporary file beside the target is written first; what a crash leaves of it (`*.tmp`) is harmless.
 */
import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolders, syncFolder } from './folder.ts';
import { codeOf } from './thrown.ts';

/** What a file system says that has no hard links (FAT, some network shares). */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** Make a folder and those above it; new ones are for their owner only. */
export async function makeFolder(dir: string): Promise<void> {
  await makeFolders(dir, 0o700);
}

/**
 * Create a file that is not there yet, and have it on the disk.
 *
 * @returns false when it is there already; it is not touched then
 */
export async function createFile(file: string, text: string): Promise<boolean> {
  const temporary = temporaryFor(file);
  try {
    await writePrivate(temporary, text, true);
    await link(temporary, file).catch(async (error: unknown) => {
      if (!NO_LINKS.has(codeOf(error))) throw error;
      await writePrivate(file, text, true); // exclusive too, but a reader may come too early and see a part
    });
    await settleFolder(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Create a file or put it in the place of another. Synced only if told so: most can be made again. */
export async function replaceFile(file: string, text: string, sync = false): Promise<void> {
  const temporary = temporaryFor(file);
  try {
    await writePrivate(temporary, text, sync);
    await rename(temporary, file);
    if (sync) await settleFolder(file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}

/** Short, whatever the target's name: file systems allow 255 bytes. */
function temporaryFor(file: string): string {
  return `${dirname(file)}/.${randomUUID()}.tmp`;
}

async function writePrivate(file: string, text: string, sync: boolean): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    if (sync) await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Not every system can sync a folder; here none must. */
async function settleFolder(file: string): Promise<void> {
  await syncFolder(dirname(file)).catch(() => undefined);
}
