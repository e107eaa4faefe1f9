/**
 * Making folders, without `mkdir`'s option `recursive`: Node 20 never returns from it where a parent cannot have children (`/proc/x`).
 * And having on the disk what was done in one.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, reasonOf } from './thrown.ts';

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

/**
 * Whether files can be made in a folder: one is, and is taken away again.
 *
 * @throws Error whose message says why not, in words
 */
export async function proveWritable(dir: string): Promise<void> {
  const probe = join(dir, `.warctap-${randomUUID()}.tmp`);
  try {
    const handle = await open(probe, 'wx');
    await handle.close();
    await unlink(probe);
  } catch (error) {
    throw new Error(whyNotWritable(error), { cause: error });
  }
}

/** As `makeFolders` and `proveWritable`, with one kind of error. */
export async function makeWritable(dir: string): Promise<void> {
  await makeFolders(dir).catch((error: unknown) => {
    throw new Error(whyNotWritable(error), { cause: error });
  });
  await proveWritable(dir);
}

const WHY: Readonly<Record<string, string>> = {
  EEXIST: 'it is a file, not a folder',
  ENOTDIR: 'it, or a folder above it, is a file',
  ENOENT: 'there is no such folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its disk is full',
};

/** Why nothing can be written in a folder, in words that follow a colon. */
export function whyNotWritable(error: unknown): string {
  const code = codeOf(error);
  return (code === undefined ? undefined : WHY[code]) ?? reasonOf(error);
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
