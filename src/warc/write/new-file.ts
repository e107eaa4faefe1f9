/**
 * A file that is there when it is whole: written under a name of its own beside its place, on the disk before it is given its name.
 *
 * Never replaces a file unless that was asked for. What is no regular file (a device, a pipe) is written to as it is.
 */
import { randomUUID } from 'node:crypto';
import { open, rename, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder, whyNotWritable } from '../../util/folder.ts';
import { WarcOptionError } from '../errors.ts';
import { exists, moveWithoutReplacing, unlinkIfThere } from './move.ts';

export interface NewFileOptions {
  /** replace what is there */
  readonly force: boolean;
}

export class NewFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  /** undefined where it is written in place */
  readonly #temporary: string | undefined;
  readonly #force: boolean;
  #size = 0;

  private constructor(handle: FileHandle, path: string, temporary: string | undefined, force: boolean) {
    this.#handle = handle;
    this.#path = path;
    this.#temporary = temporary;
    this.#force = force;
  }

  /** @throws WarcOptionError when there is a file already, or none can be made there; the system's error of what is no regular file */
  static async create(path: string, { force }: NewFileOptions): Promise<NewFile> {
    const there = await stat(path).catch(() => undefined);
    if (there !== undefined && !there.isFile() && !there.isDirectory()) return new NewFile(await open(path, 'w'), path, undefined, force);
    if (!force && (await exists(path))) throw taken(path);
    if (there?.isDirectory() === true) throw new WarcOptionError(`${path} is a folder: name a file`);
    const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}.tmp`);
    const handle = await open(temporary, 'wx').catch((error: unknown) => {
      throw new WarcOptionError(`${path} cannot be written into ${dirname(path)}: ${whyNotWritable(error)}`, { cause: error });
    });
    return new NewFile(handle, path, temporary, force);
  }

  /** bytes written */
  get size(): number {
    return this.#size;
  }

  async write(...pieces: readonly Uint8Array[]): Promise<void> {
    let left = pieces.filter((piece) => piece.length > 0);
    while (left.length > 0) {
      const { bytesWritten } = await this.#handle.writev(left);
      this.#size += bytesWritten;
      left = behind(left, bytesWritten);
    }
  }

  /** Give it its name. @throws WarcOptionError when that was taken meanwhile */
  async commit(): Promise<void> {
    if (this.#temporary === undefined) return this.#handle.close();
    await this.#handle.sync();
    await this.#handle.close();
    if (this.#force) await rename(this.#temporary, this.#path);
    else if (!(await moveWithoutReplacing(this.#temporary, this.#path))) {
      await unlinkIfThere(this.#temporary);
      throw taken(this.#path);
    }
    await syncFolder(dirname(this.#path));
  }

  /** Nothing of it stays. */
  async discard(): Promise<void> {
    await this.#handle.close();
    if (this.#temporary !== undefined) await unlinkIfThere(this.#temporary);
  }
}

function taken(path: string): WarcOptionError {
  return new WarcOptionError(`${path} is there already; --force replaces it`);
}

function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  return pieces.flatMap((piece) => {
    const taken = Math.min(left, piece.length);
    left -= taken;
    return taken === piece.length ? [] : [piece.subarray(taken)];
  });
}
