/**
 * The running counters that `/status` and the terminal show: captures that left the chain, and rates over the last 1, 5 and 15 minutes.
 *
 * Source: spec/warcprox.md §7.
 */
import type { Capture } from '../capture/capture.ts';
import { isFailure } from '../capture/kinds.ts';
import type { Processor } from './processor.ts';

export interface Rate {
  readonly actual_elapsed: number;
  readonly urls_per_sec: number;
  readonly warc_bytes_per_sec: number;
}

export interface RunningStats extends Processor {
  /** exchanges and custom records that left the chain, archived or not */
  readonly urlsProcessed: number;
  /** those of them that were written whole */
  readonly newWritten: number;
  /** those of them that were written as revisits */
  readonly duplicates: number;
  /** fetches that failed */
  readonly failures: number;
  /** bytes of WARC files so far */
  readonly warcBytesWritten: number;
  /** @returns rates since the snapshot nearest to so many minutes ago, or since the start when that is later */
  rate(minutes: number): Rate;
}

interface Snapshot {
  readonly atMs: number;
  readonly urls: number;
  readonly bytes: number;
}

/** Snapshots are this far apart, and kept for the longest rate. */
const SNAPSHOT_MS = 10_000;
const KEPT_MS = 15 * 60_000;

/**
 * @param bytesWritten bytes of WARC files so far
 * @param nowMs a clock that never goes back, in milliseconds
 */
export function runningStats(bytesWritten: () => number, nowMs: () => number): RunningStats {
  let urls = 0;
  let newWritten = 0;
  let duplicates = 0;
  let failures = 0;
  let snapshots: Snapshot[] = [{ atMs: nowMs(), urls: 0, bytes: 0 }];
  const timer = setInterval(() => {
    const atMs = nowMs();
    snapshots = snapshots.filter((snapshot) => atMs - snapshot.atMs <= KEPT_MS + SNAPSHOT_MS);
    snapshots.push({ atMs, urls, bytes: bytesWritten() });
  }, SNAPSHOT_MS).unref();

  return {
    name: 'RunningStats',
    get urlsProcessed() {
      return urls;
    },
    get newWritten() {
      return newWritten;
    },
    get duplicates() {
      return duplicates;
    },
    get failures() {
      return failures;
    },
    get warcBytesWritten() {
      return bytesWritten();
    },
    process(batch: readonly Capture[]) {
      for (const capture of batch) {
        if (isFailure(capture)) {
          failures++;
          continue;
        }
        urls++;
        const type = capture.outcome.records?.[0]?.type;
        if (type === 'revisit') duplicates++;
        else if (type !== undefined) newWritten++;
      }
    },
    rate(minutes) {
      const atMs = nowMs();
      const wanted = atMs - minutes * 60_000;
      const since = snapshots.findLast((snapshot) => snapshot.atMs <= wanted) ?? snapshots[0] ?? { atMs, urls, bytes: bytesWritten() };
      const elapsed = (atMs - since.atMs) / 1000;
      return {
        actual_elapsed: elapsed,
        urls_per_sec: elapsed > 0 ? (urls - since.urls) / elapsed : 0,
        warc_bytes_per_sec: elapsed > 0 ? (bytesWritten() - since.bytes) / elapsed : 0,
      };
    },
    close() {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}
