import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { DedupStore, dedupKey, type DedupEntry } from '../../../src/store/level/dedup-store.ts';
import { startChild, tempDir, withDatabase } from './support.ts';

function original(name: string, file = 'A.warc', offset = 0) {
  const entry: DedupEntry = { recordId: `<urn:uuid:${name}>`, url: `http://a.example/${name}`, date: '2024-01-02T03:04:05.678Z' };
  return { key: dedupKey('sha1:aa', name), entry, place: { file, offset } };
}

test('what was saved is found under its digest and bucket, and nothing else is', async (t) => {
  const originals = ['', 'b', 'b|c', '|', 'Ведро', ' '].map((name) => original(name));
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const store = new DedupStore(section('dedup'));
    await store.save(originals);
    for (const reader of [store, new DedupStore(section('dedup'))]) {
      const found = await reader.getMany([...originals.map(({ key }) => key), dedupKey('sha1:aa', 'c'), dedupKey('sha1:a', 'a|b')]);
      assert.deepEqual(found, [...originals.map(({ entry }) => entry), undefined, undefined]);
    }
  });
});

test('entries are there after reopening', async (t) => {
  const folder = join(tempDir(t), 'db');
  const { key, entry } = original('b');
  await withDatabase(folder, ({ section }) => new DedupStore(section('dedup')).save([original('b')]));
  assert.deepEqual(await withDatabase(folder, async ({ section }) => new DedupStore(section('dedup')).getMany([key])), [entry]);
});

test('an entry is there when the process was killed right after it was saved', async (t) => {
  const folder = join(tempDir(t), 'db');
  const child = await startChild(t, folder, 'dedup');
  await child.kill();
  const found = await withDatabase(folder, async ({ section }) => new DedupStore(section('dedup')).getMany(['sha1:aa|']));
  assert.deepEqual(found, [{ recordId: '<urn:uuid:1>', url: 'http://a.example/', date: '2024-01-02T03:04:05.678Z' }]);
});

test('what was saved or found is answered without a promise from then on', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const { key, entry } = original('b');
    const store = new DedupStore(section('dedup'));
    await store.save([original('b')]);
    assert.deepEqual(store.getMany([key, key]), [entry, entry]);
    const another = new DedupStore(section('dedup'));
    assert.ok(another.getMany([key]) instanceof Promise);
    await another.getMany([key]);
    assert.deepEqual(another.getMany([key]), [entry]);
    assert.deepEqual(another.getMany([]), []);
    // What is not there may come at any time.
    await another.getMany(['sha1:bb|']);
    assert.ok(another.getMany(['sha1:bb|']) instanceof Promise);
  });
});

test('more entries than the cache holds are found all the same', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const store = new DedupStore(section('dedup'), 10);
    const originals = Array.from({ length: 1000 }, (_, index) => original(String(index)));
    await store.save(originals);
    const found = await store.getMany(originals.map(({ key }) => key));
    assert.deepEqual(
      found,
      originals.map(({ entry }) => entry),
    );
    assert.ok(store.getMany([originals[0]!.key]) instanceof Promise);
  });
});

test('entries whose records are lost are dropped, and no others', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const store = new DedupStore(section('dedup'));
    const originals = Array.from({ length: 2500 }, (_, index) => original(String(index), index % 2 === 0 ? 'A.warc' : 'B.warc', index));
    await store.save(originals);
    const isLost = ({ file, offset }: { file: string; offset: number }) => file === 'A.warc' && offset >= 100;
    assert.equal(await store.drop(isLost), 1200);
    const found = await store.getMany(originals.map(({ key }) => key));
    assert.deepEqual(
      found,
      originals.map(({ entry, place }) => (isLost(place) ? undefined : entry)),
    );
    assert.equal(await store.drop(isLost), 0);
  });
});
