/**
 * A store's own part of a database: keys and values are UTF-8 text. What is read is what was written, or is as if it were not there.
 *
 * The prefix is that of abstract-level's sublevels. All goes to the whole database, what changes as one chained batch: that takes 10 µs a
 * capture instead of 15.
 */
import type { Log } from '../../util/log.ts';
import { Repeats } from '../../util/repeats.ts';
import type { LiveFolder } from './live.ts';
import { seal, unseal } from './seal.ts';

export type Change =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: string;
      /** without a checksum: it is JSON, and who reads it finds out by himself whether it is what was written */
      readonly bare?: boolean;
    }
  | { readonly type: 'del'; readonly key: string };

/** Keys from the first one on, and before the second. */
export interface Range {
  readonly gte: string;
  readonly lt: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

interface AddedTo {
  put(key: string, value: string): unknown;
  del(key: string): unknown;
}

export class Section {
  readonly #folder: LiveFolder;
  readonly #prefix: string;
  readonly #end: string;
  readonly #name: string;
  readonly #log: Log;
  readonly #damaged = new Repeats();

  /** @param name lower-case letters and digits */
  constructor(folder: LiveFolder, name: string, log: Log) {
    this.#folder = folder;
    this.#name = name;
    this.#prefix = `!${name}!`;
    this.#end = `!${name}"`;
    this.#log = log;
  }

  /** Why it cannot be used at the moment. */
  get problem(): Error | undefined {
    return this.#folder.problem;
  }

  /** If it cannot be used, try once more now. */
  revive(): Promise<void> {
    return this.#folder.revive();
  }

  /** @throws DatabaseError */
  async get(key: string): Promise<string | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  /** @returns the values in the order of the keys, undefined for those that there are not; @throws DatabaseError */
  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    const whole = keys.map((key) => this.#prefix + key);
    const sealed = await this.#folder.use((level) => level.getMany(whole));
    return sealed.map((value, nth) => (value === undefined ? undefined : this.#unseal(whole[nth] ?? '', value)));
  }

  /** All or nothing. @throws DatabaseError */
  batch(changes: readonly Change[]): Promise<void> {
    return this.batchWith(changes, this, []);
  }

  /** The same, with what changes in another section of the same database. */
  batchWith(changes: readonly Change[], other: Section, others: readonly Change[]): Promise<void> {
    return this.#folder.use((level) => {
      const batch = level.batch();
      this.#addTo(batch, changes);
      other.#addTo(batch, others);
      return batch.write();
    });
  }

  /** Everything, or a range of it. @throws DatabaseError */
  async *iterator({ gte, lt, limit, reverse = false }: Partial<Range> = {}): AsyncGenerator<[string, string], void> {
    const range = { gte: this.#prefix + (gte ?? ''), lt: lt === undefined ? this.#end : this.#prefix + lt, reverse };
    let left = limit ?? Infinity;
    let damaged = false;
    for await (const [key, sealed] of this.#folder.entries({ ...range, ...(limit === undefined ? {} : { limit }) })) {
      const value = this.#unseal(key, sealed);
      damaged ||= value === undefined;
      if (value === undefined) continue;
      left--;
      yield [key.slice(this.#prefix.length), value];
    }
    if (!damaged || limit === undefined) return;
    // Some of those within the limit were not there.
    let seen = limit - left;
    for await (const [key, sealed] of this.#folder.entries(range)) {
      const value = unseal(key, sealed);
      if (value === undefined || seen-- > 0) continue;
      yield [key.slice(this.#prefix.length), value];
      if (--left <= 0) return;
    }
  }

  /** Keys alone, which takes no look at their values. @throws DatabaseError */
  async *keys({ gte, limit }: Pick<Range, 'gte' | 'limit'>): AsyncGenerator<string, void> {
    const range = { gte: this.#prefix + gte, lt: this.#end, ...(limit === undefined ? {} : { limit }) };
    for await (const key of this.#folder.keys(range)) yield key.slice(this.#prefix.length);
  }

  async *values(range: Range): AsyncGenerator<string, void> {
    for await (const [, value] of this.iterator(range)) yield value;
  }

  /** Delete what is in a range. @throws DatabaseError */
  clear({ gte, lt }: Pick<Range, 'gte' | 'lt'>): Promise<void> {
    return this.#folder.use((level) => level.clear({ gte: this.#prefix + gte, lt: this.#prefix + lt }));
  }

  #addTo(batch: AddedTo, changes: readonly Change[]): void {
    for (const change of changes) {
      const key = this.#prefix + change.key;
      if (change.type === 'put') batch.put(key, change.bare === true ? change.value : seal(key, change.value));
      else batch.del(key);
    }
  }

  #unseal(key: string, sealed: string): string | undefined {
    const value = unseal(key, sealed);
    if (value !== undefined) return value;
    const fields = { database: this.#folder.folder, section: this.#name, key: key.slice(this.#prefix.length) };
    this.#damaged.add(this.#name, (more) => {
      this.#log.error(
        fields,
        more === 0 ? 'an entry of the database is damaged, and counts as missing' : `${more} more entries of the database are damaged`,
      );
    });
    return undefined;
  }
}
