/**
 * Statistics in memory: for programs that keep none, and for tests. Grows with the number of buckets.
 */
import { addBucket, bucketOf, countCapture, noCounts, type BucketCounts } from '../counts.ts';
import type { AddingStatistics } from '../statistics.ts';

export function memoryStatistics(): AddingStatistics {
  const buckets = new Map<string, BucketCounts>();
  const countsOf = (bucket: string): BucketCounts => {
    const counts = buckets.get(bucket) ?? noCounts();
    buckets.set(bucket, counts);
    return counts;
  };
  return {
    crowded: false,
    tally: (bucket, kind, wireBytes) => countCapture(countsOf(bucket), kind, wireBytes),
    add: (bucket, counts) => addBucket(countsOf(bucket), counts),
    get(bucket) {
      const counts = buckets.get(bucket);
      return counts && bucketOf(bucket, counts);
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
