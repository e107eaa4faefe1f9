/**
 * Names of files that are never taken from others: what is there stays.
 *
 * Source: open(2) O_EXCL, link(2), rename(2).
 */
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { codeOf } from '../../util/thrown.ts';

/** Gives a file a second name, which must be free. */
export type Link = (from: string, to: string) => Promise<void>;

const CANNOT_LINK = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** @returns false when there is a file at `to` */
export async function moveWithoutReplacing(from: string, to: string, linkFile: Link = link): Promise<boolean> {
  try {
    await linkFile(from, to);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!CANNOT_LINK.has(codeOf(error) ?? '')) throw error;
    return moveOntoPlaceholder(from, to);
  }
  await unlink(from);
  return true;
}

export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** For file systems without hard links: rename replaces only the empty file that we made ourselves. */
async function moveOntoPlaceholder(from: string, to: string): Promise<boolean> {
  const placeholder = await unlessTaken(open(to, 'wx'));
  if (placeholder === undefined) return false;
  await placeholder.close();
  await rename(from, to);
  return true;
}

/** @returns undefined when there is a file of that name */
export async function unlessTaken<T>(creating: Promise<T>): Promise<T | undefined> {
  try {
    return await creating;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
