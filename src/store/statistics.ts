/**
 * Statistics: buckets of counts.
 *
 * Source: spec/warcprox.md §4 (Statistics).
 */

/** As `/status`-like answers and databases show it; the names are those of warcprox. */
export interface Bucket {
  readonly bucket: string;
  readonly total: Counts;
  /** captures whose principal record is not a revisit */
  readonly new: Counts;
  readonly revisit: Counts;
}

export interface Counts {
  readonly urls: number;
  readonly wire_bytes: number;
}

export type TallyKind = 'new' | 'revisit';

/** Exact at once: what was tallied is in the next answer. */
export interface StatisticsStore {
  /** True when so many buckets wait for the disk that `flush` should be awaited before more are tallied. */
  readonly crowded: boolean;
  /**
   * Count one capture in a bucket. Never waits.
   *
   * @param kind undefined for a capture that was not archived: only `total` counts it
   */
  tally(bucket: string, kind: TallyKind | undefined, wireBytes: number): void;
  /** The bucket as it is now, or undefined when nothing was ever tallied in it. A promise only when the store has to be asked. */
  get(bucket: string): Bucket | undefined | Promise<Bucket | undefined>;
  /**
   * Write all that has changed.
   *
   * @throws the store's error; nothing is forgotten then, and the next time tries again
   */
  flush(): Promise<void>;
  /** Write what is left. */
  close(): Promise<void>;
}

/** One that takes what others have counted, too. */
export interface AddingStatistics extends StatisticsStore {
  /** Count many captures in a bucket. Never waits. */
  add(bucket: string, counts: Omit<Bucket, 'bucket'>): void;
}
