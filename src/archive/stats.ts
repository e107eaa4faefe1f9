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

/** Counting so many takes some milliseconds; then others have a turn. */
const NAMES_PER_STEP = 4_000;

export function statsProcessor({ store, bucketsOf }: StatsProcessorOptions): Processor {
  /** @returns number of buckets */
  const tally = (capture: Capture): number => {
    if (isFailure(capture)) return 0;
    const wireBytes = wireSize(capture);
    const kind = kindOf(capture);
    const names = bucketsOf(capture.meta, capture.url);
    for (const bucket of names) store.tally(bucket, kind, wireBytes);
    return names.length;
  };

  /** @returns where it has stopped, because enough was counted for now */
  const step = (batch: readonly Capture[], from: number): number => {
    let nth = from;
    for (let names = 0; nth < batch.length && names < NAMES_PER_STEP && !(store.crowded && nth > from); nth++) {
      const capture = batch[nth];
      if (capture !== undefined) names += tally(capture);
    }
    return nth;
  };

  /** Counts whatever happens to the store: what it could not write stays in memory. @throws the store's error, at the end */
  const goOn = async (batch: readonly Capture[], from: number): Promise<void> => {
    let failure: { readonly error: unknown } | undefined;
    for (let nth = from; nth < batch.length; nth = step(batch, nth)) {
      if (store.crowded && failure === undefined) await store.flush().catch((error: unknown) => (failure = { error }));
      else await new Promise(setImmediate);
    }
    if (failure !== undefined) throw failure.error;
  };

  return {
    name: 'StatsProcessor',
    process(batch) {
      const counted = store.crowded ? 0 : step(batch, 0);
      return counted < batch.length ? goOn(batch, counted) : undefined;
    },
    close: () => store.close(),
  };
}

function kindOf({ outcome }: Capture): TallyKind | undefined {
  const principal = outcome.records?.[0];
  if (principal === undefined) return undefined;
  return principal.type === 'revisit' ? 'revisit' : 'new';
}
