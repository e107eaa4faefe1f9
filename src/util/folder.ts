/**
 * Making folders, without `mkdir`'s option `recursive`: Node 20 never returns from it where a parent cannot have children (`/proc/x`).
 * And having on the disk what was done in one.
 */
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './thrown.ts';

/**
 * Make a folder and those above it, unless they are there.
 *
 * @param mode of new ones
 * @throws the system's error
 */
export async function makeFolders(dir: string, mode = 0o777): Promise<void> {
  try {
    await makeFolder(dir, mode);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(dir) === dir) throw error;
    await makeFolders(dirname(dir), mode);
    await makeFolder(dir, mode);
  }
}

async function makeFolder(dir: string, mode: number): Promise<void> {
  try {
    await mkdir(dir, { mode });
  } catch (error) {
    const there = codeOf(error) === 'EEXIST' && (await stat(dir)).isDirectory();
    if (!there) throw error;
  }
}

/**
 * What was created, named or deleted in a folder is on the disk: without this the name could be gone after a power cut, though the bytes
 * were there.
 *
 * @throws the system's error
 */
export async function syncFolder(dir: string): Promise<void> {
  // Windows does not open folders, and has no need to.
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
