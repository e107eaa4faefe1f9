/**
 * One file on disk that only we write: created exclusively, appended to, and given its final name without ever replacing another file.
 *
 * Owns the file handle. Knows nothing of WARC. `NAME.open` becomes `NAME` by link and unlink, because rename(2) would replace.
 * Source: specification §3 (file names); open(2) O_EXCL, link(2), fcntl(2) locks.
 */
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { loadFileLock, type FileLock } from '../../util/file-lock.ts';
import { makeFolders, syncFolder } from '../../util/folder.ts';
import type { Patience } from '../../util/patience.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { WarcOptionError } from '../errors.ts';
import { claim, isOneFile, opened, type Claimed } from './claim.ts';
import { moveWithoutReplacing, unlinkIfThere, type Link } from './move.ts';

/** What is needed of a `FileHandle`. */
export interface OutputHandle {
  readonly fd: number;
  writev(pieces: readonly Buffer[], position: number): Promise<{ readonly bytesWritten: number }>;
  read(into: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(options: { readonly bigint: true }): Promise<{ readonly dev: bigint; readonly ino: bigint }>;
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
  /** link(2) unless given */
  readonly link?: Link;
  /** waits for a file handle where there is none; without it that is an error */
  readonly patience?: Patience;
}

export type { FileLock };

/** More names than this are not tried. */
export const MAX_ATTEMPTS = 10_000;
const COPY_BYTES = 1024 * 1024;

/** Create a file that did not exist. */
export function createExclusively(path: string): Promise<OutputHandle> {
  return open(path, 'wx+');
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
  readonly #dir: string;
  #handle: OutputHandle;
  #name: string;
  #path: string;
  #size = 0;
  #held = 0;
  /** handles that are not needed any more but by who holds them */
  #closing: OutputHandle[] = [];
  /** whether the file system says the same of the open file and of the one that has its name */
  #canTell: boolean;

  private constructor({ handle, name, path, canTell }: Claimed, dir: string, options: OutputOptions) {
    this.#handle = handle;
    this.#dir = dir;
    this.#name = name;
    this.#path = path;
    this.#canTell = canTell;
    this.#options = options;
  }

  /** @param names each call gives the next name to try */
  static async create(dir: string, names: () => string, options: OutputOptions): Promise<OutputFile> {
    return new OutputFile(await claim(dir, names, options), dir, options);
  }

  /** name of the file once closed */
  get name(): string {
    return this.#name;
  }

  /** where the file is now */
  get path(): string {
    return this.#path;
  }

  /** bytes written */
  get size(): number {
    return this.#size;
  }

  /**
   * Somebody else reads and writes in it.
   *
   * @returns the file, open until `letGo` was called as often as this
   */
  hold(): number {
    this.#held++;
    return this.#handle.fd;
  }

  async letGo(): Promise<void> {
    if (--this.#held > 0) return;
    for (const handle of this.#closing.splice(0)) await handle.close();
  }

  /** Somebody else has written so many bytes behind those that were in it. */
  grown(bytes: number): void {
    this.#size += bytes;
  }

  /** In one write, which nothing comes between. */
  async overwrite(bytes: Buffer, position: number): Promise<void> {
    const { bytesWritten } = await this.#handle.writev([bytes], position);
    if (bytesWritten !== bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`);
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
      if (openSuffix && fsync !== 'never') await opened(this.#options, () => syncFolder(this.#dir));
    } catch (error) {
      await this.#closeHandle(this.#handle).catch(() => undefined);
      throw error;
    }
    await this.#closeHandle(this.#handle);
  }

  /** Nobody has moved or deleted it. Where that cannot be told it is there. */
  async isThere(): Promise<boolean> {
    try {
      return (await isOneFile(this.#path, this.#handle)) || !this.#canTell;
    } catch (error) {
      return codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR';
    }
  }

  /**
   * Write everything that is in it to its folder again, from where it is gone: under the same name, or the next one of `names` where somebody
   * else's file has that.
   *
   * @throws the system's error; it is as it was then
   */
  async restore(names: () => string): Promise<void> {
    await makeFolders(this.#dir);
    const same = [this.#name];
    const { handle, name, path, canTell } = await claim(this.#dir, () => same.pop() ?? names(), this.#options);
    try {
      await copy(this.#handle, handle, this.#size);
      if (this.#options.fsync === 'capture') await handle.sync();
    } catch (error) {
      await handle.close().then(() => unlinkIfThere(path));
      throw error;
    }
    const gone = this.#handle;
    this.#handle = handle;
    this.#name = name;
    this.#path = path;
    this.#canTell = canTell;
    await this.#closeHandle(gone);
  }

  async #takeName(names: () => string): Promise<void> {
    let name = this.name;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const path = join(this.#dir, name);
      if (await moveWithoutReplacing(this.#path, path, this.#options.link)) {
        this.#path = path;
        return;
      }
      name = names();
    }
    throw new Error(`no free name in ${this.#dir} after ${MAX_ATTEMPTS} attempts`);
  }

  /** Close and leave the file where it is. */
  async abandon(): Promise<void> {
    await this.#closeHandle(this.#handle);
  }

  /** Close and delete: for a file in which nothing is. */
  async discard(): Promise<void> {
    await this.#closeHandle(this.#handle);
    await unlink(this.#path);
  }

  async #closeHandle(handle: OutputHandle): Promise<void> {
    if (this.#held > 0) this.#closing.push(handle);
    else await handle.close();
  }
}

async function copy(from: OutputHandle, to: OutputHandle, size: number): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(COPY_BYTES);
  for (let position = 0; position < size;) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(COPY_BYTES, size - position), position);
    if (bytesRead === 0) throw new Error(`only ${position} of ${size} bytes can be read back`);
    for (let done = 0; done < bytesRead;) {
      const { bytesWritten } = await to.writev([buffer.subarray(done, bytesRead)], position + done);
      if (bytesWritten === 0) throw new Error('nothing was written');
      done += bytesWritten;
    }
    position += bytesRead;
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
