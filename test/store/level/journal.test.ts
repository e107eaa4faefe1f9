/** What a start reads of an index: by what was open, not by what is stored. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { levelPlayback } from '../../../src/store/level/playback.ts';
import type { Section } from '../../../src/store/level/section.ts';
import type { Lost } from '../../../src/store/place.ts';
import { look, original } from '../contract/dedup.ts';
import { entry } from '../contract/playback.ts';
import { ofOldVersion, openDatabase, tempDir, withDatabase } from './support.ts';

const STORED = 20_000;
const OPEN = 100;
const NOTHING_OPEN: Lost = { ends: new Map(), unknown: new Set() };

/** Entries that are read from now on. */
function counting(t: TestContext, section: Section): { read: number } {
  const count = { read: 0 };
  const [iterator, getMany] = [section.iterator.bind(section), section.getMany.bind(section)];
  t.mock.method(section, 'getMany', (keys: string[]) => {
    count.read += keys.length;
    return getMany(keys);
  });
  t.mock.method(section, 'iterator', async function* (...range: Parameters<typeof iterator>) {
    for await (const each of iterator(...range)) {
      count.read++;
      yield each;
    }
  });
  return count;
}

const lost = (...ends: [string, number][]): Lost => ({ ends: new Map(ends), unknown: new Set() });

test('after a crash the deduplication index is read as far as its files were open', async (t) => {
  const folder = join(tempDir(t), 'db');
  const openFiles = new Set<string>();
  const closed = Array.from({ length: STORED }, (_, nth) => original(`closed ${nth}`, 'closed.warc', nth));
  const open = Array.from({ length: OPEN }, (_, nth) => original(`open ${nth}`, 'open.warc', nth));
  await withDatabase(folder, async ({ section }) => {
    const store = levelDedup(section('dedup'), { openFiles });
    await store.drop(NOTHING_OPEN);
    const index = store.holder();
    openFiles.add('closed.warc');
    await index.publish(closed);
    openFiles.delete('closed.warc');
    openFiles.add('open.warc');
    for (let nth = 0; nth < OPEN; nth += 10) await index.publish(open.slice(nth, nth + 10));
  });
  await withDatabase(folder, async ({ section }) => {
    const counted = section('dedup');
    const count = counting(t, counted);
    const store = levelDedup(counted);
    assert.equal(await store.drop(lost(['open.warc', 40])), OPEN - 40);
    assert.ok(count.read <= 2 * OPEN, `${count.read} entries were read`);
    const found = await store.holder().claim(look([...open, ...closed.slice(0, 100)].map(({ key }) => key)));
    assert.deepEqual(
      found,
      [...open, ...closed.slice(0, 100)].map((each, nth) => (nth >= 40 && nth < OPEN ? undefined : each.original)),
    );
    // A start after an orderly end reads next to nothing.
    count.read = 0;
    assert.equal(await store.drop(NOTHING_OPEN), 0);
    assert.ok(count.read < 5, `${count.read} entries were read`);
  });
});

test('after a crash the playback index is read as far as its files were open', async (t) => {
  const section = (await openDatabase(t)).section('playback');
  const openFiles = new Set<string>();
  const index = levelPlayback(section, openFiles);
  await index.drop(NOTHING_OPEN);
  const entries = (file: string, count: number) =>
    Array.from({ length: count }, (_, offset) => entry(`http://a/${file}/${offset}`, '2024-01-01T00:00:00Z', { file, offset }));
  openFiles.add('closed.warc').add('open.warc');
  await index.save(entries('closed.warc', STORED / 4));
  openFiles.delete('closed.warc');
  await index.save(entries('open.warc', OPEN));
  const count = counting(t, section);
  assert.equal(await levelPlayback(section).drop(lost(['open.warc', 40])), 3 * (OPEN - 40));
  assert.ok(count.read <= 6 * OPEN, `${count.read} entries were read`);
  assert.notEqual(await index.find('http://a/open.warc/39', 'GET whole', 'last'), undefined);
  assert.equal(await index.find('http://a/open.warc/40', 'GET whole', 'last'), undefined);
});

test('an entry that was written anew for another file stays', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const openFiles = new Set(['A.warc', 'B.warc']);
  const store = levelDedup(section, { openFiles });
  await store.drop(NOTHING_OPEN);
  const index = store.holder();
  await index.publish([original('b', 'A.warc', 100)]);
  const anew = original('b', 'B.warc', 0);
  await index.publish([anew]);
  assert.equal(await levelDedup(section).drop(lost(['A.warc', 50], ['B.warc', 50])), 0);
  assert.deepEqual(
    await levelDedup(section)
      .holder()
      .claim(look([anew.key])),
    [anew.original],
  );
});

test('what is known of a file that another process writes, or that could not be looked at, is kept for the next start', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const store = levelDedup(section, { openFiles: new Set(['A.warc', 'B.warc']) });
  await store.drop(NOTHING_OPEN);
  await store.holder().publish([original('a', 'A.warc', 100), original('b', 'B.warc', 100)]);
  const next = levelDedup(section);
  assert.equal(await next.drop({ ends: new Map(), unknown: new Set(['A.warc']) }), 0);
  const count = counting(t, section);
  assert.equal(await next.drop(lost(['A.warc', 0], ['B.warc', 0])), 1);
  assert.ok(count.read < 10);
});

test('an index of a version without journal is read as a whole, once', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  await section.batch(Array.from({ length: 500 }, (_, nth) => ofOldVersion(original(String(nth), 'A.warc', nth))));
  const count = counting(t, section);
  assert.equal(await levelDedup(section).drop(lost(['A.warc', 400])), 100);
  assert.ok(count.read >= 500);
  count.read = 0;
  assert.equal(await levelDedup(section).drop(lost(['A.warc', 0])), 0);
  assert.ok(count.read < 5);
});
