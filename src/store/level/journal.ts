/**
 * Which entries of an index stand for records of WARC files that are still being written: those that a crash may lose.
 *
 * Written in the same batch as the entries, and deleted once their file is closed, so that the start after a crash reads what was open and
 * not the whole index. In the section of the index, before all other keys:
 *
 * ```
 * NUL j                      the index has been kept with a journal from its beginning, or since all of it was read
 * NUL f NUL file NUL count   → [[offset, key], …]
 * ```
 */
import { isLost, type Lost, type RecordPlace } from '../place.ts';
import type { Change, Section } from './section.ts';

export type JournalledSection = Pick<Section, 'get' | 'getMany' | 'batch' | 'iterator' | 'clear'>;

/** An entry of the index, and where its record stands. */
export interface Noted {
  readonly key: string;
  readonly place: RecordPlace;
}

interface Row {
  readonly f: readonly (readonly [offset: number, key: string])[];
}

const NUL = '\0';
export const COMPLETE = `${NUL}j`;
const FILES = `${NUL}f${NUL}`;
/** Sorts after every key that begins with the text before it, and every count. */
const END = '\uffff';
const COUNT_DIGITS = 8;
const AT_ONCE = 1000;

/** Every key of an index itself stands behind this. */
export const AFTER_JOURNAL = '\x01';

export class Journal {
  readonly #section: JournalledSection;
  /** paths of the WARC files that are open, as in `RecordPlace` */
  readonly #openFiles: ReadonlySet<string>;
  readonly #noted = new Set<string>();
  #count = 0;

  constructor(section: JournalledSection, openFiles: ReadonlySet<string>) {
    this.#section = section;
    this.#openFiles = openFiles;
  }

  /** What has to be written together with these entries. */
  rows(entries: readonly Noted[]): Change[] {
    const byFile = new Map<string, [number, string][]>();
    for (const { key, place } of entries) {
      if (!this.#openFiles.has(place.file)) continue;
      const row = byFile.get(place.file);
      if (row === undefined) byFile.set(place.file, [[place.offset, key]]);
      else row.push([place.offset, key]);
    }
    return [...byFile].map(([file, f]) => {
      this.#noted.add(file);
      const row: Row = { f };
      return { type: 'put', key: `${rowsOf(file).gte}${this.#nextCount()}`, value: JSON.stringify(row) };
    });
  }

  /** Forget the files that are closed. */
  async settle(): Promise<void> {
    for (const file of this.#noted) {
      if (this.#openFiles.has(file)) continue;
      this.#noted.delete(file);
      await this.#section.clear(rowsOf(file));
    }
  }

  /**
   * Drop the entries whose record is lost, for the start. Of a version without journal the whole index is read, once.
   *
   * @param placeIn where the record of an entry stands, by its value
   * @param dropped told of each key that is not there any more
   * @returns how many were dropped
   */
  async drop(lost: Lost, placeIn: (value: string) => RecordPlace, dropped: (key: string) => void = () => undefined): Promise<number> {
    let count = 0;
    let keys: string[] = [];
    const write = async () => {
      if (keys.length === 0) return;
      await this.#section.batch(keys.map((key) => ({ type: 'del', key })));
      for (const key of keys) dropped(key);
      count += keys.length;
      keys = [];
    };
    const candidates = (await this.isComplete()) || lost.ends.size === 0 ? this.#journalled(lost) : this.#all();
    for await (const [key, value] of candidates) {
      if (isLost(placeIn(value), lost)) keys.push(key);
      if (keys.length >= AT_ONCE) await write();
    }
    await write();
    for await (const file of this.#files()) if (!lost.unknown.has(file)) await this.#section.clear(rowsOf(file));
    if (lost.unknown.size === 0 && !(await this.isComplete())) await this.#section.batch([{ type: 'put', key: COMPLETE, value: '{}' }]);
    return count;
  }

  /** Whether what a crash may lose is known without a look at all of it. */
  async isComplete(): Promise<boolean> {
    return (await this.#section.get(COMPLETE)) !== undefined;
  }

  /** Of the entries of files that are open, or that a crash has left so. @throws DatabaseError */
  async keys(): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for await (const [, value] of this.#section.iterator({ gte: FILES, lt: FILES + END }))
      for (const [, key] of (JSON.parse(value) as Row).f) keys.add(key);
    return keys;
  }

  #all(): AsyncIterable<[string, string]> {
    return this.#section.iterator({ gte: AFTER_JOURNAL });
  }

  async *#journalled({ ends }: Lost): AsyncGenerator<[string, string], void> {
    for (const [file, end] of ends) {
      for await (const [, value] of this.#section.iterator(rowsOf(file))) {
        const keys = (JSON.parse(value) as Row).f.flatMap(([offset, key]) => (offset >= end ? [key] : []));
        const values = keys.length === 0 ? [] : await this.#section.getMany(keys);
        for (const [nth, key] of keys.entries()) if (values[nth] !== undefined) yield [key, values[nth]];
      }
    }
  }

  /** The files that there are rows of. */
  async *#files(): AsyncGenerator<string, void> {
    let from = FILES;
    for (;;) {
      let file: string | undefined;
      for await (const [key] of this.#section.iterator({ gte: from, lt: FILES + END, limit: 1 }))
        file = key.slice(FILES.length, key.lastIndexOf(NUL));
      if (file === undefined) return;
      yield file;
      from = rowsOf(file).lt;
    }
  }

  #nextCount(): string {
    return (this.#count++).toString(36).padStart(COUNT_DIGITS, '0');
  }
}

function rowsOf(file: string): { readonly gte: string; readonly lt: string } {
  return { gte: `${FILES}${file}${NUL}`, lt: `${FILES}${file}${NUL}${END}` };
}
