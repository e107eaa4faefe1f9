/**
 * Statistics in LevelDB: exact in memory, on disk half a second after they changed.
 *
 * Holds recently used buckets, and pins those that are read from or written to the database. Counting never waits: what is counted before
 * a bucket's earlier counts have been read is added to them afterwards, and nothing is written before that.
 *
 * ```
 * tally ─► pinned: unread ─► changed ─► being written ─► recent (may be forgotten)
 *                    ▲          └──◄── tally ──◄──┘ │
 *                    └───────── tally, get ◄────────┘
 * ```
 *
 * Source: spec/warcprox.md §4 (Statistics).
 */
import { LRUCache } from 'lru-cache';
import type { Log } from '../../util/log.ts';
import { turns } from '../../util/turns.ts';
import { addBucket, bucketOf, countCapture, noCounts, type BucketCounts } from '../counts.ts';
import type { AddingStatistics, Bucket, TallyKind } from '../statistics.ts';
import type { Section } from './section.ts';

export interface LevelStatisticsOptions {
  readonly section: Pick<Section, 'getMany' | 'batch'> & Partial<Pick<Section, 'revive'>>;
  readonly log: Log;
  /** buckets kept in memory beside those that wait to be written */
  readonly maxBuckets?: number;
  /** buckets that may wait to be written */
  readonly maxWaiting?: number;
}

/** A bucket in memory. `total` holds the whole history only once `read`. */
interface Entry extends BucketCounts {
  readonly name: string;
  read: boolean;
  reading: Promise<void> | undefined;
  changed: boolean;
  writing: boolean;
}

const MAX_BUCKETS = 10_000;
/** Some 50 MB. Fewer do while the database works; more than the gate knows, whose names are let in while it is away. */
const MAX_WAITING = 120_000;
/** characters of the names of recent buckets, and again of those that wait: clients choose them */
const MAX_NAMES = 8 * 1024 * 1024;
/** of those that wait while the database is away */
const MAX_WAITING_NAMES = 3 * MAX_NAMES;
/** Reading or writing so many takes some milliseconds; then others have a turn. */
const AT_ONCE = 1_000;
/** Counts survive a crash to within the last second; writing takes a part of it. */
const WRITE_AFTER_MS = 500;

export class LevelStatistics implements AddingStatistics {
  readonly #section: LevelStatisticsOptions['section'];
  readonly #log: Log;
  readonly #maxPinned: number;
  readonly #recent: LRUCache<string, Entry>;
  readonly #pinned = new Map<string, Entry>();
  /** characters of the names of those */
  #pinnedChars = 0;
  #unread: Entry[] = [];
  #nextRead: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #turns = turns();
  #failing = false;
  readonly #maxWaiting: number;
  #lost = 0;

  constructor({ section, log, maxBuckets = MAX_BUCKETS, maxWaiting = MAX_WAITING }: LevelStatisticsOptions) {
    this.#section = section;
    this.#log = log;
    this.#maxWaiting = maxWaiting;
    this.#maxPinned = maxBuckets;
    this.#recent = new LRUCache({ max: maxBuckets, maxSize: MAX_NAMES, sizeCalculation: ({ name }) => name.length + 1 });
  }

  get crowded(): boolean {
    return this.#pinned.size >= this.#maxPinned || this.#pinnedChars >= MAX_NAMES;
  }

  /** buckets that wait because the database cannot be written */
  get waiting(): number {
    return this.#failing ? this.#pinned.size : 0;
  }

  /** captures that were not counted in a bucket, as too many waited for the database */
  get lost(): number {
    return this.#lost;
  }

  tally(bucket: string, kind: TallyKind | undefined, wireBytes: number): void {
    const entry = this.#counted(bucket);
    if (entry !== undefined) countCapture(entry, kind, wireBytes);
  }

  add(bucket: string, counts: Omit<Bucket, 'bucket'>): void {
    const entry = this.#counted(bucket);
    if (entry !== undefined) addBucket(entry, counts);
  }

  get(bucket: string): Bucket | undefined | Promise<Bucket | undefined> {
    const entry = this.#entry(bucket);
    return entry.reading === undefined ? bucketOf(bucket, entry) : entry.reading.then(() => bucketOf(bucket, entry));
  }

  flush(): Promise<void> {
    return this.#turns.run(() => this.#flush());
  }

  /** The section is closed by its database. */
  async close(): Promise<void> {
    try {
      await this.#section.revive?.();
      await this.flush();
    } finally {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  get #full(): boolean {
    return this.#pinned.size >= this.#maxWaiting || this.#pinnedChars >= MAX_WAITING_NAMES;
  }

  /** The bucket that is to be counted in, and written; undefined where there is no room for it. */
  #counted(bucket: string): Entry | undefined {
    if (this.#full && !this.#pinned.has(bucket)) return this.#lose();
    const entry = this.#entry(bucket);
    if (entry.changed) return entry;
    entry.changed = true;
    this.#pin(entry);
    this.#setTimer();
    return entry;
  }

  #lose(): undefined {
    if (this.#lost++ > 0) return;
    this.#log.error({}, 'more buckets wait for the database than memory holds: further ones are not counted');
  }

  /** The only object for this bucket, being read if it was not in memory. */
  #entry(name: string): Entry {
    const known = this.#pinned.get(name) ?? this.#recent.get(name);
    if (known?.read === true) return known;
    const entry = known ?? {
      name,
      ...noCounts(),
      read: false,
      reading: undefined,
      changed: false,
      writing: false,
    };
    this.#pin(entry);
    this.#ask(entry);
    return entry;
  }

  /** Those that are missed in the same turn are read together. */
  #ask(entry: Entry): void {
    if (entry.reading !== undefined) return;
    this.#unread.push(entry);
    if (this.#nextRead === undefined) {
      this.#nextRead = Promise.resolve().then(() => this.#read());
      // Whoever waits for it is told; a tally does not wait.
      this.#nextRead.catch(() => undefined);
    }
    entry.reading = this.#nextRead;
  }

  async #read(): Promise<void> {
    const entries = this.#unread;
    this.#unread = [];
    this.#nextRead = undefined;
    try {
      for (const some of slicesOf(entries)) {
        const values = await this.#section.getMany(some.map(({ name }) => name));
        for (const [index, entry] of some.entries()) {
          const value = values[index];
          if (value !== undefined) addBucket(entry, JSON.parse(value) as Bucket);
          entry.read = true;
        }
      }
    } finally {
      for (const entry of entries) {
        entry.reading = undefined;
        this.#settle(entry);
      }
    }
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const unreadable = await this.#readPinned();
    try {
      for (const some of slicesOf([...this.#pinned.values()].filter((entry) => entry.changed && entry.read))) await this.#write(some);
    } finally {
      this.#setTimer();
    }
    if (unreadable !== undefined) throw unreadable.reason;
    this.#failing = false;
  }

  async #readPinned(): Promise<PromiseRejectedResult | undefined> {
    const readings = new Set<Promise<void>>();
    for (const entry of this.#pinned.values()) {
      if (!entry.read) this.#ask(entry);
      if (entry.reading !== undefined) readings.add(entry.reading);
    }
    const ends = await Promise.allSettled(readings);
    return ends.find((end) => end.status === 'rejected');
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    const puts = entries.map((entry) => ({ type: 'put' as const, key: entry.name, value: JSON.stringify(bucketOf(entry.name, entry)) }));
    for (const entry of entries) {
      entry.changed = false;
      entry.writing = true;
    }
    try {
      await this.#section.batch(puts);
    } catch (error) {
      for (const entry of entries) entry.changed = true;
      throw error;
    } finally {
      for (const entry of entries) {
        entry.writing = false;
        this.#settle(entry);
      }
    }
  }

  #pin(entry: Entry): void {
    if (this.#pinned.has(entry.name)) return;
    this.#recent.delete(entry.name);
    this.#pinned.set(entry.name, entry);
    this.#pinnedChars += entry.name.length;
  }

  /** Unpin what has nothing more to do with the database; what could not be read is asked for anew the next time. */
  #settle(entry: Entry): void {
    if (entry.changed || entry.writing || entry.reading !== undefined) return;
    if (this.#pinned.delete(entry.name)) this.#pinnedChars -= entry.name.length;
    if (entry.read) this.#recent.set(entry.name, entry);
  }

  #setTimer(): void {
    if (this.#timer !== undefined || this.#pinned.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush().catch((error: unknown) => {
        if (!this.#failing) this.#log.error({ err: error }, 'statistics cannot be written; they are kept in memory and tried again');
        this.#failing = true;
      });
    }, WRITE_AFTER_MS).unref();
  }
}

function* slicesOf(entries: readonly Entry[]): Generator<readonly Entry[]> {
  for (let at = 0; at < entries.length; at += AT_ONCE) yield entries.slice(at, at + AT_ONCE);
}
