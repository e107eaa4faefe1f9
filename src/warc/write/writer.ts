/**
 * One open WARC file: `warcinfo` first, then the records of captures, each packed for itself as its encoder does.
 *
 * Owns the output file. One caller at a time (the pool). Never rolls over by itself. What waits to be written goes out in few large
 * writes: one per MiB, and one at the end of each batch. After a failed write the file is cut back to its last whole record and closed.
 * Source: ISO 28500:2017 §4, Annex D (record-at-a-time compression).
 */
import type { Ahead, Encoder, UnitPieces, Units } from '../codec/codec.ts';
import { reasonOf } from '../../util/thrown.ts';
import { WarcWriteError } from '../errors.ts';
import { appendJoined } from './joined.ts';
import { WrittenOnce } from './written-once.ts';
import type { OutputFile } from './output.ts';
import type { RecordBytes, WrittenRecord } from '../record.ts';

export interface WriterOptions {
  readonly encoder: Encoder;
  /** of a file once closed, below the folder of WARC files. @param name of it */
  readonly path: (name: string) => string;
  /** the next name to try when others have taken the file's name before it is closed */
  readonly names: () => string;
}

/** So many bytes are gathered for one write. */
const GATHER_BYTES = 1024 * 1024;

export class WarcWriter {
  readonly #file: OutputFile;
  readonly #options: WriterOptions;
  #warcinfo: RecordBytes | undefined;
  /** pieces of records */
  #pending: (readonly Buffer[])[] = [];
  #pendingBytes = 0;
  /** ends of whole records that are not in the file yet, ascending */
  #pendingEnds: number[] = [];
  /** end of the last whole record in the file */
  #safeEnd = 0;
  #failure: WarcWriteError | undefined;
  readonly #once = new WrittenOnce();

  constructor(file: OutputFile, warcinfo: RecordBytes, options: WriterOptions) {
    this.#file = file;
    this.#warcinfo = warcinfo;
    this.#options = options;
  }

  /** name of the file once closed */
  get filename(): string {
    return this.#file.name;
  }

  /** where the file will be once closed, below the folder of WARC files */
  get finalPath(): string {
    return this.#options.path(this.#file.name);
  }

  /** where the file is now */
  get path(): string {
    return this.#file.path;
  }

  /** bytes in the file */
  get size(): number {
    return this.#file.size;
  }

  /** As `WrittenOnce.first`, of this file. */
  first(key: string): boolean {
    return this.#once.first(key);
  }

  /** @returns false when somebody has moved or deleted the file */
  isThere(): Promise<boolean> {
    return this.#file.isThere();
  }

  /** Write everything that is in a file which is gone to its folder again. @throws the system's error */
  restore(): Promise<void> {
    return this.#file.restore(this.#options.names);
  }

  /** Close the file, and leave it wherever it is. */
  async abandon(): Promise<void> {
    await this.#file.abandon().catch(() => undefined);
  }

  /**
   * Leave room for the head of a record whose block somebody else writes, right behind it. Nothing else may be asked of this one until
   * `finishAhead` or `cutBack`.
   *
   * @returns where that block begins
   * @throws WarcWriteError; the file is closed then
   */
  async beginAhead(ahead: Ahead, room: number): Promise<number> {
    return this.#orFail(async () => {
      await this.#beginFile();
      await this.#flush();
      await this.#file.append([ahead.placeholder(room)]);
      return this.#file.size;
    });
  }

  /**
   * The block is there: fill in the head, and append the other records of its capture.
   *
   * @param head as it stands in the room that was left
   * @throws WarcWriteError when any byte may be missing; the file is closed then
   */
  async finishAhead(ahead: Ahead, head: Buffer, records: readonly RecordBytes[]): Promise<readonly WrittenRecord[]> {
    return this.#orFail(async () => {
      const [principal, ...others] = records;
      if (principal === undefined) throw new Error('no record');
      const file = this.#file;
      const offset = this.#safeEnd;
      file.grown(principal.block.size);
      await file.append([ahead.end]);
      // A head on the disk without the block that it speaks of would pass for a record.
      await file.synced();
      await file.overwrite(head, offset);
      this.#safeEnd = file.size;
      const { name: filename } = file;
      const { id, type, date } = principal;
      const place = { id, type, date, filename, path: this.finalPath, offset, length: file.size - offset };
      const [places = []] = await this.#write([others], this.#options.encoder.units(others), 0);
      return [place, ...places];
    });
  }

  /** What was begun ahead is given up. @throws WarcWriteError; the file is closed then */
  async cutBack(): Promise<void> {
    await this.#orFail(() => this.#file.truncate(this.#safeEnd));
  }

  /** Somebody else reads and writes in the file. @returns the file, open until `letGo` was called as often */
  hold(): number {
    return this.#file.hold();
  }

  letGo(): Promise<void> {
    return this.#file.letGo();
  }

  /**
   * Append captures, all records of each, until the file has grown past `maxBytes`; at least one.
   *
   * @param captures the records of each, principal record first
   * @param units of these records and those after them, in the same order
   * @returns where the records of those captures stand that were taken; all of them are in the file, and on the disk with fsync `capture`
   * @throws WarcWriteError when any byte may be missing; the file is closed then
   */
  async write(
    captures: readonly (readonly RecordBytes[])[],
    units: Units,
    maxBytes: number,
  ): Promise<readonly (readonly WrittenRecord[])[]> {
    return this.#orFail(async () => {
      await this.#beginFile();
      return this.#write(captures, units, maxBytes);
    });
  }

  /**
   * Close and give the file its final name. After a failure that has happened already.
   *
   * @throws WarcWriteError when the file could not be closed or named
   */
  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await this.#file.close(this.#options.names);
    } catch (error) {
      this.#failure = new WarcWriteError(this.#file.path, 'cannot be closed', error);
      throw this.#failure;
    }
  }

  async #orFail<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await work();
    } catch (error) {
      throw await this.#fail(error);
    }
  }

  async #beginFile(): Promise<void> {
    const warcinfo = this.#warcinfo;
    this.#warcinfo = undefined;
    if (warcinfo !== undefined) await this.#append(warcinfo, this.#options.encoder.units([warcinfo]));
  }

  async #write(
    captures: readonly (readonly RecordBytes[])[],
    units: Units,
    maxBytes: number,
  ): Promise<readonly (readonly WrittenRecord[])[]> {
    const { name: filename } = this.#file;
    const path = this.#options.path(filename);
    let offset = this.#end;
    const ends: number[] = [];
    let taken = 0;
    while (taken < captures.length && (taken === 0 || this.#end <= maxBytes)) {
      const waiting = this.#appendAll(captures[taken++] ?? [], units, ends);
      if (waiting !== undefined) await waiting;
    }
    await this.#flush();
    await this.#file.synced();
    let nth = 0;
    const placeOf = ({ id, type, date }: RecordBytes): WrittenRecord => {
      const start = offset;
      offset = ends[nth++] ?? start;
      return { id, type, date, filename, path, offset: start, length: offset - start };
    };
    return captures.slice(0, taken).map((records) => records.map(placeOf));
  }

  /** where the next byte will stand */
  get #end(): number {
    return this.#file.size + this.#pendingBytes;
  }

  /**
   * All records of a capture. Most need no waiting; a promise for each would cost as much as the rest of the work.
   *
   * @param ends of records, to which theirs are added
   * @param from the first of those that are left
   */
  #appendAll(records: readonly RecordBytes[], units: Units, ends: number[], from = 0): Promise<void> | undefined {
    for (let nth = from; nth < records.length; nth++) {
      const record = records[nth];
      if (record === undefined) break;
      const waiting = this.#append(record, units);
      if (waiting !== undefined) {
        return waiting.then(() => {
          ends.push(this.#end);
          return this.#appendAll(records, units, ends, nth + 1);
        });
      }
      ends.push(this.#end);
    }
    return undefined;
  }

  #append(record: RecordBytes, units: Units): Promise<void> | undefined {
    const unit = units.next();
    return unit instanceof Promise ? unit.then((pieces) => this.#appendUnit(record, pieces)) : this.#appendUnit(record, unit);
  }

  #appendUnit(record: RecordBytes, unit: UnitPieces): Promise<void> | undefined {
    if (unit === undefined) return this.#appendStream(record);
    this.#gather(unit);
    this.#pendingEnds.push(this.#end);
    return this.#pendingBytes >= GATHER_BYTES ? this.#flush() : undefined;
  }

  async #appendStream(record: RecordBytes): Promise<void> {
    // One buffer for all of a record: reading ten megabytes into fresh memory had the collector run twice as often.
    const into = Buffer.allocUnsafeSlow(Math.min(record.block.size, GATHER_BYTES));
    await this.#options.encoder.stream(record, into, (some) => {
      this.#gather(some);
      return this.#flush();
    });
    this.#pendingEnds.push(this.#end);
  }

  #gather(unit: readonly Buffer[]): void {
    this.#pending.push(unit);
    for (const piece of unit) this.#pendingBytes += piece.length;
  }

  async #flush(): Promise<void> {
    const gathered = this.#pending;
    const size = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    await appendJoined(this.#file, gathered, size);
    this.#safeEnd = this.#pendingEnds.at(-1) ?? this.#safeEnd;
    this.#pendingEnds = [];
  }

  async #fail(cause: unknown): Promise<WarcWriteError> {
    const file = this.#file;
    this.#failure = new WarcWriteError(file.path, 'cannot be written', cause);
    this.#pending = [];
    const safeEnd = this.#pendingEnds.findLast((end) => end <= file.size) ?? this.#safeEnd;
    try {
      if (safeEnd === 0) await file.discard();
      else {
        await file.truncate(safeEnd);
        await file.close(this.#options.names);
      }
    } catch (error) {
      // The file stays `.open`, perhaps with a broken tail, for the next start to repair.
      await file.abandon().catch(() => undefined);
      const both = new AggregateError([cause, error], reasonOf(cause));
      this.#failure = new WarcWriteError(file.path, 'cannot be written, nor cut back to its last whole record', both);
    }
    return this.#failure;
  }
}
