/** The rows of an index: entries of an old version beside them, and what is lost of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { shortOf } from '../../../src/store/level/dedup-entries.ts';
import { COMPLETE } from '../../../src/store/level/journal.ts';
import { KnownKeys } from '../../../src/store/level/known-keys.ts';
import type { Section } from '../../../src/store/level/section.ts';
import { levelSide } from '../../../src/store/level/side.ts';
import { migrate } from '../../../src/store/migration.ts';
import type { Lost } from '../../../src/store/place.ts';
import { dedupContract, look, original, wanted } from '../contract/dedup.ts';
import { ofOldVersion, openDatabase, tempDir, withDatabase } from './support.ts';

const lost = (...ends: [string, number][]): Lost => ({ ends: new Map(ends), unknown: new Set() });
const many = (name: string, count: number, file = 'A.warc') =>
  Array.from({ length: count }, (_, nth) => original(`${name} ${nth}`, file, nth));
const found = async (section: Section, of: readonly { readonly key: string }[]) =>
  levelDedup(section)
    .holder()
    .claim(look(of.map(({ key }) => key)));
const originals = (of: readonly ReturnType<typeof original>[]) => of.map((each) => each.original);

dedupContract('LevelDB with an entry of an old version', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  await section.batch([ofOldVersion(original('of the old version'))]);
  return levelDedup(section, { maxCached: 1 });
});

test('an index of a version that kept all of an entry under its key goes on, with its filter, and loses what a crash has taken of it', async (t) => {
  const folder = join(tempDir(t), 'db');
  const [before, after] = [many('before', 100), many('after', 100, 'B.warc')];
  await withDatabase(folder, async ({ section }) => {
    const rows = before.slice(50).map(({ place, key }) => [place.offset, key]);
    const journal = { type: 'put', key: '\0f\0A.warc\x0000000000', value: JSON.stringify({ f: rows }) } as const;
    await section('dedup').batch([...before.map(ofOldVersion), journal, { type: 'put', key: COMPLETE, value: '{}' }]);
  });
  await withDatabase(folder, async ({ section }) => {
    const dedup = section('dedup');
    const known = new KnownKeys({ section: dedup, file: join(folder, 'warctap-dedup.filter') });
    const store = levelDedup(dedup, { openFiles: new Set(['B.warc']), known });
    assert.equal(await store.drop(lost(['A.warc', 90])), 10);
    await known.begin();
    await known.settled;
    assert.deepEqual(await store.holder().claim(wanted(before.slice(0, 90).map(({ key }) => key))), originals(before.slice(0, 90)));
    assert.deepEqual(await store.holder().claim(wanted([before[90]!.key, after[0]!.key])), ['won', 'won']);
    await store.holder().publish(after.slice(1));
  });
  await withDatabase(folder, async ({ section }) => {
    assert.equal(await levelDedup(section('dedup')).drop(lost(['A.warc', 0], ['B.warc', 50])), 50);
    assert.deepEqual(await found(section('dedup'), [...before.slice(0, 90), ...after.slice(1, 50)]), [
      ...originals(before.slice(0, 90)),
      ...originals(after.slice(1, 50)),
    ]);
    assert.deepEqual(await found(section('dedup'), after.slice(50)), Array(50).fill(undefined));
  });
});

test('where it is not known which files were open, all rows are read', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const all = [...many('a', 3000), ...many('b', 100, 'B.warc')];
  await levelDedup(section).holder().publish(all);
  assert.equal(await levelDedup(section).drop(lost(['A.warc', 2000])), 1000);
  assert.deepEqual(
    await found(section, all),
    all.map((each) => (each.place.file === 'A.warc' && each.place.offset >= 2000 ? undefined : each.original)),
  );
});

test('each open file has rows of its own, and another start goes on behind them', async (t) => {
  const folder = join(tempDir(t), 'db');
  const openFiles = new Set(['A.warc', 'B.warc']);
  const files = ['A.warc', 'B.warc'].map((file) => many(file, 1100, file));
  for (const from of [0, 550]) {
    await withDatabase(folder, async ({ section }) => {
      const store = levelDedup(section('dedup'), { openFiles });
      await store.drop({ ends: new Map(), unknown: from === 0 ? new Set() : openFiles });
      const index = store.holder();
      // One at a time: more rows than a block has.
      for (let nth = from; nth < from + 550; nth++) await index.publish(files.map((each) => each[nth]!));
      assert.deepEqual(await found(section('dedup'), files.flat().slice(0, from)), originals(files.flat().slice(0, from)));
    });
  }
  await withDatabase(folder, async ({ section }) => {
    // B was open, too, and is another process's now.
    assert.equal(await levelDedup(section('dedup')).drop({ ends: new Map([['A.warc', 500]]), unknown: new Set(['B.warc']) }), 600);
    // Of A nothing is remembered as open any more.
    assert.equal(await levelDedup(section('dedup')).drop({ ends: new Map([['A.warc', 0]]), unknown: new Set(['B.warc']) }), 0);
    assert.equal(await levelDedup(section('dedup')).drop(lost(['B.warc', 500])), 600);
  });
});

test('what stands under a key counts only where a row says so, too', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const [a, b, c, d] = many('e', 4).map((each) => [each, shortOf(each.key)] as const);
  const index = levelDedup(section).holder();
  for (const each of [a!, b!, c!, d!]) await index.publish([each[0]]);
  // Given to another, to a row that is not there, to a line that is not there, and nonsense.
  const [ofA = ''] = await section.getMany([a![1]]);
  const places = [ofA, '999999', String(Number(ofA) + 7), '"x"'];
  await section.batch([b!, c!, d!].map(([, key], nth) => ({ type: 'put', key, value: places[nth]!, bare: true })));
  const all = [a!, b!, c!, d!].map(([each]) => each);
  assert.deepEqual(await found(section, all), [a![0].original, undefined, undefined, undefined]);
  await section.batch([{ type: 'put', key: b![1], value: places[3]!, bare: true }]);
  assert.deepEqual(await found(section, all.slice(0, 2)), [a![0].original, undefined]);
  await levelDedup(section).holder().publish(all.slice(1));
  assert.deepEqual(await found(section, all), originals(all));
});

test('after a write that failed a file is noted as open anew', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const store = levelDedup(section, { openFiles: new Set(['A.warc']) });
  await store.drop(lost());
  const full = t.mock.method(section, 'batch', () => Promise.reject(new Error('ENOSPC: no space left on device')));
  await assert.rejects(store.holder().publish([original('a')]), /ENOSPC/);
  full.mock.restore();
  await store.holder().publish([original('a'), original('b')]);
  assert.equal(await levelDedup(section).drop(lost(['A.warc', 0])), 2);
});

test('entries of both kinds go into another store, except those of files that are open, and are found by a filter of before', async (t) => {
  const dir = tempDir(t);
  const [from, to] = [join(dir, 'from'), join(dir, 'to')];
  const [old, fresh, open] = [many('old', 700), many('fresh', 700), many('open', 10, 'B.warc')];
  await withDatabase(from, async ({ section }) => {
    const dedup = section('dedup');
    await dedup.batch(old.map(ofOldVersion));
    const index = levelDedup(dedup, { openFiles: new Set(['B.warc']) }).holder();
    await index.publish([...fresh, ...open]);
    await index.publish([fresh[0]!]);
  });
  const known = (section: Section) => new KnownKeys({ section, file: join(to, 'warctap-dedup.filter') });
  await withDatabase(to, async ({ section }) => {
    const filter = known(section('dedup'));
    await filter.begin();
    await levelDedup(section('dedup'), { known: filter }).holder().publish(fresh.slice(0, 100));
    await filter.save();
  });
  {
    const sides = [await levelSide(from, true), await levelSide(to, true)] as const;
    const { entries, newEntries } = await migrate(...sides, () => undefined);
    assert.deepEqual([entries, newEntries, sides[0].left], [1400, 1300, 10]);
    for (const side of sides) await side.close();
  }
  await withDatabase(to, async ({ section }) => {
    const filter = known(section('dedup'));
    await filter.begin();
    const index = levelDedup(section('dedup'), { known: filter }).holder();
    const all = [...old, ...fresh];
    assert.deepEqual(await index.claim(look(all.map(({ key }) => key))), originals(all));
    assert.deepEqual(await index.claim(look(open.map(({ key }) => key))), Array(10).fill(undefined));
  });
});
