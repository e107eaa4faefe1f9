/**
 * The counts of one bucket, in memory.
 */
import type { Bucket, TallyKind } from './statistics.ts';

export interface BucketCounts {
  readonly total: { urls: number; wire_bytes: number };
  readonly new: { urls: number; wire_bytes: number };
  readonly revisit: { urls: number; wire_bytes: number };
}

export function noCounts(): BucketCounts {
  return { total: { urls: 0, wire_bytes: 0 }, new: { urls: 0, wire_bytes: 0 }, revisit: { urls: 0, wire_bytes: 0 } };
}

export function countCapture(counts: BucketCounts, kind: TallyKind | undefined, wireBytes: number): void {
  add(counts.total, 1, wireBytes);
  if (kind !== undefined) add(counts[kind], 1, wireBytes);
}

export function addBucket(counts: BucketCounts, stored: Omit<Bucket, 'bucket'>): void {
  for (const part of ['total', 'new', 'revisit'] as const) add(counts[part], stored[part].urls, stored[part].wire_bytes);
}

/** A copy, or undefined when nothing was counted. */
export function bucketOf(name: string, { total, new: fresh, revisit }: BucketCounts): Bucket | undefined {
  return total.urls === 0 ? undefined : { bucket: name, total: { ...total }, new: { ...fresh }, revisit: { ...revisit } };
}

function add(counts: { urls: number; wire_bytes: number }, urls: number, wireBytes: number): void {
  counts.urls += urls;
  counts.wire_bytes += wireBytes;
}
