import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Section } from '../../../src/store/level/section.ts';
import { LevelStatistics, type LevelStatisticsOptions } from '../../../src/store/level/statistics.ts';
import { silentLog } from '../../../src/util/log.ts';
import { bucket, statisticsContract } from '../contract/statistics.ts';
import { openDatabase, startChild, tempDir, withDatabase } from './support.ts';

type StatsSection = LevelStatisticsOptions['section'];

function storeIn(section: StatsSection, maxBuckets?: number): LevelStatistics {
  return new LevelStatistics({ section, log: silentLog, ...(maxBuckets === undefined ? {} : { maxBuckets }) });
}

/** A section that refuses some calls. */
function failing(section: Section, refuses: { batch: boolean; getMany: boolean }): StatsSection {
  return {
    batch: (changes) => (refuses.batch ? Promise.reject(new Error('batch refused')) : section.batch(changes)),
    getMany: (keys) => (refuses.getMany ? Promise.reject(new Error('getMany refused')) : section.getMany(keys)),
  };
}

statisticsContract('LevelDB', async (t) => storeIn((await openDatabase(t)).section('stats')));
// With few buckets in memory, nearly all have to be read.
statisticsContract('LevelDB with few in memory', async (t) => storeIn((await openDatabase(t)).section('stats'), 10));

test('counting goes on after reopening, also when it begins before the old counts are read', async (t) => {
  const folder = join(tempDir(t), 'db');
  for (let round = 1; round <= 3; round++) {
    await withDatabase(folder, async ({ section }) => {
      const store = storeIn(section('stats'));
      if (round === 2) store.tally('b', 'new', 10);
      else {
        await store.get('b');
        store.tally('b', 'new', 10);
      }
      const { urls, wire_bytes } = (await store.get('b'))!.total;
      assert.deepEqual([urls, wire_bytes], [round, 10 * round]);
      await store.close();
    });
  }
});

test('counts are on disk within a second, though nobody asked for it', async (t) => {
  const folder = join(tempDir(t), 'db');
  const child = await startChild(t, folder, 'stats');
  await child.kill();
  assert.ok(Number(child.line) < 1000, `written after ${child.line} ms`);
  await withDatabase(folder, async ({ section }) => {
    const store = storeIn(section('stats'));
    for (let nth = 0; nth < 10; nth++) {
      assert.deepEqual(
        await store.get(`b${nth}`),
        bucket(`b${nth}`, [
          [100, 500],
          [100, 500],
          [0, 0],
        ]),
      );
    }
  });
});

test('one write holds all that changed, and nothing is written twice', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const stats = section('stats');
    const writes: number[] = [];
    const batch = stats.batch.bind(stats);
    t.mock.method(stats, 'batch', (changes: Parameters<typeof batch>[0]) => {
      writes.push(changes.length);
      return batch(changes);
    });
    const store = storeIn(stats);
    for (let count = 0; count < 300; count++) store.tally(`b${count % 3}`, 'new', 1);
    await store.flush();
    await store.flush();
    store.tally('b1', 'new', 1);
    await store.close();
    assert.deepEqual(writes, [3, 1]);
  });
});

test('of many more buckets than are kept in memory each count is right', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const store = storeIn(section('stats'), 10);
    for (let round = 0; round < 5; round++) {
      for (let nth = 0; nth < 200; nth++) store.tally(`b${nth}`, 'new', nth);
      assert.ok(store.crowded);
      await store.flush();
      assert.ok(!store.crowded);
    }
    for (let nth = 0; nth < 200; nth++) assert.deepEqual((await store.get(`b${nth}`))?.new, { urls: 5, wire_bytes: 5 * nth });
    await store.close();
  });
});

test('a write that fails loses nothing: the next one has it', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const refusing = { batch: true, getMany: false };
    const store = storeIn(failing(section('stats'), refusing));
    store.tally('b', 'new', 1);
    await assert.rejects(store.flush(), /batch refused/);
    assert.equal((await store.get('b'))?.total.urls, 1);
    store.tally('b', 'new', 1);
    refusing.batch = false;
    await store.close();
    assert.equal((await storeIn(section('stats')).get('b'))?.total.urls, 2);
  });
});

test('of more buckets than may wait for a database that is away the first are counted, and the others told of once', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const refusing = { batch: true, getMany: false };
    const errors: string[] = [];
    const log = { ...silentLog, error: (_: object, message: string) => errors.push(message) };
    const store = new LevelStatistics({ section: failing(section('stats'), refusing), log, maxWaiting: 3 });
    const tallyAll = () => {
      for (const bucket of ['a', 'b', 'c', 'd', 'e']) store.tally(bucket, 'new', 1);
    };
    tallyAll();
    await assert.rejects(store.flush(), /batch refused/);
    tallyAll();
    assert.equal(store.lost, 4);
    assert.match(errors.join('|'), /^more buckets wait for the database than memory holds: [^|]*$/);
    refusing.batch = false;
    await store.flush();
    tallyAll();
    await store.close();
    const kept = storeIn(section('stats'));
    const counts = ['a', 'b', 'c', 'd', 'e'].map(async (bucket) => (await kept.get(bucket))?.total.urls);
    assert.deepEqual(await Promise.all(counts), [3, 3, 3, undefined, undefined]);
  });
});

test('old counts that cannot be read are never overwritten', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const stats = section('stats');
    const first = storeIn(stats);
    for (let count = 0; count < 7; count++) first.tally('b', 'new', 1);
    await first.close();

    const refusing = { batch: false, getMany: true };
    const store = storeIn(failing(stats, refusing));
    store.tally('b', 'new', 1);
    await assert.rejects(async () => store.get('b'), /getMany refused/);
    await assert.rejects(store.flush(), /getMany refused/);
    await assert.rejects(store.close(), /getMany refused/);
    assert.equal((await storeIn(stats).get('b'))?.total.urls, 7);
    refusing.getMany = false;
    assert.equal((await store.get('b'))?.total.urls, 8);
    await store.close();
    assert.equal((await storeIn(stats).get('b'))?.total.urls, 8);
  });
});

test('whatever the order of tally, get, flush and reopening, the counts are those of a plain map', async (t) => {
  let seed = 4711;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const model = new Map<string, number>();
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const stats = section('stats');
    let store = storeIn(stats, 3);
    const waiting: Promise<unknown>[] = [];
    for (let step = 0; step < 5000; step++) {
      const name = `b${random(12)}`;
      const what = random(20);
      if (what < 12) {
        store.tally(name, 'new', 1);
        model.set(name, (model.get(name) ?? 0) + 1);
      } else if (what < 16) {
        // Captures may be counted while it is read: the answer is between the two.
        const [asked, least] = [store.get(name), model.get(name) ?? 0];
        waiting.push(
          Promise.resolve(asked).then((found) => {
            const urls = found?.total.urls ?? 0;
            assert.ok(least <= urls && urls <= (model.get(name) ?? 0), `${name}: ${urls}`);
          }),
        );
      } else if (what < 18) waiting.push(store.flush());
      else if (what < 19) await new Promise(setImmediate);
      else {
        await store.close();
        store = storeIn(stats, 3);
      }
    }
    await Promise.all(waiting);
    await store.close();
    const last = storeIn(stats);
    for (const [name, urls] of model) assert.equal((await last.get(name))?.new.urls, urls, name);
  });
});
