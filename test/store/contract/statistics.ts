/** What every store of statistics keeps to, whatever holds them. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Bucket, StatisticsStore } from '../../../src/store/statistics.ts';

/** [urls, wire bytes] of total, new and revisit */
type Numbers = [[number, number], [number, number], [number, number]];

export function bucket(name: string, [total, fresh, revisit]: Numbers): Bucket {
  const counts = ([urls, wireBytes]: [number, number]) => ({ urls, wire_bytes: wireBytes });
  return { bucket: name, total: counts(total), new: counts(fresh), revisit: counts(revisit) };
}

/**
 * @param open a store with nothing in it
 * @param shared others count in it, too: it has to be asked each time
 */
export function statisticsContract(name: string, open: (t: TestContext) => Promise<StatisticsStore>, shared = false): void {
  test(`${name}: captures are counted by kind, those that were not archived only in total`, async (t) => {
    const store = await open(t);
    store.tally('b', 'new', 100);
    store.tally('b', 'revisit', 20);
    store.tally('b', 'revisit', 20);
    store.tally('b', undefined, 3);
    store.tally('', 'new', 0);
    const expected = bucket('b', [
      [4, 143],
      [1, 100],
      [2, 40],
    ]);
    assert.deepEqual(await store.get('b'), expected);
    assert.equal(
      JSON.stringify(await store.get('')),
      '{"bucket":"","total":{"urls":1,"wire_bytes":0},"new":{"urls":1,"wire_bytes":0},"revisit":{"urls":0,"wire_bytes":0}}',
    );
    assert.equal(await store.get('c'), undefined);
    await store.close();
  });

  test(`${name}: what was asked for once is answered without a promise`, { skip: shared && 'has to be asked' }, async (t) => {
    const store = await open(t);
    store.tally('b', 'new', 1);
    assert.deepEqual(await store.get('b'), store.get('b'));
    await store.get('c');
    assert.equal(store.get('c'), undefined);
    await store.close();
  });

  test(`${name}: what get answered does not change afterwards`, async (t) => {
    const store = await open(t);
    store.tally('b', 'new', 1);
    const before = await store.get('b');
    store.tally('b', 'new', 1);
    assert.equal(before?.total.urls, 1);
    await store.close();
  });

  test(`${name}: of very many buckets each count is right, written in between or not`, async (t) => {
    const store = await open(t);
    for (let round = 0; round < 5; round++) {
      for (let nth = 0; nth < 200; nth++) store.tally(`b${nth}`, 'new', nth);
      if (store.crowded || round % 2 === 0) await store.flush();
      assert.ok(!store.crowded);
    }
    for (let nth = 0; nth < 200; nth++) assert.deepEqual((await store.get(`b${nth}`))?.new, { urls: 5, wire_bytes: 5 * nth });
    await store.close();
  });
}
