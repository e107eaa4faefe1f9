/**
 * A new file under a name that is nobody else's.
 *
 * Source: open(2) O_EXCL, fcntl(2) locks.
 */
import { fstatSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../util/folder.ts';
import { OPEN_SUFFIX } from '../paths.ts';
import { exists, unlessTaken, unlinkIfThere } from './move.ts';
import { MAX_ATTEMPTS, type OutputHandle, type OutputOptions } from './output.ts';

export interface Claimed {
  readonly handle: OutputHandle;
  /** of the file once closed */
  readonly name: string;
  readonly path: string;
  readonly canTell: boolean;
}

/** A new file under the first name that is free. */
export async function claim(dir: string, names: () => string, options: OutputOptions): Promise<Claimed> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const name = names();
    const path = join(dir, options.openSuffix ? name + OPEN_SUFFIX : name);
    const other = join(dir, options.openSuffix ? name : name + OPEN_SUFFIX);
    const handle = await unlessTaken(opened(options, () => options.create(path)));
    if (handle === undefined) continue;
    let ours = false;
    try {
      // Looked at only now that ours exists, so that of two writers who want one name at most one keeps it. Until it was locked
      // another process could take it for the empty file of a writer that has crashed, and delete it.
      ours = !(await exists(other)) && options.lock(handle.fd) && fstatSync(handle.fd).nlink > 0;
    } finally {
      if (!ours) await handle.close().then(() => unlinkIfThere(path));
    }
    if (!ours) continue;
    if (options.fsync === 'capture') await opened(options, () => syncFolder(dir));
    return { handle, name, path, canTell: await isOneFile(path, handle) };
  }
  throw new Error(`no free name in ${dir} after ${MAX_ATTEMPTS} attempts`);
}

/** What opens something. @throws what it throws */
export function opened<T>({ patience }: OutputOptions, open: () => Promise<T>): Promise<T> {
  return patience === undefined ? open() : patience.run(open);
}

/** The open file is the one of this name. @throws the system's error, as ENOENT */
export async function isOneFile(path: string, handle: OutputHandle): Promise<boolean> {
  const [named, open] = await Promise.all([lstat(path, { bigint: true }), handle.stat({ bigint: true })]);
  return named.ino === open.ino && named.dev === open.dev;
}
