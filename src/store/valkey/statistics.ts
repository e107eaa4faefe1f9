/**
 * Statistics in a shared store: what is counted here is added to the buckets of all, each batch under a number, so that it counts once.
 *
 * ```
 * tally ─► changed ── a script of its own, one at a time ──► store
 *                     └── away, or others wait already ──► outbox
 * ```
 *
 * `get` asks the store each time, after everything that was tallied here is in it. Source: spec/warcprox.md §4 (Statistics).
 */
import { randomBytes } from 'node:crypto';
import { turns } from '../../util/turns.ts';
import { addBucket, bucketOf, countCapture, noCounts, type BucketCounts } from '../counts.ts';
import { StoreError } from '../errors.ts';
import type { AddingStatistics, Bucket, TallyKind } from '../statistics.ts';
import type { Link } from './link.ts';
import { SOURCE_SECONDS, type Outbox } from './outbox.ts';
import { COUNT, READ_BUCKET } from './scripts.ts';

export interface ValkeyStatisticsOptions {
  readonly link: Link;
  readonly outbox: Outbox;
}

/** Of one script; the store does nothing else meanwhile. */
const AT_ONCE = 500;
const MAX_CHANGED = 10_000;
/** characters of names: clients choose them */
const MAX_NAMES = 8 * 1024 * 1024;
/** While the store is away there is a row for each of these times. */
const AWAY_MS = 500;

export class ValkeyStatistics implements AddingStatistics {
  readonly #link: Link;
  readonly #outbox: Outbox;
  readonly #source = randomBytes(9).toString('base64url');
  readonly #turns = turns();
  #batches = 0;
  #changed = new Map<string, BucketCounts>();
  #names = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ link, outbox }: ValkeyStatisticsOptions) {
    this.#link = link;
    this.#outbox = outbox;
    link.whenBack(() => void this.flush());
  }

  get crowded(): boolean {
    return this.#changed.size >= MAX_CHANGED || this.#names >= MAX_NAMES;
  }

  tally(bucket: string, kind: TallyKind | undefined, wireBytes: number): void {
    countCapture(this.#countsOf(bucket), kind, wireBytes);
    this.#soon();
  }

  add(bucket: string, counts: Omit<Bucket, 'bucket'>): void {
    addBucket(this.#countsOf(bucket), counts);
    this.#soon();
  }

  /** @throws StoreError when the store is away */
  async get(bucket: string): Promise<Bucket | undefined> {
    await this.flush();
    if (this.#outbox.isInUse) await this.#outbox.deliver();
    if (this.#outbox.isInUse) {
      throw this.#link.problem ?? new StoreError('STORE_AWAY', this.#link.shown, 'is being given what waited for it; try again');
    }
    const counts = (await this.#link.run(READ_BUCKET, [bucket])) as readonly (Buffer | null)[];
    const numbers = counts.map((count) => Number(count ?? 0));
    const part = (at: number) => ({ urls: numbers[at] ?? 0, wire_bytes: numbers[at + 1] ?? 0 });
    const read = noCounts();
    addBucket(read, { total: part(0), new: part(2), revisit: part(4) });
    return bucketOf(bucket, read);
  }

  flush(): Promise<void> {
    return this.#turns.run(() => this.#flush());
  }

  async close(): Promise<void> {
    await this.flush();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#changed.size > 0) {
      const some = [...this.#changed].slice(0, AT_ONCE);
      for (const [name] of some) {
        this.#changed.delete(name);
        this.#names -= name.length;
      }
      const parameters: (string | number)[] = [this.#source, ++this.#batches, SOURCE_SECONDS];
      for (const [name, { total, new: fresh, revisit }] of some) {
        parameters.push(name, total.urls, total.wire_bytes, fresh.urls, fresh.wire_bytes, revisit.urls, revisit.wire_bytes);
      }
      const isWaiting = this.#outbox.isInUse || !(await this.#count(parameters));
      if (isWaiting) await this.#outbox.keepCounts(parameters);
    }
  }

  #countsOf(bucket: string): BucketCounts {
    let counts = this.#changed.get(bucket);
    if (counts !== undefined) return counts;
    counts = noCounts();
    this.#changed.set(bucket, counts);
    this.#names += bucket.length;
    return counts;
  }

  #soon(): void {
    if (this.#timer !== undefined) return;
    const flush = () => {
      this.#timer = undefined;
      void this.flush();
    };
    const isAway = this.#outbox.isInUse || this.#link.problem !== undefined;
    this.#timer = isAway ? setTimeout(flush, AWAY_MS).unref() : setTimeout(flush, 0);
  }

  async #count(parameters: readonly (string | number)[]): Promise<boolean> {
    return this.#link.run(COUNT, parameters).then(
      () => true,
      () => false,
    );
  }
}
