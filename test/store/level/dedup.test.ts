import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Section } from '../../../src/store/level/section.ts';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { shortOf } from '../../../src/store/level/dedup-entries.ts';
import { dedupContract, look, original, wanted } from '../contract/dedup.ts';
import { openDatabase, startChild, tempDir, withDatabase } from './support.ts';

dedupContract('LevelDB', async (t) => levelDedup((await openDatabase(t)).section('dedup')));
// With next to no cache, nearly everything has to be read.
dedupContract('LevelDB without a cache', async (t) => levelDedup((await openDatabase(t)).section('dedup'), { maxCached: 1 }));

const holder = (section: Section, maxCached?: number) => levelDedup(section, maxCached === undefined ? {} : { maxCached }).holder();

test('entries are there after reopening', async (t) => {
  const folder = join(tempDir(t), 'db');
  const published = original('b');
  await withDatabase(folder, ({ section }) => holder(section('dedup')).publish([published]));
  const found = await withDatabase(folder, async ({ section }) => holder(section('dedup')).claim(look([published.key])));
  assert.deepEqual(found, [published.original]);
});

test('an entry of a version that kept no answers is read, with none', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const { key, original: entry } = original('b');
  const value = JSON.stringify({ id: entry.recordId, url: entry.url, date: entry.date, file: 'A.warc', offset: 0 });
  await section.batch([{ type: 'put', key, value }]);
  assert.deepEqual(await holder(section).claim(look([key])), [entry]);
});

test('an entry is there when the process was killed right after it was published, and its claims are not', async (t) => {
  const folder = join(tempDir(t), 'db');
  const child = await startChild(t, folder, 'dedup');
  await child.kill();
  const found = await withDatabase(folder, async ({ section }) => holder(section('dedup')).claim(wanted(['sha1:aa|', 'sha1:bb|'])));
  assert.deepEqual(found, [{ recordId: '<urn:uuid:1>', url: 'http://a.example/', date: '2024-01-02T03:04:05.678Z' }, 'won']);
});

test('what was found is answered without a promise from then on', async (t) => {
  const { section } = await openDatabase(t);
  const { key, original: entry } = original('b');
  const index = holder(section('dedup'));
  await index.publish([original('b')]);
  assert.ok(index.claim(wanted([key])) instanceof Promise);
  assert.deepEqual(await index.claim(wanted([key, key])), [entry, entry]);
  assert.deepEqual(index.claim(wanted([key, key])), [entry, entry]);
  assert.deepEqual(index.claim([]), []);
  // What is not there may come at any time.
  await index.claim(look(['sha1:bb|']));
  assert.ok(index.claim(look(['sha1:bb|'])) instanceof Promise);
});

test('more entries than the cache holds are found all the same', async (t) => {
  const { section } = await openDatabase(t);
  const index = holder(section('dedup'), 10);
  const originals = Array.from({ length: 1000 }, (_, nth) => original(String(nth)));
  await index.publish(originals);
  const found = await index.claim(wanted(originals.map(({ key }) => key)));
  assert.deepEqual(
    found,
    originals.map((each) => each.original),
  );
  const again = index.claim(wanted([originals[0]!.key]));
  assert.ok(again instanceof Promise);
  assert.deepEqual(await again, [originals[0]!.original]);
});

test('one read asks for all keys that the cache does not have, and for no others', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const index = holder(section);
  await index.publish([original('known')]);
  await index.claim(look([original('known').key]));
  const getMany = t.mock.method(section, 'getMany');
  await index.claim([...wanted(['1', original('known').key]), ...look(['2', '3'])]);
  assert.deepEqual(
    getMany.mock.calls.map(({ arguments: [keys] }) => keys),
    [['1', '2', '3'].map(shortOf)],
  );
});

test('when the database cannot be read nothing is claimed, and when it cannot be written all is still held', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const store = levelDedup(section);
  const [a, b] = [store.holder(), store.holder()];
  const { key } = original('b');
  await a.claim(wanted(['earlier']));
  const broken = t.mock.method(section, 'getMany', () => Promise.reject(new Error('EIO: i/o error, read')));
  await assert.rejects(async () => a.claim(wanted([key, 'earlier'])), /EIO/);
  broken.mock.restore();
  assert.deepEqual(await b.claim(wanted([key, 'earlier'])), ['won', 'held']);
  const full = t.mock.method(section, 'batch', () => Promise.reject(new Error('ENOSPC: no space left on device')));
  await assert.rejects(b.publish([original('b')]), /ENOSPC/);
  full.mock.restore();
  assert.deepEqual(await a.claim(wanted([key])), ['held']);
});

test('what another publishes while the database is asked is known, or still held', async (t) => {
  const section = (await openDatabase(t)).section('dedup');
  const store = levelDedup(section);
  const [a, b] = [store.holder(), store.holder()];
  const { key, original: entry } = original('b');
  await a.claim(wanted([key, 'released']));
  const asked = b.claim(wanted([key, 'released']));
  // Before the answer: the read is a trip to another thread.
  const published = a.publish([original('b')]);
  await a.release(['released']);
  const [first, second] = await asked;
  assert.ok(first === 'held' || typeof first === 'object');
  assert.equal(second, 'held');
  await published;
  assert.deepEqual(await b.claim(wanted([key, 'released'])), [entry, 'won']);
});
