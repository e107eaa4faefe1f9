/**
 * One file on disk that only we write: created exclusively, appended to, and given its final name without ever replacing another file.
 *
 * Owns the file handle. Knows nothing of WARC. `NAME.open` becomes `NAME` by link and unlink, because rename(2) would replace.
 * Source: specification §3 (file names); open(2) O_EXCL, link(2), fcntl(2) locks.
 */
import { fstatSync } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { loadFileLock, type FileLock } from '../../util/file-lock.ts';
import { syncFolder } from '../../util/folder.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { WarcOptionError } from '../errors.ts';
import { OPEN_SUFFIX } from '../paths.ts';

/** What is needed of a `FileHandle`. */
export interface OutputHandle {
  readonly fd: number;
  writev(pieces: readonly Buffer[], position: number): Promise<{ readonly bytesWritten: number }>;
  truncate(size: number): Promise<void>;
  /** fsync(2) */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** When bytes are known to be on the disk and not only in the system's memory: never, once a file is closed, or after every write. */
export type FsyncPolicy = 'never' | 'close' | 'capture';

export interface OutputOptions {
  /** write to `NAME.open`; otherwise to `NAME` */
  readonly openSuffix: boolean;
  /** an exclusive lock on the whole file until it is closed; false when another process holds one */
  readonly lock: FileLock;
  readonly fsync: FsyncPolicy;
  /** create a file that does not exist yet */
  readonly create: (path: string) => Promise<OutputHandle>;
  /** give a file a second name, which must be free; link(2) unless given */
  readonly link?: (from: string, to: string) => Promise<void>;
}

export type { FileLock };

/** More names than this are not tried. */
const MAX_ATTEMPTS = 10_000;
const CANNOT_LINK = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Create a file that did not exist. */
export function createExclusively(path: string): Promise<OutputHandle> {
  return open(path, 'wx');
}

/**
 * The locks that warcprox's readers look for.
 *
 * @throws WarcOptionError when the native add-on cannot be loaded on this machine
 */
export function loadLock(): FileLock {
  try {
    return loadFileLock();
  } catch (error) {
    throw new WarcOptionError(`file locks do not work on this machine: ${reasonOf(error)}`, { cause: error });
  }
}

/** For files with the suffix, which work without locks, too: where the file system has none, nobody is kept out. */
export function lockIfPossible(lock: FileLock): FileLock {
  return (fd) => {
    try {
      return lock(fd);
    } catch {
      return true;
    }
  };
}

export class OutputFile {
  readonly #options: OutputOptions;
  readonly #handle: OutputHandle;
  readonly #dir: string;
  #path: string;
  #size = 0;
  /** name of the file once closed */
  readonly name: string;

  private constructor(handle: OutputHandle, dir: string, name: string, options: OutputOptions) {
    this.#handle = handle;
    this.#dir = dir;
    this.name = name;
    this.#path = options.openSuffix ? join(dir, name + OPEN_SUFFIX) : join(dir, name);
    this.#options = options;
  }

  /** @param names each call gives the next name to try */
  static async create(dir: string, names: () => string, options: OutputOptions): Promise<OutputFile> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const name = names();
      const path = join(dir, options.openSuffix ? name + OPEN_SUFFIX : name);
      const other = join(dir, options.openSuffix ? name : name + OPEN_SUFFIX);
      const handle = await unlessTaken(options.create(path));
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
      if (options.fsync === 'capture') await syncFolder(dir);
      return new OutputFile(handle, dir, name, options);
    }
    throw new Error(`no free name in ${dir} after ${MAX_ATTEMPTS} attempts`);
  }

  /** where the file is now */
  get path(): string {
    return this.#path;
  }

  /** bytes written */
  get size(): number {
    return this.#size;
  }

  /** On failure `size` tells what is in the file. */
  async append(pieces: readonly Buffer[]): Promise<void> {
    let rest = pieces;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, this.#size);
      if (bytesWritten === 0) throw new Error('nothing was written');
      this.#size += bytesWritten;
      rest = after(rest, bytesWritten);
    }
  }

  /** What was appended is on the disk, where that is asked for after every write. */
  async synced(): Promise<void> {
    if (this.#options.fsync === 'capture') await this.#handle.sync();
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size);
    this.#size = size;
  }

  /**
   * Close and take the final name, or the next one of `names` where somebody else's file stands by now.
   *
   * The file is closed in any case; where it cannot be named it stays `.open`. It is locked until it has its name, so that
   * nobody takes it for a left-over.
   */
  async close(names: () => string): Promise<void> {
    const { fsync, openSuffix } = this.#options;
    try {
      if (fsync !== 'never') await this.#handle.sync();
      if (openSuffix) await this.#takeName(names);
      if (openSuffix && fsync !== 'never') await syncFolder(this.#dir);
    } catch (error) {
      await this.#handle.close().catch(() => undefined);
      throw error;
    }
    await this.#handle.close();
  }

  async #takeName(names: () => string): Promise<void> {
    let name = this.name;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const path = join(this.#dir, name);
      if (await moveWithoutReplacing(this.#path, path, this.#options.link ?? link)) {
        this.#path = path;
        return;
      }
      name = names();
    }
    throw new Error(`no free name in ${this.#dir} after ${MAX_ATTEMPTS} attempts`);
  }

  /** Close and leave the file where it is. */
  async abandon(): Promise<void> {
    await this.#handle.close();
  }

  /** Close and delete: for a file in which nothing is. */
  async discard(): Promise<void> {
    await this.#handle.close();
    await unlink(this.#path);
  }
}

/** @returns false when there is a file at `to` */
export async function moveWithoutReplacing(
  from: string,
  to: string,
  linkFile: NonNullable<OutputOptions['link']> = link,
): Promise<boolean> {
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

async function unlinkIfThere(path: string): Promise<void> {
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

async function unlessTaken<T>(creating: Promise<T>): Promise<T | undefined> {
  try {
    return await creating;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function after(pieces: readonly Buffer[], written: number): readonly Buffer[] {
  let left = written;
  const index = pieces.findIndex((piece) => {
    if (left < piece.length) return true;
    left -= piece.length;
    return false;
  });
  const first = pieces[index];
  return first === undefined ? [] : [first.subarray(left), ...pieces.slice(index + 1)];
}
