/**
 * How entries of the dedup index are kept in its section: what is known of them in rows, under their keys where it is.
 *
 * ```
 * NUL s digest | bucket → place      of the digest its first characters, and no label: the line says whose it is; "digest/length" of a cut one
 * key                   → entry      of a version that had all of it under the key
 * ```
 *
 * The rows and what else begins with NUL stand before, keys of that version behind.
 */
import type { Original, Published } from '../dedup.ts';
import type { Lost } from '../place.ts';
import { AFTER_JOURNAL, Journal, type JournalledSection } from './journal.ts';
import { Rows, type Item, type Line } from './rows.ts';
import type { Change } from './section.ts';

/** As it was in the database. */
interface Stored {
  readonly id: string;
  readonly url: string;
  readonly date: string;
  /** not in entries of early versions */
  readonly answer?: string | undefined;
  readonly file: string;
  readonly offset: number;
}

/** As it is in a row. */
type Kept = readonly [key: string, id: string, url: string, date: string, answer?: string];

/** An entry, as all of them are gone through. */
export interface Listed {
  readonly key: string;
  readonly original: Original;
  /** its file is open, or a crash has left it so */
  readonly open: boolean;
}

/** From here on come the keys of the index. */
export const KEYS = '\0s';
/** 80 bits at least, where a digit is a hexadecimal one. */
const DIGEST_DIGITS = 20;

/** What stands for a key in the section; that of an old version, too. */
export function shortOf(key: string): string {
  if (key.startsWith(KEYS)) return key;
  const bar = key.indexOf('|');
  const last = bar < 0 ? key.length : bar;
  const colon = key.lastIndexOf(':', last);
  // Behind a digest stands why its payload is not whole.
  const slash = key.indexOf('/', colon);
  const end = slash < 0 || slash > last ? last : slash;
  return KEYS + key.slice(colon + 1, Math.min(colon + 1 + DIGEST_DIGITS, end)) + key.slice(end);
}

export class DedupEntries {
  readonly #section: JournalledSection;
  readonly #rows: Rows;
  /** of a version that wrote none for new entries any more */
  readonly #journal: Journal;
  #hasOld = true;

  constructor(section: JournalledSection, openFiles: ReadonlySet<string>) {
    this.#section = section;
    this.#rows = new Rows(section, openFiles);
    this.#journal = new Journal(section, openFiles);
  }

  /** @returns in the order of the keys; undefined for what is not there; @throws DatabaseError */
  async find(keys: readonly string[]): Promise<(Original | undefined)[]> {
    if (!this.#rows.begun) await this.#begin();
    const shorts = keys.map(shortOf);
    const values = await this.#section.getMany(this.#hasOld ? [...shorts, ...keys] : shorts);
    const lines = await this.#rows.lines(values.slice(0, keys.length));
    return keys.map((key, nth) => {
      const line = lines[nth];
      const kept = line === undefined ? undefined : (JSON.parse(line) as Kept);
      if (kept?.[0] === key) return originalOf(kept);
      const old = values[keys.length + nth];
      return old === undefined ? undefined : originalOfOld(JSON.parse(old) as Stored);
    });
  }

  /**
   * All or nothing.
   *
   * @param more to be written with them
   * @param told what stands for the key of each, before it is written
   * @throws the section's error
   */
  async put(entries: readonly Published[], more: readonly Change[] = [], told?: (short: string) => void): Promise<void> {
    if (!this.#rows.begun) await this.#begin();
    const items: Item[] = [];
    for (const { key, original, place } of entries) {
      const short = shortOf(key);
      told?.(short);
      items.push({ key: short, place, json: jsonOf(key, original) });
    }
    const changes = this.#rows.changes(items);
    changes.push(...more);
    try {
      await this.#section.batch(changes);
    } catch (error) {
      this.#rows.forget();
      throw error;
    }
  }

  /** Forget the files that are closed. */
  settle(): Promise<void> {
    return this.#rows.settle();
  }

  /** As `DedupStore`. @param dropped told of each key */
  async drop(lost: Lost, dropped: (key: string) => void): Promise<number> {
    // Now, while the database is there: later it may be away for a while.
    await this.#begin();
    const everything = lost.ends.size > 0 && !(await this.#journal.isComplete());
    const count = await this.#rows.drop(
      lost,
      everything,
      (line) => [shortOf(keyIn(line))],
      (line) => dropped(keyIn(line)),
    );
    return count + (await this.#journal.drop(lost, (value) => JSON.parse(value) as Stored, dropped));
  }

  /** Everything that is there, some at a time. @throws DatabaseError */
  async *all(atOnce: number): AsyncGenerator<readonly Listed[], void> {
    const open = new Set<string>();
    for await (const { rows } of this.#rows.marked()) for await (const lines of rows) for (const { at } of lines) open.add(at);
    for await (const lines of this.#rows.all()) {
      const some = lines.filter(({ json }) => json !== '');
      const there = await this.#section.getMany(some.map((line) => shortOf(keyIn(line))));
      yield some
        .filter(({ at }, nth) => there[nth] === at)
        .map((line) => ({ key: keyIn(line), original: originalOf(JSON.parse(line.json) as Kept), open: open.has(line.at) }));
    }
    const openKeys = await this.#journal.keys();
    let some: Listed[] = [];
    for await (const [key, value] of this.#section.iterator({ gte: AFTER_JOURNAL })) {
      some.push({ key, original: originalOfOld(JSON.parse(value) as Stored), open: openKeys.has(key) });
      if (some.length < atOnce) continue;
      yield some;
      some = [];
    }
    yield some;
  }

  async #begin(): Promise<void> {
    const old = await this.#section.iterator({ gte: AFTER_JOURNAL, limit: 1 }).next();
    this.#hasOld = old.done !== true;
    await this.#rows.begin();
  }
}

/** Of texts that JSON has as they are, as nearly all have, it is put together: that makes half the garbage. */
const PLAIN = /^[ !#-[\]-~]*$/;

function jsonOf(key: string, { recordId, url, date, answer }: Original): string {
  const isPlain = PLAIN.test(key) && PLAIN.test(recordId) && PLAIN.test(url) && PLAIN.test(date);
  if (isPlain && answer !== undefined && PLAIN.test(answer)) return `["${key}","${recordId}","${url}","${date}","${answer}"]`;
  const kept: Kept = answer === undefined ? [key, recordId, url, date] : [key, recordId, url, date, answer];
  return JSON.stringify(kept);
}

function keyIn({ json }: Line): string {
  return (JSON.parse(json) as Kept)[0];
}

function originalOf([, recordId, url, date, answer]: Kept): Original {
  return answer === undefined ? { recordId, url, date } : { recordId, url, date, answer };
}

function originalOfOld({ id: recordId, url, date, answer }: Stored): Original {
  return answer === undefined ? { recordId, url, date } : { recordId, url, date, answer };
}
