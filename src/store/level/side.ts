/**
 * A LevelDB folder as one end of a migration.
 */
import { randomUUID } from 'node:crypto';
import type { Bucket } from '../statistics.ts';
import { bucketOfSix, sixOf, ZERO, type Entry, type Given, type Side, type Six } from '../migration.ts';
import { Databases } from './database.ts';
import { existingFolder } from './folder.ts';
import type { Change } from './section.ts';

const AT_ONCE = 500;
/** Rows of the journal stand before, all keys behind it. */
const AFTER_JOURNAL = '\x01';
const FILES = '\0f\0';
const ID = 'id';

interface Stored {
  readonly id: string;
  readonly url: string;
  readonly date: string;
  readonly answer?: string;
}

export interface LevelSide extends Side {
  /** entries of WARC files that a crash has left open: their records may be lost, so they stay */
  readonly left: number;
}

/** @param exists it must be there already; @throws DatabaseError */
export async function levelSide(folder: string, exists: boolean): Promise<LevelSide> {
  if (exists) existingFolder(folder);
  const databases = new Databases();
  const { section } = await databases.open(folder);
  const [dedup, stats, given] = [section('dedup'), section('stats'), section('migrated')];
  let left = 0;
  const keyOf = (id: string, bucket: string) => `${id}\0${bucket}`;

  async function* entries(): AsyncGenerator<readonly Entry[], void> {
    const open = new Set<string>();
    for await (const [, value] of dedup.iterator({ gte: FILES, lt: `${FILES}\uffff` })) {
      for (const [, key] of (JSON.parse(value) as { f: readonly (readonly [number, string])[] }).f) open.add(key);
    }
    left = open.size;
    const read = dedup.iterator({ gte: AFTER_JOURNAL });
    yield* batches(read, ([key, value]): Entry | undefined => {
      if (open.has(key)) return undefined;
      const { id: recordId, url, date, answer } = JSON.parse(value) as Stored;
      return { key, original: answer === undefined ? { recordId, url, date } : { recordId, url, date, answer } };
    });
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
      const there = await dedup.getMany(some.map(({ key }) => key));
      const added = some.filter((_, nth) => there[nth] === undefined);
      // Where their records stand only their machine knows; nothing drops them.
      await dedup.batch(
        added.map(({ key, original: { recordId, url, date, answer } }): Change => {
          return { type: 'put', key, value: JSON.stringify({ id: recordId, url, date, answer, file: '', offset: 0 }) };
        }),
      );
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
