/**
 * The database of jobs: changes are made one after the other, and those that wait together are written as one batch.
 *
 * A change names the keys whose presence it asks for, is made in one go, and its promise resolves when it is stored. Once a write has
 * failed nothing more is written: what is in memory and what is stored would not be the same any more.
 */
import type { ClassicLevel } from 'classic-level';
import { reasonOf } from '../../util/thrown.ts';
import type { Range } from './keys.ts';
import { key } from './keys.ts';

/** The database cannot be written or read. */
export class CrawlStoreError extends Error {
  override readonly name = 'CrawlStoreError';
  readonly code = 'CRAWL_STORE';
}

const BYTES = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
/** Of keys that say all: a byte, as classic-level 3 never gives back what it has allocated for an empty value. */
const NOTHING = Buffer.from('-');

/** Where all jobs draw their numbers from. */
interface Counters {
  /** of the latest item */
  readonly sequence: number;
  /** of the latest entry of a frontier */
  readonly n: number;
}

/** Changes of one batch. */
export class Batch {
  readonly #present: Map<string, boolean>;
  readonly #marked = new Set<string>();
  readonly #changes: (readonly [key: Buffer, value: Buffer | undefined])[] = [];
  sequence: number;
  n: number;

  constructor({ sequence, n }: Counters, present: Map<string, boolean>) {
    this.sequence = sequence;
    this.n = n;
    this.#present = present;
  }

  /** Of keys that the change has named. */
  has(name: Buffer): boolean {
    return this.#present.get(name.toString('latin1')) === true;
  }

  put(name: Buffer, value: Buffer | object = NOTHING): void {
    this.#changes.push([name, Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))]);
    const known = name.toString('latin1');
    if (this.#present.has(known)) this.#present.set(known, true);
  }

  /** Put once, however often it is asked for. */
  mark(name: Buffer): void {
    const known = name.toString('latin1');
    if (this.#marked.has(known)) return;
    this.#marked.add(known);
    this.put(name);
  }

  delete(name: Buffer): void {
    this.#marked.delete(name.toString('latin1'));
    this.#changes.push([name, undefined]);
  }

  get changes(): readonly (readonly [key: Buffer, value: Buffer | undefined])[] {
    return this.#changes;
  }
}

interface Waiting {
  readonly reads: readonly Buffer[];
  readonly apply: (batch: Batch) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_TOGETHER = 64;
const CLEARED_AT_ONCE = 10_000;

export class CrawlDatabase {
  readonly #level: ClassicLevel;
  readonly #waiting: Waiting[] = [];
  readonly #onBatch: { readonly put: (batch: Batch) => void; readonly stored: () => void }[] = [];
  #counters: Counters;
  #running: Promise<void> | undefined;
  #failure: CrawlStoreError | undefined;

  private constructor(level: ClassicLevel, counters: Counters) {
    this.#level = level;
    this.#counters = counters;
  }

  static async open(level: ClassicLevel): Promise<CrawlDatabase> {
    const stored = await level.get<Buffer, Buffer>(key('M'), BYTES);
    return new CrawlDatabase(level, stored === undefined ? { sequence: 0, n: 0 } : (JSON.parse(stored.toString()) as Counters));
  }

  /** Why nothing can be written any more. */
  get failure(): CrawlStoreError | undefined {
    return this.#failure;
  }

  /** @param put what has changed, just before a batch is written @param stored after it was */
  onBatch(put: (batch: Batch) => void, stored: () => void): void {
    this.#onBatch.push({ put, stored });
  }

  /** @param reads keys that `apply` asks about @param apply all at once, without waiting; it throws before it puts anything, or not at all @throws CrawlStoreError; what `apply` throws */
  change<T>(apply: (batch: Batch) => T, reads: readonly Buffer[] = []): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ reads, apply, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** All that waits is written. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async get(name: Buffer): Promise<Buffer | undefined> {
    return this.#level.get<Buffer, Buffer>(name, BYTES).catch(failed);
  }

  async getMany(names: Buffer[]): Promise<(Buffer | undefined)[]> {
    return this.#level.getMany<Buffer, Buffer>(names, BYTES).catch(failed);
  }

  async entries(range: Partial<Range> & { gt?: Buffer; reverse?: boolean; limit?: number }): Promise<[Buffer, Buffer][]> {
    return this.#level
      .iterator<Buffer, Buffer>({ ...range, ...BYTES })
      .all()
      .catch(failed);
  }

  keys(range: Partial<Range> & { gt?: Buffer; reverse?: boolean; limit?: number }): AsyncIterable<Buffer> {
    return this.#level.keys<Buffer>({ ...range, keyEncoding: 'buffer' });
  }

  /** Whatever is in a range, in the background of other changes: nothing is put there any more. @returns false when it was given up */
  async clear(range: Range, isOver: () => boolean): Promise<boolean> {
    for (;;) {
      await this.#level.clear<Buffer>({ ...range, limit: CLEARED_AT_ONCE, keyEncoding: 'buffer' }).catch(failed);
      if ((await this.entries({ ...range, limit: 1 })).length === 0) return true;
      if (isOver()) return false;
    }
  }

  async #run(): Promise<void> {
    // Those that come in the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const together = this.#waiting.splice(0, MAX_TOGETHER);
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#write(together);
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    // In the same turn that has found nothing more: what comes from now on begins anew.
    this.#running = undefined;
  }

  async #write(together: readonly Waiting[]): Promise<void> {
    const reads = together.flatMap((each) => each.reads);
    const present = new Map<string, boolean>();
    if (reads.length > 0) {
      const values = await this.getMany(reads);
      reads.forEach((name, index) => present.set(name.toString('latin1'), values[index] !== undefined));
    }
    const batch = new Batch(this.#counters, present);
    const done: (() => void)[] = [];
    for (const { apply, resolve, reject } of together) {
      try {
        const value = apply(batch);
        done.push(() => resolve(value as never));
      } catch (error) {
        reject(error);
      }
    }
    for (const { put } of this.#onBatch) put(batch);
    await this.#store(batch);
    for (const { stored } of this.#onBatch) stored();
    for (const resolve of done) resolve();
  }

  async #store(batch: Batch): Promise<void> {
    const { changes, sequence, n } = batch;
    if (changes.length === 0) return;
    const chained = this.#level.batch();
    for (const [name, value] of changes) {
      if (value === undefined) chained.del(name, BYTES);
      else chained.put(name, value, BYTES);
    }
    chained.put(key('M'), Buffer.from(JSON.stringify({ sequence, n })), BYTES);
    try {
      await chained.write();
    } catch (error) {
      this.#failure = new CrawlStoreError(`the database of the crawls cannot be written: ${causeOf(error)}`, { cause: error });
      throw this.#failure;
    }
    this.#counters = { sequence, n };
  }
}

function causeOf(error: unknown): string {
  return reasonOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}

function failed(error: unknown): never {
  throw new CrawlStoreError(`the database of the crawls failed: ${causeOf(error)}`, { cause: error });
}
