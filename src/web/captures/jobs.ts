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
  readonly #prefixes = new Map<string, Prefix>();
  readonly #buckets = new Map<string, NamedBucket>();
  /** of the last capture: those of a job come one after the other */
  #latest: readonly string[] = [];

  add({ meta }: Capture, { prefix, buckets, archived, size, time }: CaptureEvent): void {
    const known = latest(this.#prefixes, prefix, MAX_PREFIXES, () => ({ prefix, captures: 0, dup: 0, failed: 0, bytes: 0, last: time }));
    if (archived === 'failed') known.failed++;
    else known.captures++;
    if (archived === 'dup') known.dup++;
    known.bytes += size;
    known.last = time;
    const isNamed = meta.limits.length > 0 || meta.softLimits.length > 0;
    if (buckets === this.#latest && !isNamed) return;
    this.#latest = buckets;
    for (const bucket of buckets) {
      const named = latest(this.#buckets, bucket, MAX_BUCKETS, () => ({ bucket, limits: [] }));
      if (isNamed) named.limits = [...limitsOf(meta.limits, bucket, false), ...limitsOf(meta.softLimits, bucket, true)];
    }
  }

  /** Those of another process, which were named later than any here. */
  merge({ prefixes, buckets }: Named): void {
    for (const each of prefixes) {
      const known = latest(this.#prefixes, each.prefix, MAX_PREFIXES, () => ({ ...each, captures: 0, dup: 0, failed: 0, bytes: 0 }));
      for (const of of ['captures', 'dup', 'failed', 'bytes'] as const) known[of] += each[of];
      if (each.last > known.last) known.last = each.last;
    }
    for (const { bucket, limits } of buckets) {
      const named = latest(this.#buckets, bucket, MAX_BUCKETS, () => ({ bucket, limits: [] }));
      if (limits.length > 0) named.limits = limits;
    }
  }

  /** What was named since the last call, to be kept elsewhere: here it is forgotten. */
  take(): Named {
    const taken = { prefixes: [...this.#prefixes.values()], buckets: [...this.#buckets.values()] };
    this.#prefixes.clear();
    this.#buckets.clear();
    this.#latest = [];
    return taken;
  }

  /** The one used last first. */
  get prefixes(): readonly Prefix[] {
    return [...this.#prefixes.values()].reverse();
  }

  /** The one used last first. */
  get buckets(): readonly NamedBucket[] {
    return [...this.#buckets.values()].reverse();
  }
}

function limitsOf(limits: readonly Limit[], bucket: string, soft: boolean): NamedBucket['limits'] {
  const own = limits.filter((limit) => limit.bucket === bucket || limit.normalBucket === bucket);
  return own.map(({ subBucket, statistic, value }) => ({ of: `${subBucket}/${statistic}`, value, soft }));
}

/** The entry of a key, made where there is none, and from now on the last of the map. */
function latest<Entry>(map: Map<string, Entry>, key: string, most: number, make: () => Entry): Entry {
  const entry = map.get(key) ?? make();
  map.delete(key);
  map.set(key, entry);
  const oldest = map.size > most ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  return entry;
}
