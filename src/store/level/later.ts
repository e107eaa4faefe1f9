/**
 * A section for indexes, which can do without their database for a while: what cannot be written is kept in memory and put in later, and
 * what cannot be read is as if it were not there.
 *
 * Keeps the order of what is written to one key. What is more than memory allows is lost to the index, not to the WARC files, and counted.
 */
import type { Log } from '../../util/log.ts';
import { DatabaseError } from '../errors.ts';
import type { Change, Range, Section } from './section.ts';

const MAX_CHARS = 64 * 1024 * 1024;
const AT_ONCE = 1000;

export class LaterSection {
  readonly #section: Section;
  readonly #log: Log;
  readonly #maxChars: number;
  readonly #waiting = new Map<string, string | undefined>();
  #chars = 0;
  #lost = 0;
  #putting: Promise<void> | undefined;

  constructor(section: Section, log: Log, maxChars = MAX_CHARS) {
    this.#section = section;
    this.#log = log;
    this.#maxChars = maxChars;
  }

  /** entries that wait to be put in */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** entries that never will be */
  get lost(): number {
    return this.#lost;
  }

  async get(key: string): Promise<string | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  /** @returns undefined, too, for what cannot be read at the moment */
  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    if (this.#section.problem === undefined && this.#waiting.size === 0) {
      const values = await this.#section.getMany(keys).catch(unlessAway);
      return values ?? keys.map(() => undefined);
    }
    const values = this.#section.problem === undefined ? await this.#section.getMany(keys).catch(unlessAway) : undefined;
    return keys.map((key, nth) => (this.#waiting.has(key) ? this.#waiting.get(key) : values?.[nth]));
  }

  /** Write, or remember to. */
  async batch(changes: readonly Change[]): Promise<void> {
    if (this.#section.problem === undefined && this.#waiting.size === 0) {
      const written = await this.#section.batch(changes).then(() => true, unlessAway);
      if (written === true) return;
    }
    for (const change of changes) this.#keep(change);
    if (this.#section.problem === undefined) await this.putIn();
  }

  /** As the database has them. @throws DatabaseError */
  iterator(range?: Partial<Range>): AsyncGenerator<[string, string], void> {
    return this.#section.iterator(range);
  }

  /** As the database has them. @throws DatabaseError */
  keys(range: Pick<Range, 'gte' | 'limit'>): AsyncGenerator<string, void> {
    return this.#section.keys(range);
  }

  /** As the database has them. @throws DatabaseError */
  values(range: Range): AsyncGenerator<string, void> {
    return this.#section.values(range);
  }

  /** Delete what the database has in a range, or leave it there. */
  async clear(range: Pick<Range, 'gte' | 'lt'>): Promise<void> {
    await this.#section.clear(range).catch(unlessAway);
  }

  /** Put in what waits, as far as the database takes it. Never rejects for a database that is away. */
  putIn(): Promise<void> {
    this.#putting ??= this.#putIn().finally(() => (this.#putting = undefined));
    return this.#putting;
  }

  async #putIn(): Promise<void> {
    while (this.#waiting.size > 0 && this.#section.problem === undefined) {
      const some = [...this.#waiting].slice(0, AT_ONCE);
      const changes = some.map(([key, value]): Change => (value === undefined ? { type: 'del', key } : { type: 'put', key, value }));
      if ((await this.#section.batch(changes).then(() => true, unlessAway)) !== true) return;
      for (const [key, value] of some) {
        // What was written to it meanwhile waits still.
        if (this.#waiting.get(key) !== value) continue;
        this.#waiting.delete(key);
        this.#chars -= sizeOf(key, value);
      }
      if (this.#waiting.size === 0) this.#log.info({ entries: some.length }, 'what waited for the database is in it');
    }
  }

  #keep(change: Change): void {
    const { key } = change;
    const value = change.type === 'put' ? change.value : undefined;
    const replaced = this.#waiting.has(key) ? sizeOf(key, this.#waiting.get(key)) : 0;
    const size = sizeOf(key, value);
    if (this.#chars - replaced + size > this.#maxChars) {
      this.#lost++;
      if (this.#lost === 1) {
        this.#log.error(
          {},
          'more entries wait for the database than are kept in memory: further ones are lost to it, see warctap store rebuild',
        );
      }
      return;
    }
    this.#waiting.delete(key);
    this.#waiting.set(key, value);
    this.#chars += size - replaced;
  }
}

function sizeOf(key: string, value: string | undefined): number {
  return key.length + (value?.length ?? 0);
}

function unlessAway(error: unknown): undefined {
  if (!(error instanceof DatabaseError)) throw error;
  return undefined;
}
