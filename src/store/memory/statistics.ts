/**
 * Statistics in memory: for programs that keep none, and for tests. Grows with the number of buckets.
 */
import { bucketOf, countCapture, noCounts, type BucketCounts } from '../counts.ts';
import type { StatisticsStore } from '../statistics.ts';

export function memoryStatistics(): StatisticsStore {
  const buckets = new Map<string, BucketCounts>();
  return {
    crowded: false,
    tally(bucket, kind, wireBytes) {
      const counts = buckets.get(bucket) ?? noCounts();
      buckets.set(bucket, counts);
      countCapture(counts, kind, wireBytes);
    },
    get(bucket) {
      const counts = buckets.get(bucket);
      return counts && bucketOf(bucket, counts);
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
