/**
 * Statistics that another process keeps: what is counted in one turn is told at once, added up by bucket.
 *
 * What it was told first it has counted before it answers what it was asked then, so an answer holds all that was counted here.
 */
import type { Wire } from '../../util/wire.ts';
import { countCapture, noCounts, type BucketCounts } from '../counts.ts';
import type { Bucket, StatisticsStore } from '../statistics.ts';
import { formOfCounts } from './forms.ts';

export function remoteStatistics(wire: Wire): StatisticsStore {
  let pending = new Map<string, BucketCounts>();
  let crowded = false;
  wire.serve({ crowded: (now: boolean) => void (crowded = now) });

  const tell = (): void => {
    if (pending.size === 0) return;
    wire.tell(
      'count',
      Array.from(pending, ([bucket, counts]) => formOfCounts(bucket, counts)),
    );
    pending = new Map();
  };

  return {
    get crowded() {
      return crowded;
    },
    tally(bucket, kind, wireBytes) {
      if (pending.size === 0) queueMicrotask(tell);
      let counts = pending.get(bucket);
      if (counts === undefined) pending.set(bucket, (counts = noCounts()));
      countCapture(counts, kind, wireBytes);
    },
    async get(bucket) {
      tell();
      return (await wire.call('bucket', bucket)) as Bucket | undefined;
    },
    async flush() {
      tell();
      await wire.call('flush');
    },
    /** Writing it is for the other process. */
    async close() {
      tell();
      await Promise.resolve();
    },
  };
}
