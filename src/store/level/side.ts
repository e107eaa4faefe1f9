/**
 * A LevelDB folder as one end of a migration.
 */
import { randomUUID } from 'node:crypto';
import type { Bucket } from '../statistics.ts';
import { bucketOfSix, sixOf, ZERO, type Entry, type Given, type Side, type Six } from '../migration.ts';
import { Databases } from './database.ts';
import { DedupEntries } from './dedup-entries.ts';
import { existingFolder } from './folder.ts';
import { FORGET_FILTER } from './known-keys.ts';
import type { Change } from './section.ts';

const AT_ONCE = 500;
const ID = 'id';

export interface LevelSide extends Side {
  /** entries of WARC files that a crash has left open: their records may be lost, so they stay */
  readonly left: number;
}

/** @param exists it must be there already; @throws DatabaseError */
export async function levelSide(folder: string, exists: boolean): Promise<LevelSide> {
  if (exists) existingFolder(folder);
  const databases = new Databases();
  const { section } = await databases.open(folder);
  const [dedup, stats, given] = [new DedupEntries(section('dedup'), new Set()), section('stats'), section('migrated')];
  let left = 0;
  const keyOf = (id: string, bucket: string) => `${id}\0${bucket}`;

  async function* entries(): AsyncGenerator<readonly Entry[], void> {
    left = 0;
    for await (const some of dedup.all(AT_ONCE)) {
      const closed = some.filter(({ open }) => !open);
      left += some.length - closed.length;
      if (closed.length > 0) yield closed;
    }
  }

  return {
    get left() {
      return left;
    },
    async id() {
      const known = await given.get(ID);
      if (known !== undefined) return JSON.parse(known) as string;
      const id = randomUUID();
      await given.batch([{ type: 'put', key: ID, value: JSON.stringify(id) }]);
      return id;
    },
    entries,
    async addEntries(some) {
      const there = await dedup.find(some.map(({ key }) => key));
      const added = some.filter((_, nth) => there[nth] === undefined);
      // Where their records stand only their machine knows; nothing drops them.
      const unplaced = added.map((entry) => ({ ...entry, place: { file: '', offset: 0 } }));
      if (unplaced.length > 0) await dedup.put(unplaced, [FORGET_FILTER]);
      return added.length;
    },
    buckets: () => batches(stats.iterator(), ([, value]) => JSON.parse(value) as Bucket),
    async givenBy(id, buckets) {
      const values = await given.getMany(buckets.map((bucket) => keyOf(id, bucket)));
      return values.map((value) => (value === undefined ? ZERO : (JSON.parse(value) as Six)));
    },
    async addCounts(id, counts: readonly Given[]) {
      const there = await stats.getMany(counts.map(({ bucket }) => bucket));
      const totals = counts.map(({ bucket, more }, nth): Change => {
        const before = there[nth] === undefined ? ZERO : sixOf(JSON.parse(there[nth]) as Bucket);
        const sum = before.map((count, at) => count + (more[at] ?? 0)) as unknown as Six;
        return { type: 'put', key: bucket, value: JSON.stringify(bucketOfSix(bucket, sum)) };
      });
      const remembered = counts.map(({ bucket, given: six }): Change => ({
        type: 'put',
        key: keyOf(id, bucket),
        value: JSON.stringify(six),
      }));
      await stats.batchWith(totals, given, remembered);
    },
    close: () => databases.close(),
  };
}

async function* batches<T, U>(items: AsyncIterable<T>, made: (item: T) => U | undefined): AsyncGenerator<readonly U[], void> {
  let some: U[] = [];
  for await (const item of items) {
    const each = made(item);
    if (each !== undefined) some.push(each);
    if (some.length < AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
