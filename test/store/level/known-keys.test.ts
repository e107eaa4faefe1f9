import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Databases } from '../../../src/store/level/database.ts';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { KnownKeys } from '../../../src/store/level/known-keys.ts';
import type { Section } from '../../../src/store/level/section.ts';
import { dedupContract, look, original, wanted } from '../contract/dedup.ts';
import { openDatabase, tempDir, withDatabase } from './support.ts';

const STORED = 10_000;
const keysOf = (from: number, to: number, of = '') => Array.from({ length: to - from }, (_, nth) => `sha1:${of}${from + nth}|`);
const originals = (from: number, to: number) => Array.from({ length: to - from }, (_, nth) => original(String(from + nth)));
const entries = (from: number, to: number) => originals(from, to).map((each) => each.original);
const keysIn = (from: number, to: number) => originals(from, to).map(({ key }) => key);

async function* inSlices(keys: readonly string[], atOnce = 100): AsyncGenerator<string[]> {
  for (let at = 0; at < keys.length; at += atOnce) yield await Promise.resolve(keys.slice(at, at + atOnce));
}

dedupContract('LevelDB that has learnt its keys', async (t) => {
  const store = levelDedup((await openDatabase(t)).later('dedup'), { maxCached: 1 });
  await store.learn();
  return store;
});

test('a key that was added is never called new, however many there are; others are, while there is room', async () => {
  const known = new KnownKeys([10, 12, 15]);
  await known.learn(inSlices([]));
  const isNew = (key: string) => known.isNew(key);
  let added = 0;
  for (const until of [100, 110, 500, 3_600, 100_000]) {
    for (const key of keysOf(added, until)) known.add(key);
    added = until;
    assert.equal(keysOf(0, added).find(isNew), undefined, `${added} keys`);
    const found = keysOf(0, 10_000, 'other').filter(isNew).length;
    if (added <= 3_600) assert.ok(found > 9_500, `${found} of 10,000 with ${added} keys`);
  }
  // No more than the layers that were allowed, with however many keys.
  assert.equal(known.size, (2 ** 10 + 2 ** 12 + 2 ** 15) / 8);
});

test('keys that differ in little, or in what is no ASCII, are told apart', async () => {
  const known = new KnownKeys();
  await known.learn(inSlices(['sha1:aa|', 'sha1:aa|b', 'sha1:ab|Ведро', '']));
  const keys = ['sha1:aa|', 'sha1:aa|a', 'sha1:aa|b', 'sha1:ba|', 'sha1:ab|Ведра', 'sha1:ab|Ведро', '', '\0', '|'];
  assert.deepEqual(
    keys.filter((key) => known.isNew(key)),
    ['sha1:aa|a', 'sha1:ba|', 'sha1:ab|Ведра', '\0', '|'],
  );
});

test('nothing is called new before all has been learnt, nor when that fails', async () => {
  const known = new KnownKeys([16]);
  const seen: boolean[] = [];
  assert.equal(known.isNew('sha1:other|'), false);
  async function* failing() {
    yield* inSlices(keysOf(0, 200));
    seen.push(known.isNew('sha1:other|'));
    throw new Error('no more can be read');
  }
  await assert.rejects(known.learn(failing()), /no more can be read/);
  known.add('sha1:meanwhile|');
  assert.equal(known.isNew('sha1:other|'), false);
  await known.learn(inSlices(keysOf(200, 400)));
  assert.deepEqual([...seen, known.isNew('sha1:other|')], [false, true]);
  const learnt = [...keysOf(0, 400), 'sha1:meanwhile|'];
  assert.equal(
    learnt.find((key) => known.isNew(key)),
    undefined,
  );
});

test('who learns anew does not take the end of the time before for his own', async () => {
  const known = new KnownKeys([16]);
  const going: (() => void)[] = [];
  async function* waiting(key: string) {
    await new Promise<void>((resolve) => going.push(resolve));
    yield [key];
  }
  await known.learn(inSlices([]));
  assert.equal(known.isNew('sha1:other|'), true);
  const before = known.learn(waiting('sha1:late|'));
  const after = known.learn(waiting('sha1:later|'));
  going[0]?.();
  await before;
  assert.equal(known.isNew('sha1:other|'), false);
  going[1]?.();
  await after;
  assert.deepEqual(
    ['sha1:other|', 'sha1:late|', 'sha1:later|'].map((key) => known.isNew(key)),
    [true, false, false],
  );
});

test('what is certainly new is claimed without the database, and what it has is found', async (t) => {
  const folder = join(tempDir(t), 'db');
  await withDatabase(folder, ({ later }) => levelDedup(later('dedup')).holder().publish(originals(0, 100)));
  await withDatabase(folder, async ({ section }) => {
    const asked = section('dedup');
    const store = levelDedup(asked);
    const [a, b] = [store.holder(), store.holder()];
    const fresh = keysIn(100, 200);
    assert.ok(a.claim(look(fresh)) instanceof Promise);
    await store.learn();
    const getMany = t.mock.method(asked, 'getMany');
    assert.deepEqual(
      a.claim(look(fresh)),
      fresh.map(() => undefined),
    );
    assert.deepEqual(
      a.claim(wanted(fresh)),
      fresh.map(() => 'won'),
    );
    assert.deepEqual(
      b.claim(wanted(fresh)),
      fresh.map(() => 'held'),
    );
    assert.equal(getMany.mock.callCount(), 0);
    assert.deepEqual(await b.claim(wanted([...keysIn(0, 100), ...fresh])), [...entries(0, 100), ...fresh.map(() => 'held')]);
    await a.publish(originals(100, 150));
    await a.release(keysIn(150, 200));
    assert.deepEqual(await b.claim(wanted(fresh)), [...entries(100, 150), ...keysIn(150, 200).map(() => 'won')]);
  });
});

test('a question that fails claims nothing, what was certainly new included', async (t) => {
  const folder = join(tempDir(t), 'db');
  await withDatabase(folder, ({ later }) => levelDedup(later('dedup')).holder().publish(originals(0, 1)));
  await withDatabase(folder, async ({ section }) => {
    const asked = section('dedup');
    const store = levelDedup(asked);
    await store.learn();
    const [a, b] = [store.holder(), store.holder()];
    const keys = ['sha1:new|', ...keysIn(0, 1)];
    const broken = t.mock.method(asked, 'getMany', () => Promise.reject(new Error('EIO: i/o error, read')));
    await assert.rejects(async () => a.claim(wanted(keys)), /EIO/);
    broken.mock.restore();
    assert.deepEqual(await b.claim(wanted(keys)), ['won', ...entries(0, 1)]);
  });
});

test('what is published while it learns is found, as is what was there, and what was dropped is new', async (t) => {
  const folder = join(tempDir(t), 'db');
  await withDatabase(folder, ({ later }) => levelDedup(later('dedup')).holder().publish(originals(0, STORED)));
  await withDatabase(folder, async ({ later }) => {
    const store = levelDedup(later('dedup'), { openFiles: new Set(['A.warc']), maxCached: 1 });
    const index = store.holder();
    const state = { learning: true };
    const learnt = store.learn().finally(() => (state.learning = false));
    let published = STORED;
    do {
      await index.publish(originals(published, published + 50));
      published += 50;
      assert.deepEqual(await index.claim(look(keysIn(published - 60, published))), entries(published - 60, published));
    } while (state.learning);
    await learnt;
    assert.deepEqual(await index.claim(look(keysIn(0, published))), entries(0, published));
    await index.publish([original('dropped', 'A.warc', 900)]);
    const { key } = original('dropped');
    assert.equal(await store.drop({ ends: new Map([['A.warc', 800]]), unknown: new Set() }), 1);
    assert.deepEqual(await index.claim(wanted([key])), ['won']);
    await index.publish([original('dropped', 'A.warc', 100)]);
    assert.deepEqual(await index.claim(wanted([key])), [original('dropped').original]);
  });
});

test('a database that is closed while its keys are learnt ends that, and closes', async (t) => {
  const folder = join(tempDir(t), 'db');
  await withDatabase(folder, ({ later }) => levelDedup(later('dedup')).holder().publish(originals(0, STORED)));
  const databases = new Databases();
  const store = levelDedup((await databases.open(folder)).later('dedup'));
  const learnt = store.learn();
  await databases.close();
  await learnt;
  // Closed already when it begins.
  await store.learn();
});

test('where the database goes away while it is learnt all is asked for, until it is back and has been learnt', async (t) => {
  const folder = join(tempDir(t), 'db');
  await withDatabase(folder, ({ later }) => levelDedup(later('dedup')).holder().publish(originals(0, STORED)));
  const databases = new Databases();
  t.after(() => databases.close());
  const database = await databases.open(folder);
  const later = database.later('dedup');
  const store = levelDedup(later, { maxCached: 1 });
  const index = store.holder();
  // In place, as LevelDB has them mapped.
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.ldb'))) {
    const file = openSync(join(folder, name), 'r+');
    writeSync(file, Buffer.alloc(statSync(join(folder, name)).size / 3, 0xff), 0, undefined, 0);
    closeSync(file);
  }
  let relearnt = () => {};
  const learntAgain = new Promise<void>((resolve) => (relearnt = resolve));
  const keys = later.keys.bind(later);
  let times = 0;
  t.mock.method(later, 'keys', async function* (...range: Parameters<Section['keys']>) {
    times++;
    yield* keys(...range);
    relearnt();
  });
  await store.learn();
  assert.match(databases.states[0]?.problem ?? '', /Corruption/);
  await index.publish(originals(STORED, STORED + 50));
  assert.ok(index.claim(look(['sha1:new|'])) instanceof Promise);
  await learntAgain;
  assert.ok(times >= 2);
  // Whatever is left of it is found, with or without the filter.
  const found = await index.claim(look(keysIn(0, STORED + 50)));
  const left = await levelDedup(later, { maxCached: 1 })
    .holder()
    .claim(look(keysIn(0, STORED + 50)));
  assert.deepEqual(found, left);
  assert.deepEqual(found.slice(STORED), entries(STORED, STORED + 50));
  assert.ok(left.filter((each) => each === undefined).length > 0);
});
