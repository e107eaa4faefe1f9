/**
 * The WARC files: batches of records written to them, a file for each prefix, rolled over by size and by idle time.
 *
 * Batches are written one after the other; within a batch a few files at a time. Owns one timer.
 * After a failed write the pool takes nothing more: an archive that silently drops is worse than one that is down.
 */
import { Patience } from '../../util/patience.ts';
import { errorOf, reasonOf, throwAll } from '../../util/thrown.ts';
import { turns } from '../../util/turns.ts';
import type { SpoolPlace } from '../../util/spool-place.ts';
import type { RecordBytes, WrittenRecord } from '../record.ts';
import type { Encoder, Units } from '../codec/codec.ts';
import { isSafePrefix } from './filename.ts';
import { BlocksAhead } from './ahead.ts';
import { OpenFiles, type FilesOptions, type FileState } from './open-files.ts';
import type { WarcWriter } from './writer.ts';

export interface PoolOptions extends FilesOptions {
  /** a file is closed once it is larger */
  readonly maxBytes: number;
  /** a file is closed after so long without a write; undefined keeps it */
  readonly idleMs: number | undefined;
}

export interface PrefixedRecords {
  readonly prefix: string;
  /** all records of one capture, principal record first; none writes nothing */
  readonly records: readonly RecordBytes[];
  /** what stands beside them, unless the file has it already */
  readonly once?: Once | undefined;
  /** somebody is told when they are written */
  readonly awaited?: boolean;
}

/** Records that a file has once, beside the first capture that brings them. */
export interface Once {
  /** of a bounded length */
  readonly key: string;
  make(): readonly RecordBytes[];
}

/** Who has moved or deleted a file is found out after so long. */
const WATCH_MS = 1000;
/** Files written to at a time. */
const LANES = 4;
const NOTHING: readonly WrittenRecord[] = [];
/** The longest time a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class WriterPool {
  readonly #options: PoolOptions;
  readonly #files: OpenFiles;
  readonly #ahead: BlocksAhead;
  readonly #patience: Patience;
  readonly #turns = turns();
  #timer: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  #closed = false;
  #bytesWritten = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    const { log, output } = options;
    this.#patience = new Patience({
      onWait: (error) => log.error({ err: error }, `no WARC file can be opened, what is to be written waits: ${reasonOf(error)}`),
      onOver: () => log.info({}, 'WARC files can be opened again'),
    });
    this.#files = new OpenFiles({ ...options, output: { ...output, patience: this.#patience } });
    this.#ahead = new BlocksAhead({
      ...options,
      files: this.#files,
      turns: this.#turns,
      onWritten: (bytes) => void (this.#bytesWritten += bytes),
      onFailure: (error) => log.error({ err: this.#fail(error) }, `a large body that is not wanted cannot be cut off: ${reasonOf(error)}`),
    });
  }

  /** bytes of all files, as they are on disk */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** files so far, open or not */
  get filesBegun(): number {
    return this.#files.begun;
  }

  get openFiles(): number {
    return this.#files.size;
  }

  /** Those that are open, and those that were closed last. */
  get files(): readonly FileState[] {
    return this.#files.states;
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

  /**
   * A place for the block of a large record, in a file of this prefix: it is written once, if that record is one of `write` before it is
   * released.
   *
   * @param url of the record
   * @returns undefined where there is none now
   */
  place(prefix: string, url: string): Promise<SpoolPlace | undefined> {
    return this.#turns.run(async () => (this.#failure !== undefined || this.#closed ? undefined : this.#ahead.begin(prefix, url)));
  }

  /** Close all files and give them their final names, after the batches handed in before. */
  close(): Promise<void> {
    this.#patience.hurry();
    return this.#turns.run(async () => {
      this.#closed = true;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      clearInterval(this.#watch);
      await this.#ahead.giveUp();
      const errors = await this.#files.closeAll();
      await this.#options.indexes?.close();
      await this.#options.encoder.close();
      throwAll(errors);
    });
  }

  async #write(batch: readonly PrefixedRecords[]): Promise<readonly (readonly WrittenRecord[])[]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new Error('the WARC files are closed');
    const unsafe = batch.find(({ prefix }) => !isSafePrefix(prefix));
    if (unsafe !== undefined) throw new RangeError(`WARC prefix ${JSON.stringify(unsafe.prefix)} cannot be part of a file name`);
    const written: (readonly WrittenRecord[])[] = batch.map(() => NOTHING);
    // What follows may refer to these.
    const finished = await this.#finishAhead(batch, written);
    const groups = byPrefix(batch, finished).entries();
    const lane = async () => {
      for (const [prefix, indexes] of groups) {
        const captures: PrefixedRecords[] = [];
        for (const index of indexes) {
          const capture = batch[index];
          if (capture !== undefined) captures.push(capture);
        }
        const places = await this.#writeTo(prefix, captures);
        indexes.forEach((index, position) => (written[index] = places[position] ?? []));
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: LANES }, lane));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw this.#fail(failed.reason);
    this.#setTimer();
    this.#watch ??= setInterval(() => void this.#keepFiles(), WATCH_MS).unref();
    return written;
  }

  /** Those whose blocks are in their files already. @returns which */
  async #finishAhead(batch: readonly PrefixedRecords[], written: (readonly WrittenRecord[])[]): Promise<ReadonlySet<PrefixedRecords>> {
    const finished = new Set<PrefixedRecords>();
    for (const capture of batch) {
      if (capture.records[0]?.block.place === undefined) continue;
      try {
        const done = await this.#ahead.finish(capture);
        if (done === undefined) continue;
        written[batch.indexOf(capture)] = done;
        finished.add(capture);
      } catch (error) {
        throw this.#fail(error);
      }
    }
    return finished;
  }

  async #writeTo(prefix: string, captures: readonly PrefixedRecords[]): Promise<readonly (readonly WrittenRecord[])[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const { maxBytes, encoder } = this.#options;
    const written: (readonly WrittenRecord[])[] = [];
    // Then the file has to be where it was, once they are in it.
    const awaited = captures.some((capture) => capture.awaited === true);
    const differs = captures.some(({ once }) => once !== undefined);
    let planned: Planned | undefined;
    this.#files.hold(prefix);
    try {
      while (written.length < captures.length) {
        const writer = await this.#files.writerFor(prefix);
        if (planned === undefined || (differs && planned.writer !== writer)) planned = plan(writer, captures, written.length, encoder);
        const { from, records, units } = planned;
        const before = writer.size;
        const rest = records.slice(written.length - from);
        let places: readonly (readonly WrittenRecord[])[];
        try {
          places = await writer.write(rest, units, maxBytes);
        } finally {
          this.#bytesWritten += writer.size - before;
        }
        this.#files.used(prefix);
        if (awaited && !(await this.#files.keep(prefix))) {
          // Once more, to the next file: these are still here.
          planned = undefined;
          continue;
        }
        await this.#files.written(prefix, rest, places);
        written.push(...places);
        if (writer.size > maxBytes) await this.#files.close(prefix);
      }
      return written;
    } catch (error) {
      // Its file is closed already, as far as it could be.
      this.#files.forget(prefix);
      throw this.#fail(error);
    } finally {
      this.#files.letGo(prefix);
    }
  }

  /** The first failure is the one that everybody is told. */
  #fail(error: unknown): Error {
    this.#failure ??= errorOf(error);
    return this.#failure;
  }

  #setTimer(): void {
    const { idleMs, nowMs } = this.#options;
    if (idleMs === undefined || this.#timer !== undefined || this.#files.size === 0 || this.#closed) return;
    const waitMs = Math.min(Math.max(this.#files.oldestUseMs + idleMs - nowMs(), 1), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#turns.run(() => this.#closeIdle(idleMs));
    }, waitMs).unref();
  }

  async #keepFiles(): Promise<void> {
    // Others are waiting already: the next time will do.
    if (this.#turns.waiting === 0) await this.#turns.run(() => this.#files.keepAll());
  }

  async #closeIdle(idleMs: number): Promise<void> {
    try {
      await this.#files.closeUnused(idleMs);
    } catch (error) {
      // Nobody waits for this one: the next batch is told.
      this.#options.log.error({ err: this.#fail(error) }, 'a WARC file that was idle could not be closed');
    }
    this.#setTimer();
  }
}

/** What goes to a file, as it is made ready for it. */
interface Planned {
  readonly writer: WarcWriter;
  /** the first of the captures */
  readonly from: number;
  /** of each capture from there on */
  readonly records: readonly (readonly RecordBytes[])[];
  readonly units: Units;
}

/** Captures from one on, with what this file has once and does not have yet. */
function plan(writer: WarcWriter, captures: readonly PrefixedRecords[], from: number, encoder: Encoder): Planned {
  const records = captures
    .slice(from)
    .map((capture) =>
      capture.once !== undefined && writer.first(capture.once.key) ? [...capture.records, ...capture.once.make()] : capture.records,
    );
  const all: RecordBytes[] = [];
  for (const each of records) for (const record of each) all.push(record);
  return { writer, from, records, units: encoder.units(all) };
}

function byPrefix(batch: readonly PrefixedRecords[], finished: ReadonlySet<PrefixedRecords>): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  batch.forEach((capture, index) => {
    const { prefix, records } = capture;
    if (records.length === 0 || finished.has(capture)) return;
    const group = groups.get(prefix);
    if (group === undefined) groups.set(prefix, [index]);
    else group.push(index);
  });
  return groups;
}
