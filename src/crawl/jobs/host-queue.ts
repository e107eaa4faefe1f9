/**
 * The cheapest entries that a job has of one host, in memory; the others stay in the database until these are taken.
 *
 * ```
 * in the database   taken … │ in memory …         │ not read yet …
 * in order of        ◄──────┴─────────────────────┤ upTo
 * cost, then n
 * ```
 *
 * Whatever comes in front of `upTo` is taken, in memory, or has ended. Knows no database: `JobFrontier` reads for it.
 */

export interface Entry {
  /** grows with each entry of all jobs */
  readonly n: number;
  readonly cost: number;
  readonly url: string;
  /** in lower case, without port */
  readonly host: string;
  /** the seed that it descends from, by its place among those of the job */
  readonly seed: number;
  readonly kind: 'seed' | 'link' | 'sitemap';
  /** in the database */
  readonly key: Buffer;
}

export class HostQueue {
  readonly host: string;
  /** in order */
  readonly entries: Entry[] = [];
  /** costs that the index of hosts may know it by */
  readonly costs = new Set<number>();
  /** of its entries: taken, and neither ended nor given back */
  readonly taken = new Set<number>();
  /** entries that are about to be added */
  coming = 0;
  /** the key after which the rest is in the database only */
  upTo: Buffer | undefined;
  /** there may be some behind `upTo` */
  more = true;
  readonly #room: number;
  /** while it is read: what was added, and what has ended */
  #meanwhile: { readonly added: Entry[]; readonly ended: Set<number> } | undefined;

  /** @param room entries that are kept in memory */
  constructor(host: string, room: number) {
    this.host = host;
    this.#room = room;
  }

  get head(): Entry | undefined {
    return this.entries[0];
  }

  get room(): number {
    return this.#room;
  }

  /** Nothing is left of it, and nothing may come back. */
  get drained(): boolean {
    return this.entries.length === 0 && !this.more && this.taken.size === 0 && this.coming === 0 && this.#meanwhile === undefined;
  }

  take(): Entry | undefined {
    const entry = this.entries.shift();
    if (entry !== undefined) this.taken.add(entry.n);
    return entry;
  }

  giveBack(entry: Entry): void {
    if (this.taken.delete(entry.n)) this.#insert(entry);
  }

  /** It is not in the database any more. */
  ended(entry: Entry): void {
    this.taken.delete(entry.n);
    this.#meanwhile?.ended.add(entry.n);
  }

  /** It is in the database now. */
  added(entry: Entry): void {
    if (this.#meanwhile !== undefined) {
      this.#meanwhile.added.push(entry);
    } else if (this.upTo !== undefined && Buffer.compare(entry.key, this.upTo) < 0) {
      this.#insert(entry);
    } else if (!this.more && this.entries.length < this.#room) {
      this.#insert(entry);
      this.upTo = entry.key;
    } else {
      this.more = true;
    }
  }

  beginReading(): void {
    this.#meanwhile = { added: [], ended: new Set() };
  }

  /** @param read the next ones behind `upTo`, up to `room` */
  endReading(read: readonly Entry[]): void {
    const { added, ended } = this.#meanwhile ?? { added: [], ended: new Set<number>() };
    this.#meanwhile = undefined;
    for (const entry of read) {
      this.costs.add(entry.cost);
      if (!this.#knows(entry) && !ended.has(entry.n)) this.#insert(entry);
    }
    this.upTo = read.at(-1)?.key ?? this.upTo;
    this.more = read.length >= this.#room;
    for (const entry of added) if (!this.#knows(entry) && !ended.has(entry.n)) this.added(entry);
  }

  #knows({ n }: Entry): boolean {
    return this.taken.has(n) || this.entries.some((entry) => entry.n === n);
  }

  #insert(entry: Entry): void {
    this.costs.add(entry.cost);
    let at = this.entries.length;
    while (at > 0 && before(entry, this.entries[at - 1])) at--;
    this.entries.splice(at, 0, entry);
    // Those that are too many are read again when it is their turn.
    const last = this.entries.length > 2 * this.#room ? this.entries.pop() : undefined;
    if (last === undefined) return;
    this.upTo = this.entries.at(-1)?.key;
    this.more = true;
  }
}

/** Ascending cost, then insertion. */
export function before(a: Entry, b: Entry | undefined): boolean {
  return b === undefined || a.cost < b.cost || (a.cost === b.cost && a.n < b.n);
}
