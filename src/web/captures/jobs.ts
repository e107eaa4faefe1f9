/**
 * What clients have named lately: prefixes of WARC files and buckets of statistics, with the limits that they have said for them.
 *
 * Bounded: those that were not named for longest are forgotten here, and nowhere else.
 */
import type { Capture } from '../../capture/capture.ts';
import type { Limit } from '../../meta/meta.ts';
import type { CaptureEvent } from './event.ts';

export interface Prefix {
  readonly prefix: string;
  captures: number;
  dup: number;
  failed: number;
  /** bytes that came */
  bytes: number;
  /** start of the latest */
  last: string;
}

export interface NamedBucket {
  readonly bucket: string;
  /** what counts for it: those of the latest request that named any */
  limits: readonly { readonly of: string; readonly value: number; readonly soft: boolean }[];
}

/** The one used last last. */
export interface Named {
  readonly prefixes: readonly Prefix[];
  readonly buckets: readonly NamedBucket[];
}

const MAX_PREFIXES = 200;
const MAX_BUCKETS = 500;

export class Jobs {
  readonly #prefixes = new Latest<Prefix>(MAX_PREFIXES);
  readonly #buckets = new Latest<NamedBucket>(MAX_BUCKETS);
  /** of the last capture: those of a job come one after the other */
  #latest: readonly string[] = [];

  add({ meta }: Capture, { prefix, buckets, archived, size, time }: CaptureEvent): void {
    const known = this.#prefixes.of(prefix, () => ({ prefix, captures: 0, dup: 0, failed: 0, bytes: 0, last: time }));
    if (archived === 'failed') known.failed++;
    else known.captures++;
    if (archived === 'dup') known.dup++;
    known.bytes += size;
    known.last = time;
    const isNamed = meta.limits.length > 0 || meta.softLimits.length > 0;
    if (buckets === this.#latest && !isNamed) return;
    this.#latest = buckets;
    for (const bucket of buckets) {
      const named = this.#buckets.of(bucket, () => ({ bucket, limits: [] }));
      if (isNamed) named.limits = [...limitsOf(meta.limits, bucket, false), ...limitsOf(meta.softLimits, bucket, true)];
    }
  }

  /** Those of another process, which were named later than any here. */
  merge({ prefixes, buckets }: Named): void {
    for (const each of prefixes) {
      const known = this.#prefixes.of(each.prefix, () => ({ ...each, captures: 0, dup: 0, failed: 0, bytes: 0 }));
      for (const of of ['captures', 'dup', 'failed', 'bytes'] as const) known[of] += each[of];
      if (each.last > known.last) known.last = each.last;
    }
    for (const { bucket, limits } of buckets) {
      const named = this.#buckets.of(bucket, () => ({ bucket, limits: [] }));
      if (limits.length > 0) named.limits = limits;
    }
  }

  /** What was named since the last call, to be kept elsewhere: here it is forgotten. */
  take(): Named {
    const taken = { prefixes: this.#prefixes.inOrder, buckets: this.#buckets.inOrder };
    this.#prefixes.clear();
    this.#buckets.clear();
    this.#latest = [];
    return taken;
  }

  /** The one used last first. */
  get prefixes(): readonly Prefix[] {
    return this.#prefixes.inOrder.reverse();
  }

  /** The one used last first. */
  get buckets(): readonly NamedBucket[] {
    return this.#buckets.inOrder.reverse();
  }
}

function limitsOf(limits: readonly Limit[], bucket: string, soft: boolean): NamedBucket['limits'] {
  const own = limits.filter((limit) => limit.bucket === bucket || limit.normalBucket === bucket);
  return own.map(({ subBucket, statistic, value }) => ({ of: `${subBucket}/${statistic}`, value, soft }));
}

/**
 * The entries that were used last, up to so many. What is used is only marked: to take it out and put it in again for each capture makes a Map a
 * new table after every few of them.
 */
class Latest<Entry> {
  readonly #most: number;
  readonly #entries = new Map<string, { readonly entry: Entry; usedAs: number }>();
  #uses = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The entry of a key, made where there is none, and from now on the one used last. */
  of(key: string, make: () => Entry): Entry {
    let used = this.#entries.get(key);
    if (used === undefined) {
      if (this.#entries.size >= this.#most) this.#dropOldest();
      this.#entries.set(key, (used = { entry: make(), usedAs: 0 }));
    }
    used.usedAs = ++this.#uses;
    return used.entry;
  }

  /** The one used last last. */
  get inOrder(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => a.usedAs - b.usedAs).map(({ entry }) => entry);
  }

  clear(): void {
    this.#entries.clear();
  }

  #dropOldest(): void {
    let oldest = '';
    let usedAs = Infinity;
    for (const [key, each] of this.#entries) {
      if (each.usedAs > usedAs) continue;
      usedAs = each.usedAs;
      oldest = key;
    }
    this.#entries.delete(oldest);
  }
}
