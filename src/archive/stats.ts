/**
 * `StatsProcessor`: counts captures and their bytes in the buckets that the client named.
 *
 * Source: spec/warcprox.md §4 (Statistics).
 */
import type { Capture } from '../capture/capture.ts';
import { isFailure, wireSize } from '../capture/kinds.ts';
import type { Meta } from '../meta/meta.ts';
import type { StatisticsStore, TallyKind } from '../store/statistics.ts';
import type { Processor } from './processor.ts';

export interface StatsProcessorOptions {
  readonly store: Pick<StatisticsStore, 'tally' | 'crowded' | 'flush' | 'close'>;
  /** names of all buckets that a capture is tallied in, `__all__` included */
  readonly bucketsOf: (meta: Meta, url: string) => readonly string[];
}

export function statsProcessor({ store, bucketsOf }: StatsProcessorOptions): Processor {
  const tally = (batch: readonly Capture[]) => {
    for (const capture of batch) {
      if (isFailure(capture)) continue;
      const wireBytes = wireSize(capture);
      const kind = kindOf(capture);
      for (const bucket of bucketsOf(capture.meta, capture.url)) store.tally(bucket, kind, wireBytes);
    }
  };
  return {
    name: 'StatsProcessor',
    // What cannot be written now is counted all the same; the store says so, and tries again.
    process: (batch) =>
      store.crowded
        ? store.flush().then(
            () => tally(batch),
            () => tally(batch),
          )
        : tally(batch),
    close: () => store.close(),
  };
}

function kindOf({ outcome }: Capture): TallyKind | undefined {
  const principal = outcome.records?.[0];
  if (principal === undefined) return undefined;
  return principal.type === 'revisit' ? 'revisit' : 'new';
}
