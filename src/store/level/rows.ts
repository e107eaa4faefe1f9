/**
 * What an index knows, in rows that are written one behind the other, and under each key only where that is: the number of a row, and the
 * line in it.
 *
 * Keys are spread over the whole index, and what stands under one is written anew each time that LevelDB merges its surroundings, a dozen times
 * in all. What has growing keys is moved as it is. So little is kept under the keys, and the rest in rows, as in WiscKey.
 *
 * ```
 * NUL o NUL file NUL number → nothing      an open WARC file has rows with the numbers from this on, as many as a block has
 * NUL r number → "file"                    the row; a line for each entry, empty when its record was lost
 *                offset JSON
 *                …
 * ```
 *
 * A crash may take records of files that were open: all rows of a file stand in its own blocks, which are read then. A place counts only if
 * the line that is there names the key: so rows that are lost, or keys that were given to another, do no harm.
 * Source: Lu and others, WiscKey: Separating Keys from Values in SSD-Conscious Storage (2016).
 */
import { isLost, type Lost, type RecordPlace } from '../place.ts';
import type { Change, Section } from './section.ts';

export type RowSection = Pick<Section, 'getMany' | 'batch' | 'iterator'>;

/** One entry of an index. */
export interface Item {
  /** as it is in the section */
  readonly key: string;
  readonly place: RecordPlace;
  /** one line */
  readonly json: string;
}

/** An entry, and where it is. */
export interface Line {
  /** what stands under its keys */
  readonly at: string;
  readonly place: RecordPlace;
  readonly json: string;
}

interface Block {
  next: number;
  readonly marks: string[];
}

const NUL = '\0';
const OPEN = `${NUL}o${NUL}`;
const ROWS = `${NUL}r`;
/** Sorts after every key that begins with the text before it. */
const END = '\uffff';
const DIGITS = 9;
/** Who looks for one of them reads them all. */
const MAX_LINES = 32;
const MAX_CHARS = 64 * 1024;
/** rows of a block */
const BLOCK = 1024;

export class Rows {
  readonly #section: RowSection;
  /** paths of the WARC files that are open, as in `RecordPlace` */
  readonly #openFiles: ReadonlySet<string>;
  /** of the open files; of all others together by no name */
  readonly #blocks = new Map<string, Block>();
  /** of the first row of the next block; undefined before it was looked for */
  #free: number | undefined;

  constructor(section: RowSection, openFiles: ReadonlySet<string>) {
    this.#section = section;
    this.#openFiles = openFiles;
  }

  /** To be awaited before anything is written. @throws DatabaseError */
  async begin(): Promise<void> {
    if (this.#free !== undefined) return;
    let last = -1;
    for await (const [key] of this.#section.iterator({ gte: ROWS, lt: ROWS + END, reverse: true, limit: 1 })) last = numberIn(key);
    this.#free ??= (Math.floor(last / BLOCK) + 1) * BLOCK;
  }

  get begun(): boolean {
    return this.#free !== undefined;
  }

  /** What was to be written is not: what comes next must not rely on it. */
  forget(): void {
    this.#blocks.clear();
  }

  /** What has to be written for these. */
  changes(items: readonly Item[]): Change[] {
    const changes: Change[] = [];
    const places: Change[] = [];
    for (const [file, some] of byFile(items)) {
      let lines = MAX_LINES;
      let row = 0;
      let value = '';
      for (const { key, place, json } of some) {
        if (lines >= MAX_LINES || value.length >= MAX_CHARS) {
          if (value !== '') changes.push({ type: 'put', key: rowKey(row), value, bare: false });
          lines = 0;
          row = this.#nextRow(file, changes);
          value = JSON.stringify(file);
        }
        value += `\n${place.offset} ${json}`;
        places.push({ type: 'put', key, value: String(row * MAX_LINES + lines), bare: true });
        lines++;
      }
      if (value !== '') changes.push({ type: 'put', key: rowKey(row), value, bare: false });
    }
    changes.push(...places);
    return changes;
  }

  /** Forget which files were open. @throws DatabaseError */
  async settle(): Promise<void> {
    for (const [file, { marks }] of this.#blocks) {
      if (this.#openFiles.has(file) || marks.length === 0) continue;
      this.#blocks.delete(file);
      await this.#section.batch(marks.map((key) => ({ type: 'del', key })));
    }
  }

  /**
   * What is at these places, in their order; undefined for what is no place.
   *
   * @param places what stands under a key; @throws DatabaseError
   */
  async lines(places: readonly (string | undefined)[]): Promise<(string | undefined)[]> {
    const numbers = places.map((place) => (place === undefined ? NaN : Number(place)));
    const keys = [...new Set(numbers.filter((number) => number >= 0).map((number) => rowKey(Math.floor(number / MAX_LINES))))];
    if (keys.length === 0) return places.map(() => undefined);
    const values = await this.#section.getMany(keys);
    const rows = new Map(keys.map((key, nth) => [key, values[nth]]));
    return numbers.map((number) => {
      const row = rows.get(rowKey(Math.floor(number / MAX_LINES)));
      return row === undefined ? undefined : jsonIn(lineIn(row, number % MAX_LINES)) || undefined;
    });
  }

  /** All that there are, row by row; some may not be under their keys any more. @throws DatabaseError */
  async *all(range: { readonly gte: string; readonly lt: string } = { gte: ROWS, lt: ROWS + END }): AsyncGenerator<readonly Line[], void> {
    for await (const [key, row] of this.#section.iterator(range)) yield linesIn(key, row);
  }

  /** The blocks of files that are open, or that a crash has left so. @throws DatabaseError */
  async *marked(): AsyncGenerator<
    { readonly file: string; readonly mark: string; readonly rows: AsyncGenerator<readonly Line[], void> },
    void
  > {
    for await (const [mark] of this.#section.iterator({ gte: OPEN, lt: OPEN + END })) {
      const end = mark.lastIndexOf(NUL);
      const first = numberIn(mark);
      yield { file: mark.slice(OPEN.length, end), mark, rows: this.all({ gte: rowKey(first), lt: rowKey(first + BLOCK) }) };
    }
  }

  /**
   * Drop the entries whose record is lost, for the start.
   *
   * @param everything the marks may be missing: look at all
   * @param keysOf the keys of an entry
   * @param dropped told of each entry
   * @returns how many keys were deleted
   */
  async drop(lost: Lost, everything: boolean, keysOf: (line: Line) => readonly string[], dropped: (line: Line) => void): Promise<number> {
    let count = 0;
    const look = async (rows: AsyncIterable<readonly Line[]>) => {
      for await (const lines of rows) count += await this.#dropFrom(lines, lost, keysOf, dropped);
    };
    if (everything) await look(this.all());
    const settled: string[] = [];
    for await (const { file, mark, rows } of this.marked()) {
      if (!everything && lost.ends.has(file)) await look(rows);
      if (!lost.unknown.has(file)) settled.push(mark);
    }
    if (settled.length > 0) await this.#section.batch(settled.map((key) => ({ type: 'del', key })));
    return count;
  }

  async #dropFrom(
    lines: readonly Line[],
    lost: Lost,
    keysOf: (line: Line) => readonly string[],
    dropped: (line: Line) => void,
  ): Promise<number> {
    const gone = lines.filter((line) => line.json !== '' && isLost(line.place, lost));
    const first = gone[0];
    if (first === undefined) return 0;
    const keys = gone.flatMap((line) => keysOf(line).map((key) => [key, line.at] as const));
    const there = await this.#section.getMany(keys.map(([key]) => key));
    // What was written anew since is another's.
    const own = keys.filter(([, at], nth) => there[nth] === at);
    const left = lines.map((line) => (line.json === '' || gone.includes(line) ? '' : `${line.place.offset} ${line.json}`));
    const key = rowKey(Math.floor(Number(first.at) / MAX_LINES));
    const isEmpty = left.every((text) => text === '');
    const value = [JSON.stringify(first.place.file), ...left].join('\n');
    await this.#section.batch([
      ...own.map(([key]): Change => ({ type: 'del', key })),
      isEmpty ? { type: 'del', key } : { type: 'put', key, value },
    ]);
    for (const line of gone) dropped(line);
    return own.length;
  }

  #nextRow(file: string, changes: Change[]): number {
    const isOpen = this.#openFiles.has(file);
    const name = isOpen ? file : '';
    let block = this.#blocks.get(name);
    if (block === undefined) this.#blocks.set(name, (block = { next: 0, marks: [] }));
    if (block.next % BLOCK === 0) {
      block.next = this.#free ?? 0;
      this.#free = block.next + BLOCK;
      if (isOpen) {
        const mark = `${OPEN}${file}${NUL}${digits(block.next)}`;
        block.marks.push(mark);
        changes.push({ type: 'put', key: mark, value: '{}' });
      }
    }
    return block.next++;
  }
}

function byFile(items: readonly Item[]): Map<string, Item[]> {
  const files = new Map<string, Item[]>();
  for (const item of items) {
    const some = files.get(item.place.file);
    if (some === undefined) files.set(item.place.file, [item]);
    else some.push(item);
  }
  return files;
}

function digits(number: number): string {
  return number.toString(36).padStart(DIGITS, '0');
}

function rowKey(number: number): string {
  return ROWS + digits(number);
}

function numberIn(key: string): number {
  return parseInt(key.slice(-DIGITS), 36);
}

function linesIn(key: string, row: string): readonly Line[] {
  const [file = '""', ...lines] = row.split('\n');
  const name = JSON.parse(file) as string;
  const first = numberIn(key) * MAX_LINES;
  return lines.map((line, nth) => ({ at: String(first + nth), place: { file: name, offset: parseInt(line) }, json: jsonIn(line) }));
}

/** @returns the empty text when there is none */
function lineIn(row: string, nth: number): string {
  let start = row.indexOf('\n') + 1;
  for (let left = nth; left > 0 && start > 0; left--) start = row.indexOf('\n', start) + 1;
  if (start === 0) return '';
  const end = row.indexOf('\n', start);
  return end < 0 ? row.slice(start) : row.slice(start, end);
}

function jsonIn(line: string): string {
  return line.slice(line.indexOf(' ') + 1);
}
