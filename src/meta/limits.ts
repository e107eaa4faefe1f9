/**
 * Limits: what a client allows its buckets to hold, and which of them is reached.
 *
 * Source: spec/warcprox.md §5 (`limits`, `soft-limits`, "Limit reached").
 */
import { MetaError, shown } from './errors.ts';
import { normalHost } from '../url/host.ts';
import { isObject, optional, type JsonObject } from './json.ts';
import { STATISTICS, SUB_BUCKETS, type Limit, type Statistic, type SubBucket } from './meta.ts';

/** A bucket as it is stored and shown to clients. */
export type BucketStats = { readonly bucket: string } & Readonly<Record<SubBucket, Readonly<Record<Statistic, number>>>>;

export interface ReachedLimit {
  /** of the limit, with the domain normalised if that is how the bucket is known */
  readonly key: string;
  readonly value: number;
  readonly bucket: string;
  readonly stats: BucketStats;
}

/**
 * The first limit, in the client's order, that this request's own buckets have reached.
 *
 * @param ownBuckets what `bucketsOf` says of the request
 * @param lookup undefined for a bucket that nothing was tallied in
 */
export function reachedLimit(
  limits: readonly Limit[],
  ownBuckets: readonly string[],
  lookup: (bucket: string) => BucketStats | undefined,
): ReachedLimit | undefined {
  if (limits.length === 0) return undefined;
  const owned = new Set(ownBuckets);
  for (const limit of limits) {
    const bucket = [limit.bucket, limit.normalBucket].find((name) => owned.has(name));
    if (bucket === undefined || limit.value <= 0) continue;
    const stats = lookup(bucket);
    if (stats === undefined || stats[limit.subBucket][limit.statistic] < limit.value) continue;
    return { key: `${bucket}/${limit.subBucket}/${limit.statistic}`, value: limit.value, bucket, stats };
  }
  return undefined;
}

/** @param warn told of limits of statistics that do not exist: they are never reached. @throws MetaError */
export function readLimits(raw: JsonObject, field: 'limits' | 'soft-limits', warn: (line: string) => void): Limit[] {
  const limits = optional(raw, field);
  if (limits === undefined) return [];
  if (!isObject(limits)) throw new MetaError('type', field, 'expected an object', limits);
  return Object.entries(limits).flatMap(([key, given]) => {
    // The bucket may contain slashes.
    const [, bucket, sub, name] = /^([^]*)\/([^/]*)\/([^/]*)$/.exec(key) ?? [];
    if (bucket === undefined) throw new MetaError('value', field, 'expected keys such as "bucket/total/urls"', key);
    if (given === null) return [];
    const value = numberOf(given);
    if (value === undefined) throw new MetaError('type', `${field}[${shown(key)}]`, 'expected a number', given);
    const subBucket = SUB_BUCKETS.find((known) => known === sub);
    const statistic = STATISTICS.find((known) => known === name);
    if (subBucket === undefined || statistic === undefined) {
      warn(`${field}: skipped, expected ${SUB_BUCKETS.join('|')}/${STATISTICS.join('|')} behind the bucket, got ${shown(key)}`);
      return [];
    }
    return [{ bucket, normalBucket: withNormalDomain(bucket), subBucket, statistic, value }];
  });
}

/** Also of text, as forms and environments have numbers. */
function numberOf(given: unknown): number | undefined {
  if (typeof given === 'string' && /^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(given)) return Number(given);
  return typeof given === 'number' ? given : undefined;
}

function withNormalDomain(bucket: string): string {
  const colon = bucket.indexOf(':');
  return colon < 0 ? bucket : `${bucket.slice(0, colon)}:${normalHost(bucket.slice(colon + 1))}`;
}
