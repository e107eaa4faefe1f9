/**
 * The open WARC files: one per prefix, rolled over by size and by idle time, no more than a bound at once.
 *
 * Owns the writers, the names they get, and one timer. Batches are written one after the other; within a batch a few files at a time.
 * After a failed write the pool takes nothing more: an archive that silently drops is worse than one that is down.
 */
import { basename, join } from 'node:path';
import { makeFolders } from '../../util/folder.ts';
import type { Log } from '../../util/log.ts';
import { errorOf, throwAll } from '../../util/thrown.ts';
import { WarcWriteError } from '../errors.ts';
import type { WarcVersion } from '../fields.ts';
import { turns } from '../../util/turns.ts';
import { pathBelow } from '../paths.ts';
import { isSafePrefix } from './filename.ts';
import type { Names } from './names.ts';
import { OutputFile, type OutputOptions } from './output.ts';
import { warcinfoRecord, type WarcRecord, type WriterInfo, type WrittenRecord } from '../record.ts';
import { Members } from '../codec/compress.ts';
import type { Compressor } from '../codec/compressor.ts';
import { WarcWriter } from './writer.ts';

export interface PoolOptions {
  readonly dir: string;
  /** a folder per prefix below `dir` */
  readonly subdirPrefix: boolean;
  readonly names: Names;
  readonly gzip: boolean;
  /** closed with the pool */
  readonly compressor: Compressor;
  readonly version: WarcVersion;
  readonly info: WriterInfo;
  readonly output: OutputOptions;
  /** a file is closed once it is larger */
  readonly maxBytes: number;
  /** a file is closed after so long without a write; undefined keeps it */
  readonly idleMs: number | undefined;
  readonly maxOpenFiles: number;
  readonly now: () => Date;
  /** `<urn:uuid:…>`, a new one at each call */
  readonly newRecordId: () => string;
  readonly log: Log;
}

export interface PrefixedRecords {
  readonly prefix: string;
  /** all records of one capture, principal record first; none writes nothing */
  readonly records: readonly WarcRecord[];
}

interface OpenWriter {
  readonly writer: WarcWriter;
  lastUsedMs: number;
}

/** Files written to at a time. */
const LANES = 4;
/** The longest time a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class WriterPool {
  readonly #options: PoolOptions;
  /** least recently used first */
  readonly #open = new Map<string, OpenWriter>();
  readonly #busy = new Set<string>();
  readonly #turns = turns();
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  #closed = false;
  #bytesWritten = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** bytes of all files, as they are on disk */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get openFiles(): number {
    return this.#open.size;
  }

  /**
   * Append the records of many captures.
   *
   * @returns in the same order, where the records of each stand; all of them are in their files
   * @throws WarcWriteError when a record of the batch may be missing; nothing can be written any more then
   */
  write(batch: readonly PrefixedRecords[]): Promise<readonly (readonly WrittenRecord[])[]> {
    return this.#turns.run(() => this.#write(batch));
  }

  /** Close all files and give them their final names, after the batches handed in before. */
  close(): Promise<void> {
    return this.#turns.run(async () => {
      this.#closed = true;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const errors: unknown[] = [];
      for (const prefix of [...this.#open.keys()]) await this.#close(prefix).catch((error: unknown) => errors.push(error));
      await this.#options.compressor.close();
      throwAll(errors);
    });
  }

  async #write(batch: readonly PrefixedRecords[]): Promise<readonly (readonly WrittenRecord[])[]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new Error('the WARC files are closed');
    const unsafe = batch.find(({ prefix }) => !isSafePrefix(prefix));
    if (unsafe !== undefined) throw new RangeError(`WARC prefix ${JSON.stringify(unsafe.prefix)} cannot be part of a file name`);
    const written: (readonly WrittenRecord[])[] = batch.map(() => []);
    const groups = byPrefix(batch).entries();
    const lane = async () => {
      for (const [prefix, indexes] of groups) {
        const captures = indexes.map((index) => batch[index]?.records ?? []);
        const places = await this.#writeTo(prefix, captures);
        for (const [position, index] of indexes.entries()) written[index] = places[position] ?? [];
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: LANES }, lane));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw this.#fail(failed.reason);
    this.#setTimer();
    return written;
  }

  async #writeTo(prefix: string, captures: readonly (readonly WarcRecord[])[]): Promise<readonly (readonly WrittenRecord[])[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const { maxBytes, now, gzip, compressor } = this.#options;
    const written: (readonly WrittenRecord[])[] = [];
    const members = gzip ? new Members(captures.flat(), compressor) : undefined;
    this.#busy.add(prefix);
    try {
      while (written.length < captures.length) {
        const open = await this.#writerFor(prefix);
        const before = open.writer.size;
        try {
          written.push(...(await open.writer.write(captures.slice(written.length), members, maxBytes)));
        } finally {
          this.#bytesWritten += open.writer.size - before;
        }
        open.lastUsedMs = now().getTime();
        if (open.writer.size > maxBytes) await this.#close(prefix);
      }
      return written;
    } catch (error) {
      // Its file is closed already, as far as it could be.
      this.#open.delete(prefix);
      throw this.#fail(error);
    } finally {
      this.#busy.delete(prefix);
    }
  }

  async #writerFor(prefix: string): Promise<OpenWriter> {
    const open = this.#open.get(prefix) ?? { writer: await this.#openWriter(prefix), lastUsedMs: 0 };
    // To the end of the map: most recently used.
    this.#open.delete(prefix);
    this.#open.set(prefix, open);
    return open;
  }

  async #openWriter(prefix: string): Promise<WarcWriter> {
    const { dir, subdirPrefix, names, version, info, output, maxOpenFiles, now, newRecordId, log } = this.#options;
    while (this.#open.size >= maxOpenFiles && (await this.#closeOldest()));
    const folder = subdirPrefix ? join(dir, prefix) : dir;
    try {
      if (subdirPrefix) await makeFolders(folder);
      const file = await OutputFile.create(folder, names.of(prefix), output);
      log.debug({ file: file.path }, 'WARC file opened');
      const warcinfo = warcinfoRecord(file.name, now(), info, { version, newRecordId });
      return new WarcWriter(file, warcinfo, { path: pathBelow(dir, join(folder, file.name)), names: names.of(prefix) });
    } catch (error) {
      throw new WarcWriteError(folder, `no WARC file can be created for prefix ${JSON.stringify(prefix)}`, error);
    }
  }

  async #closeOldest(): Promise<boolean> {
    for (const prefix of this.#open.keys()) {
      if (this.#busy.has(prefix)) continue;
      await this.#close(prefix);
      return true;
    }
    return false;
  }

  async #close(prefix: string): Promise<void> {
    const open = this.#open.get(prefix);
    if (open === undefined) return;
    this.#open.delete(prefix);
    const { writer } = open;
    const { log } = this.#options;
    await writer.close();
    log.debug({ file: writer.path, bytes: writer.size }, 'WARC file closed');
    if (basename(writer.path) !== writer.filename) {
      log.error(
        { file: writer.path, expected: writer.filename },
        'somebody else has made a file with the name of this WARC file: it got another name',
      );
    }
  }

  /** The first failure is the one that everybody is told. */
  #fail(error: unknown): Error {
    this.#failure ??= errorOf(error);
    return this.#failure;
  }

  #setTimer(): void {
    const { idleMs, now } = this.#options;
    if (idleMs === undefined || this.#timer !== undefined || this.#open.size === 0 || this.#closed) return;
    const oldest = Math.min(...Array.from(this.#open.values(), (open) => open.lastUsedMs));
    const waitMs = Math.min(Math.max(oldest + idleMs - now().getTime(), 1), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#turns.run(() => this.#closeIdle(idleMs));
    }, waitMs).unref();
  }

  async #closeIdle(idleMs: number): Promise<void> {
    try {
      for (const [prefix, open] of this.#open) {
        if (open.lastUsedMs + idleMs <= this.#options.now().getTime()) await this.#close(prefix);
      }
    } catch (error) {
      // Nobody waits for this one: the next batch is told.
      this.#options.log.error({ err: this.#fail(error) }, 'a WARC file that was idle could not be closed');
    }
    this.#setTimer();
  }
}

function byPrefix(batch: readonly PrefixedRecords[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [index, { prefix, records }] of batch.entries()) {
    if (records.length === 0) continue;
    const group = groups.get(prefix);
    if (group === undefined) groups.set(prefix, [index]);
    else group.push(index);
  }
  return groups;
}
