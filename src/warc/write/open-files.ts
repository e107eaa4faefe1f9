/**
 * The WARC files that are open: one per prefix, no more than a bound at once.
 *
 * Owns the writers, and knows when each was used last. Which of them are being written to its caller says. Writes nothing by itself.
 */
import { basename, join } from 'node:path';
import { makeFolders } from '../../util/folder.ts';
import { reasonOf } from '../../util/thrown.ts';
import type { Log } from '../../util/log.ts';
import type { Encoder } from '../codec/codec.ts';
import { WarcWriteError } from '../errors.ts';
import type { WarcVersion } from '../fields.ts';
import { pathBelow } from '../paths.ts';
import { warcinfoRecord, type RecordBytes, type WriterInfo, type WrittenRecord } from '../record.ts';
import type { IndexOfFile } from './index-of-file.ts';
import type { Indexes } from './indexes.ts';
import type { Names } from './names.ts';
import { OutputFile, type OutputOptions } from './output.ts';
import { WarcWriter } from './writer.ts';

export interface FilesOptions {
  readonly dir: string;
  /** a folder per prefix below `dir` */
  readonly subdirPrefix: boolean;
  readonly names: Names;
  /** closed with the pool */
  readonly encoder: Encoder;
  readonly version: WarcVersion;
  readonly info: WriterInfo;
  readonly output: OutputOptions;
  readonly maxOpenFiles: number;
  /** kept beside the files; closed with the pool */
  readonly indexes?: Indexes | undefined;
  /** told of each file that is closed and has its name, and of its index, where there is one. @param file where it is */
  readonly onFinished?: ((file: string, prefix: string) => void) | undefined;
  /** kept with the paths of the files that are open, below `dir` and without `.open` */
  readonly openPaths?: Set<string>;
  readonly now: () => Date;
  /** a clock that never goes back, in milliseconds */
  readonly nowMs: () => number;
  /** `<urn:uuid:…>`, a new one at each call */
  readonly newRecordId: () => string;
  readonly log: Log;
}

/** A file that is open, and what is known of it. */
export interface OpenWriter {
  readonly prefix: string;
  readonly writer: WarcWriter;
  readonly index: IndexOfFile | undefined;
  lastUsedMs: number;
}

/** A WARC file, as far as somebody wants to know. */
export interface FileState {
  /** below the folder of WARC files, without `.open` */
  readonly path: string;
  readonly prefix: string;
  /** bytes so far */
  readonly size: number;
  readonly open: boolean;
}

/** Of those that are closed, so many are told of. */
const MAX_CLOSED = 100;

export class OpenFiles {
  readonly #options: FilesOptions;
  /** latest last */
  readonly #closed: FileState[] = [];
  /** least recently used first */
  readonly #open = new Map<string, OpenWriter>();
  readonly #busy = new Set<string>();
  /** further ones of a prefix, the last that was given back last */
  readonly #spare: OpenWriter[] = [];
  readonly #lent = new Set<OpenWriter>();
  #begun = 0;

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size + this.#spare.length + this.#lent.size;
  }

  /** Those that are open, the one used last first, then those that were closed last. */
  get states(): readonly FileState[] {
    const all = [...this.#spare, ...this.#open.values(), ...this.#lent];
    const open = all.map(({ prefix, writer }) => ({ path: writer.finalPath, prefix, size: writer.size, open: true }));
    return [...open.reverse(), ...this.#closed.toReversed()];
  }

  /** How many there have been. */
  get begun(): number {
    return this.#begun;
  }

  /** When that file was used last which has been idle longest. */
  get oldestUseMs(): number {
    return Math.min(...Array.from([...this.#open.values(), ...this.#spare], ({ lastUsedMs }) => lastUsedMs));
  }

  /** The file of this prefix is not closed to make room for others, until `letGo`. */
  hold(prefix: string): void {
    this.#busy.add(prefix);
  }

  letGo(prefix: string): void {
    this.#busy.delete(prefix);
  }

  /** The file of a prefix, opened where there is none. @throws WarcWriteError when that fails, or closing another to make room */
  async writerFor(prefix: string): Promise<WarcWriter> {
    const open = this.#open.get(prefix) ?? this.#takeSpare(prefix) ?? (await this.#create(prefix));
    // To the end of the map: most recently used.
    this.#open.delete(prefix);
    this.#open.set(prefix, open);
    return open.writer;
  }

  /** A file of a prefix that nobody else writes to, until `giveBack`. @throws WarcWriteError when none can be made */
  async lend(prefix: string): Promise<OpenWriter> {
    const spare = this.#takeSpare(prefix);
    const main = spare === undefined ? this.#open.get(prefix) : undefined;
    if (main !== undefined) this.#open.delete(prefix);
    const open = spare ?? main ?? (await this.#create(prefix));
    this.#lent.add(open);
    return open;
  }

  giveBack(open: OpenWriter): void {
    this.#lent.delete(open);
    open.lastUsedMs = this.#options.nowMs();
    if (this.#open.has(open.prefix)) this.#spare.push(open);
    else this.#open.set(open.prefix, open);
  }

  /** A file that was lent, and has failed and closed itself. */
  forgetLent(open: OpenWriter): void {
    this.#lent.delete(open);
    this.#options.openPaths?.delete(open.writer.finalPath);
  }

  used(prefix: string): void {
    const open = this.#open.get(prefix);
    if (open !== undefined) open.lastUsedMs = this.#options.nowMs();
  }

  /** Records that are in the file of a prefix, and where: its index is told. */
  async written(
    prefix: string,
    records: readonly (readonly RecordBytes[])[],
    places: readonly (readonly WrittenRecord[])[],
  ): Promise<void> {
    await this.#open.get(prefix)?.index?.add(records, places);
  }

  /** Of a file that has failed, and closed itself as far as it could. */
  forget(prefix: string): void {
    const open = this.#open.get(prefix);
    this.#open.delete(prefix);
    if (open !== undefined) this.#options.openPaths?.delete(open.writer.finalPath);
  }

  /**
   * A file that somebody has moved or deleted is made anew, with everything that was in it.
   *
   * @returns false when it could not be: what was in it is lost, and there is no file of this prefix any more
   */
  async keep(prefix: string): Promise<boolean> {
    const open = this.#open.get(prefix);
    return open === undefined || this.#keep(open);
  }

  async #keep(open: OpenWriter): Promise<boolean> {
    const { writer } = open;
    const { path, size } = writer;
    try {
      await this.#restoreIfGone(writer);
      return true;
    } catch (error) {
      this.#remove(open);
      this.#options.openPaths?.delete(writer.finalPath);
      await writer.abandon();
      this.#options.log.error(
        { file: path, bytes: size, err: error },
        `a WARC file is gone, and what was in it is lost: ${reasonOf(error)}`,
      );
      return false;
    }
  }

  /** The same for all of them. */
  async keepAll(): Promise<void> {
    for (const open of [...this.#open.values(), ...this.#spare]) if (await this.#keep(open)) open.index?.flush();
  }

  /** @throws WarcWriteError when the file could not be closed or named */
  async close(prefix: string): Promise<void> {
    const open = this.#open.get(prefix);
    if (open !== undefined) await this.closeOne(open);
  }

  async closeOne(open: OpenWriter): Promise<void> {
    this.#remove(open);
    const { prefix, writer, index } = open;
    const { log, indexes, onFinished } = this.#options;
    try {
      await this.#restoreIfGone(writer);
    } catch (error) {
      this.#options.openPaths?.delete(writer.finalPath);
      await writer.abandon();
      throw new WarcWriteError(writer.path, 'is gone, and what was in it is lost', error);
    }
    await writer.close();
    this.#options.openPaths?.delete(writer.finalPath);
    log.debug({ file: writer.path, bytes: writer.size }, 'WARC file closed');
    this.#closed.push({ path: writer.finalPath, prefix, size: writer.size, open: false });
    if (this.#closed.length > MAX_CLOSED) this.#closed.shift();
    if (basename(writer.path) !== writer.filename) {
      log.error(
        { file: writer.path, expected: writer.filename },
        'somebody else has made a file with the name of this WARC file: it got another name',
      );
    }
    const indexed = index && indexes?.finish(index, writer.path);
    if (indexed === undefined) onFinished?.(writer.path, prefix);
    else void indexed.then(() => onFinished?.(writer.path, prefix));
  }

  /** Close what was not used for so long. @throws at the first file that could not be closed */
  async closeUnused(forMs: number): Promise<void> {
    for (const open of [...this.#open.values(), ...this.#spare]) {
      if (open.lastUsedMs + forMs <= this.#options.nowMs()) await this.closeOne(open);
    }
  }

  /** @returns what went wrong, after all were closed */
  async closeAll(): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    for (const open of [...this.#open.values(), ...this.#spare]) await this.closeOne(open).catch((error: unknown) => errors.push(error));
    return errors;
  }

  #takeSpare(prefix: string): OpenWriter | undefined {
    const index = this.#spare.findLastIndex((open) => open.prefix === prefix);
    return index === -1 ? undefined : this.#spare.splice(index, 1)[0];
  }

  #remove(open: OpenWriter): void {
    if (this.#open.get(open.prefix) === open) this.#open.delete(open.prefix);
    const index = this.#spare.indexOf(open);
    if (index !== -1) this.#spare.splice(index, 1);
  }

  async #restoreIfGone(writer: WarcWriter): Promise<void> {
    if (await writer.isThere()) return;
    const { path, finalPath, size } = writer;
    await writer.restore();
    this.#options.openPaths?.delete(finalPath);
    this.#options.openPaths?.add(writer.finalPath);
    this.#options.log.error(
      { file: path, bytes: size, now: writer.path },
      'a WARC file was gone, moved or deleted while it was written to: everything that was in it is there again',
    );
  }

  async #create(prefix: string): Promise<OpenWriter> {
    const { dir, subdirPrefix, names, encoder, version, info, output, maxOpenFiles, indexes, now, newRecordId, log } = this.#options;
    while (this.size >= maxOpenFiles && (await this.#closeOldest()));
    const folder = subdirPrefix ? join(dir, prefix) : dir;
    try {
      if (subdirPrefix) await makeFolders(folder);
      const file = await OutputFile.create(folder, names.of(prefix), output);
      this.#begun++;
      log.debug({ file: file.path }, 'WARC file opened');
      const warcinfo = warcinfoRecord(file.name, now(), info, { version, newRecordId });
      const path = (name: string) => pathBelow(dir, join(folder, name));
      const writer = new WarcWriter(file, warcinfo, { encoder, path, names: names.of(prefix) });
      this.#options.openPaths?.add(writer.finalPath);
      return { prefix, writer, index: indexes?.begin(join(folder, file.name)), lastUsedMs: 0 };
    } catch (error) {
      throw new WarcWriteError(folder, `no WARC file can be created for prefix ${JSON.stringify(prefix)}`, error);
    }
  }

  /** @returns false when all are being written to */
  async #closeOldest(): Promise<boolean> {
    for (const open of [...this.#spare, ...this.#open.values()]) {
      if (this.#busy.has(open.prefix) && this.#open.get(open.prefix) === open) continue;
      await this.closeOne(open);
      return true;
    }
    return false;
  }
}
