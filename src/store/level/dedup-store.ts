/**
 * The dedup index: for a payload and a bucket, the `response` record that holds the payload.
 *
 * Fronted by a bounded cache of what was found. An entry is replaced only by another true one, so what the cache holds stays true.
 * Beside what a revisit refers to, an entry says where its record stands, so that one can be dropped whose record a crash has taken.
 * Source: spec/warcprox.md §4 (Dedup).
 */
import { LRUCache } from 'lru-cache';
import type { Section } from './database.ts';

/** What a revisit refers to. */
export interface DedupEntry {
  /** WARC-Record-ID: `<urn:uuid:…>` */
  readonly recordId: string;
  /** WARC-Target-URI */
  readonly url: string;
  /** WARC-Date, with milliseconds whatever the version of the format */
  readonly date: string;
}

/** Where the record of an entry stands. */
export interface DedupPlace {
  /** path below the folder of WARC files, without `.open` */
  readonly file: string;
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
}

/** As it is in the database. */
interface Stored {
  readonly id: string;
  readonly url: string;
  readonly date: string;
  readonly file: string;
  readonly offset: number;
}

const CACHED_ENTRIES = 20_000;
/** characters of keys and entries: URLs can be long */
const CACHED_SIZE = 16 * 1024 * 1024;
const DROP_AT_ONCE = 1000;

/** @param digest labelled; without `|` */
export function dedupKey(digest: string, bucket: string): string {
  return `${digest}|${bucket}`;
}

export class DedupStore {
  readonly #section: Section;
  readonly #cache: LRUCache<string, DedupEntry>;

  constructor(section: Section, maxCached = CACHED_ENTRIES) {
    this.#section = section;
    this.#cache = new LRUCache({
      max: maxCached,
      maxSize: CACHED_SIZE,
      sizeCalculation: ({ recordId, url, date }, key) => key.length + recordId.length + url.length + date.length,
    });
  }

  /**
   * What is known under each key, in the same order; one read for all that the cache does not have.
   *
   * @returns a promise only when the database has to be asked
   */
  getMany(keys: readonly string[]): readonly (DedupEntry | undefined)[] | Promise<readonly (DedupEntry | undefined)[]> {
    const entries = keys.map((key) => this.#cache.get(key));
    const missing: number[] = [];
    for (const [index, entry] of entries.entries()) if (entry === undefined) missing.push(index);
    return missing.length === 0 ? entries : this.#read(keys, entries, missing);
  }

  /** Remember originals whose records are in their files, in one write. */
  async save(originals: readonly { readonly key: string; readonly entry: DedupEntry; readonly place: DedupPlace }[]): Promise<void> {
    if (originals.length === 0) return;
    await this.#section.batch(
      originals.map(({ key, entry: { recordId, url, date }, place: { file, offset } }) => {
        const stored: Stored = { id: recordId, url, date, file, offset };
        return { type: 'put', key, value: JSON.stringify(stored) };
      }),
    );
    for (const { key, entry } of originals) this.#cache.set(key, entry);
  }

  /**
   * Drop the entries whose record is lost. Reads the whole index: for the start after a crash.
   *
   * @returns how many were dropped
   */
  async drop(isLost: (place: DedupPlace) => boolean): Promise<number> {
    let dropped = 0;
    let keys: string[] = [];
    const write = async () => {
      await this.#section.batch(keys.map((key) => ({ type: 'del', key })));
      for (const key of keys) this.#cache.delete(key);
      dropped += keys.length;
      keys = [];
    };
    for await (const [key, value] of this.#section.iterator()) {
      if (isLost(JSON.parse(value) as Stored)) keys.push(key);
      if (keys.length >= DROP_AT_ONCE) await write();
    }
    await write();
    return dropped;
  }

  async #read(keys: readonly string[], entries: (DedupEntry | undefined)[], missing: readonly number[]): Promise<typeof entries> {
    const values = await this.#section.getMany(missing.map((index) => keys[index] ?? ''));
    for (const [nth, value] of values.entries()) {
      const index = missing[nth];
      if (value === undefined || index === undefined) continue;
      const { id, url, date } = JSON.parse(value) as Stored;
      const entry: DedupEntry = { recordId: id, url, date };
      entries[index] = entry;
      this.#cache.set(keys[index] ?? '', entry);
    }
    return entries;
  }
}
