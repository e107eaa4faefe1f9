/**
 * One store's deduplication entries and statistics put into another: run again it goes on, and once all is there it changes nothing.
 *
 * Entries are added where there is none. Of counts each side remembers what it has been given by the other: what goes over is what the one
 * has without the other, less what it has given before. So two stores may be put into one, and one into a store that was once put into it.
 * Claims and the playback index, which is of one machine, stay.
 */
import type { Original } from './dedup.ts';
import type { Bucket } from './statistics.ts';

/** urls and bytes of total, new and revisit */
export type Six = readonly [number, number, number, number, number, number];

export interface Entry {
  readonly key: string;
  readonly original: Original;
}

export interface Given {
  readonly bucket: string;
  /** to be added now */
  readonly more: Six;
  /** what it has been given in all, with that */
  readonly given: Six;
}

/** A store, as both ends of a migration see it. */
export interface Side {
  /** Made up once, and kept in it. */
  id(): Promise<string>;
  entries(): AsyncIterable<readonly Entry[]>;
  /** @returns how many were not there */
  addEntries(entries: readonly Entry[]): Promise<number>;
  buckets(): AsyncIterable<readonly Bucket[]>;
  /** What it has been given by another, for each of these buckets. */
  givenBy(id: string, buckets: readonly string[]): Promise<readonly Six[]>;
  /** All or nothing. */
  addCounts(id: string, counts: readonly Given[]): Promise<void>;
  close(): Promise<void>;
}

export interface Migrated {
  /** looked at, and those that were not there */
  readonly entries: number;
  readonly newEntries: number;
  readonly buckets: number;
  readonly newBuckets: number;
}

export const ZERO: Six = [0, 0, 0, 0, 0, 0];

/** @param progress told now and then; @throws the stores' errors */
export async function migrate(from: Side, to: Side, progress: (soFar: Migrated) => void): Promise<Migrated> {
  const [fromId, toId] = [await from.id(), await to.id()];
  const migrated = { entries: 0, newEntries: 0, buckets: 0, newBuckets: 0 };
  if (fromId === toId) return migrated;
  for await (const some of from.entries()) {
    migrated.newEntries += await to.addEntries(some);
    migrated.entries += some.length;
    progress(migrated);
  }
  for await (const some of from.buckets()) {
    const names = some.map(({ bucket }) => bucket);
    const [fromThere, before] = [await from.givenBy(toId, names), await to.givenBy(fromId, names)];
    const counts = some.flatMap((each, nth): Given[] => {
      const given = less(sixOf(each), fromThere[nth] ?? ZERO);
      const more = less(given, before[nth] ?? ZERO);
      return more.every((count) => count === 0) ? [] : [{ bucket: each.bucket, more, given }];
    });
    if (counts.length > 0) await to.addCounts(fromId, counts);
    migrated.buckets += some.length;
    migrated.newBuckets += counts.length;
    progress(migrated);
  }
  return migrated;
}

export function sixOf({ total, new: fresh, revisit }: Pick<Bucket, 'total' | 'new' | 'revisit'>): Six {
  return [total.urls, total.wire_bytes, fresh.urls, fresh.wire_bytes, revisit.urls, revisit.wire_bytes];
}

export function bucketOfSix(bucket: string, six: Six): Bucket {
  const part = (at: number) => ({ urls: six[at] ?? 0, wire_bytes: six[at + 1] ?? 0 });
  return { bucket, total: part(0), new: part(2), revisit: part(4) };
}

function less(all: Six, some: Six): Six {
  return all.map((count, nth) => Math.max(count - (some[nth] ?? 0), 0)) as unknown as Six;
}
