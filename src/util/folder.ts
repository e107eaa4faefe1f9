/**
 * Making folders, without `mkdir`'s option `recursive`: Node 20 never returns from it where a parent cannot have children (`/proc/x`).
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

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
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(dir) === dir) throw error;
    await makeFolders(dirname(dir), mode);
    await makeFolder(dir, mode);
  }
}

async function makeFolder(dir: string, mode: number): Promise<void> {
  try {
    await mkdir(dir, { mode });
  } catch (error) {
    const there = (error as NodeJS.ErrnoException).code === 'EEXIST' && (await stat(dir)).isDirectory();
    if (!there) throw error;
  }
}
