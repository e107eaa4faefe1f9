/**
 * Which entries of a shared store stand for records of this machine's WARC files that are still being written: those that a crash may lose.
 *
 * The store itself does not know where records stand. In a section of a database of this machine, written before the entries are published:
 *
 * ```
 * file NUL count → [[offset, key, record id], …]
 * ```
 */
import type { Published } from '../dedup.ts';
import type { Change } from '../level/section.ts';
import type { LaterSection } from '../level/later.ts';
import type { Lost } from '../place.ts';

type Noted = readonly [offset: number, key: string, recordId: string];

/** An entry that is to go. */
export interface LostEntry {
  readonly key: string;
  readonly recordId: string;
}

const NUL = '\0';
const END = '\uffff';
const COUNT_DIGITS = 8;

export class OwnEntries {
  readonly #section: Pick<LaterSection, 'batch' | 'iterator' | 'clear'>;
  readonly #openFiles: ReadonlySet<string>;
  readonly #noted = new Set<string>();
  #count = 0;

  /** @param openFiles paths of the WARC files that are open */
  constructor(section: Pick<LaterSection, 'batch' | 'iterator' | 'clear'>, openFiles: ReadonlySet<string>) {
    this.#section = section;
    this.#openFiles = openFiles;
  }

  async note(originals: readonly Published[]): Promise<void> {
    const byFile = new Map<string, Noted[]>();
    for (const { key, original, place } of originals) {
      if (!this.#openFiles.has(place.file)) continue;
      const noted: Noted = [place.offset, key, original.recordId];
      const row = byFile.get(place.file);
      if (row === undefined) byFile.set(place.file, [noted]);
      else row.push(noted);
    }
    if (byFile.size === 0) return;
    const rows = [...byFile].map(([file, row]): Change => {
      this.#noted.add(file);
      return { type: 'put', key: `${file}${NUL}${(this.#count++).toString(36).padStart(COUNT_DIGITS, '0')}`, value: JSON.stringify(row) };
    });
    await this.#section.batch(rows);
  }

  /** Forget the files that are closed. */
  async settle(): Promise<void> {
    for (const file of this.#noted) {
      if (this.#openFiles.has(file)) continue;
      this.#noted.delete(file);
      await this.#section.clear(rowsOf(file));
    }
  }

  /** The entries whose record is lost, for the start. */
  async *lost({ ends }: Lost): AsyncGenerator<LostEntry, void> {
    for (const [file, end] of ends) {
      for await (const [, value] of this.#section.iterator(rowsOf(file))) {
        for (const [offset, key, recordId] of JSON.parse(value) as Noted[]) if (offset >= end) yield { key, recordId };
      }
    }
  }

  /** Forget all files but those that are not known. To be called when what is lost was dropped. */
  async forget({ unknown }: Lost): Promise<void> {
    const files = new Set<string>();
    for await (const [key] of this.#section.iterator()) files.add(key.slice(0, key.lastIndexOf(NUL)));
    for (const file of files) if (!unknown.has(file)) await this.#section.clear(rowsOf(file));
  }
}

function rowsOf(file: string): { readonly gte: string; readonly lt: string } {
  return { gte: `${file}${NUL}`, lt: `${file}${NUL}${END}` };
}
