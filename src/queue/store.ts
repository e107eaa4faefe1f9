/**
 * The database of a queue: changes happen one after the other, and those that wait together are written together.
 *
 * A change names the keys that it will look at, and is then made in one go on a view of them (`Change`); or, when only the work itself can
 * tell what it needs, it has the database for itself until it is done (`alone`). What a promise of it resolves with is stored. Knows nothing
 * of URLs.
 */
import type { ClassicLevel } from 'classic-level';
import { reasonOf } from '../util/thrown.ts';
import { key } from './keys.ts';
import { NO_COUNTS, type Counts } from './records.ts';

/** The database cannot be read or written: nothing of what was asked has happened. */
export class QueueStoreError extends Error {
  override readonly name = 'QueueStoreError';
  readonly code = 'QUEUE_STORE';
}

/** Some values as they were read, and what becomes of them. */
export class View {
  readonly counts: Counts;
  readonly #values: Map<string, unknown>;
  readonly #changed = new Set<string>();

  constructor(values: Map<string, unknown>, counts: Counts) {
    this.#values = values;
    this.counts = { ...counts, ready: { ...counts.ready } };
  }

  /** @throws Error for a key that nobody has asked to be read */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- whoever asks by a key knows what stands there
  get<T>(name: string): T | undefined {
    const value = this.#values.get(name) as T | undefined;
    if (value === undefined && !this.#values.has(name)) throw new Error(`${name} was not read`);
    return value;
  }

  /** What was read later. What has been changed stays as it is. */
  add(name: string, value: unknown): void {
    if (!this.#values.has(name)) this.#values.set(name, value);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  set(name: string, value: unknown): void {
    this.#values.set(name, value);
    this.#changed.add(name);
  }

  delete(name: string): void {
    this.set(name, undefined);
  }

  /** A number that no other has. */
  nextSequence(): number {
    return ++this.counts.sequence;
  }

  get changes(): readonly (readonly [name: string, value: unknown])[] {
    return [...this.#changed].map((name) => [name, this.#values.get(name)] as const);
  }
}

export interface Change<T> {
  readonly keys: readonly string[];
  /** all at once, without waiting; what it throws undoes all that would be written with it */
  apply(view: View): T;
}

interface Waiting {
  /** undefined: it has the database for itself */
  readonly change: Change<unknown> | undefined;
  readonly work: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Changes that are written together, and keys that are read for them. */
const MAX_TOGETHER = 128;
const MAX_KEYS_TOGETHER = 4096;

export interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt: string;
  readonly limit?: number;
  readonly snapshot?: ReturnType<ClassicLevel['snapshot']>;
}

export class QueueStore {
  readonly level: ClassicLevel;
  readonly #sync: boolean;
  readonly #waiting: Waiting[] = [];
  #counts: Counts;
  #running: Promise<void> | undefined;

  private constructor(level: ClassicLevel, sync: boolean, counts: Counts) {
    this.level = level;
    this.#sync = sync;
    this.#counts = counts;
  }

  /** @param sync what is written survives the loss of power, too */
  static async open(level: ClassicLevel, sync: boolean): Promise<QueueStore> {
    const counts = await level.get(key.counts);
    return new QueueStore(level, sync, counts === undefined ? NO_COUNTS : (JSON.parse(counts) as Counts));
  }

  /** As of the last change. */
  get counts(): Counts {
    return this.#counts;
  }

  /** Make a change. @throws QueueStoreError; what its `apply` throws */
  change<T>(change: Change<T>): Promise<T> {
    return this.#enqueue(change, () => Promise.resolve()) as Promise<T>;
  }

  /** Do something for which nothing else may change meanwhile. @throws QueueStoreError; what `work` throws */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#enqueue(undefined, work) as Promise<T>;
  }

  /** All changes that wait are made. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async read(names: readonly string[], snapshot?: Range['snapshot']): Promise<View> {
    const view = new View(new Map(), this.#counts);
    await this.extend(view, names, snapshot);
    return view;
  }

  /** Read more into a view. */
  async extend(view: View, names: readonly string[], snapshot?: Range['snapshot']): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !view.has(name));
    if (missing.length === 0) return;
    const values = await this.level.getMany(missing, snapshot === undefined ? {} : { snapshot }).catch(failed);
    missing.forEach((name, index) => {
      const text = values[index];
      view.add(name, text === undefined ? undefined : JSON.parse(text));
    });
  }

  /** Keys of a range, in their order. */
  async keysIn(range: Range): Promise<string[]> {
    return this.level
      .keys({ ...range })
      .all()
      .catch(failed);
  }

  /** Keys and values of a range, in their order, as many at a time as `limit` says. */
  async entriesIn<T>(range: Range): Promise<(readonly [name: string, value: T])[]> {
    const entries = await this.level
      .iterator({ ...range })
      .all()
      .catch(failed);
    return entries.map(([name, text]) => [name, JSON.parse(text) as T] as const);
  }

  /** All or nothing. Only for who is alone. @throws QueueStoreError */
  async write(view: View): Promise<void> {
    const { changes } = view;
    if (changes.length === 0) return;
    const batch = this.level.batch();
    for (const [name, value] of changes) {
      if (value === undefined) batch.del(name);
      else batch.put(name, JSON.stringify(value));
    }
    batch.put(key.counts, JSON.stringify(view.counts));
    await batch.write({ sync: this.#sync }).catch(failed);
    this.#counts = view.counts;
  }

  #enqueue(change: Change<unknown> | undefined, work: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, work, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // Those that come in the same turn go together.
    await Promise.resolve();
    for (let together = this.#take(); together.length > 0; together = this.#take()) {
      const [first] = together;
      try {
        if (first?.change === undefined) first?.resolve(await first.work());
        else await this.#together(together);
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    this.#running = undefined;
  }

  /** The next ones: one that is to be alone, or several changes. */
  #take(): Waiting[] {
    let keys = 0;
    let count = 0;
    for (const { change } of this.#waiting) {
      keys += change?.keys.length ?? 0;
      const fits = count === 0 || (change !== undefined && count < MAX_TOGETHER && keys <= MAX_KEYS_TOGETHER);
      if (!fits) break;
      count++;
      if (change === undefined) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #together(all: readonly Waiting[]): Promise<void> {
    const view = await this.read(all.flatMap(({ change }) => change?.keys ?? []));
    const results = all.map(({ change }) => change?.apply(view));
    await this.write(view);
    all.forEach(({ resolve }, index) => resolve(results[index]));
  }
}

function failed(error: unknown): never {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  throw new QueueStoreError(`the database of the queue failed: ${reasonOf(cause)}`, { cause: error });
}
