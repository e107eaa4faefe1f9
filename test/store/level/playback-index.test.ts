import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Databases } from '../../../src/store/level/database.ts';
import { playbackIndex, type PlaybackEntry, type PlaybackIndex } from '../../../src/store/level/playback-index.ts';
import { tempDir } from '../../warc/support.ts';

async function open(t: TestContext): Promise<{ index: PlaybackIndex; again: () => Promise<PlaybackIndex> }> {
  const dir = tempDir(t);
  let databases = new Databases();
  t.after(() => databases.close());
  const index = async () => playbackIndex((await databases.open(dir)).section('playback'));
  return {
    index: await index(),
    async again() {
      await databases.close();
      databases = new Databases();
      return index();
    },
  };
}

let ids = 0;
function entry(url: string, at: string, changes: Partial<PlaybackEntry> = {}): PlaybackEntry {
  const recordId = `<urn:uuid:${ids++}>`;
  return {
    url,
    startedAt: new Date(at),
    method: 'GET',
    file: 'F.warc',
    offset: 1,
    length: 2,
    recordId,
    type: 'response',
    payloadDigest: 'sha1:x',
    ...changes,
  };
}

function placeOf({ file, offset, length, recordId, type, payloadDigest }: PlaybackEntry) {
  return { file, offset, length, recordId, type, payloadDigest };
}

test('places are found by URL, by id, and by URL with date and digest, after a restart too', async (t) => {
  const { index, again } = await open(t);
  const first = entry('http://a/', '2024-01-01T00:00:00.100Z', { offset: 10, payloadDigest: 'sha1:first' });
  const second = entry('http://a/', '2024-01-01T00:00:00.200Z', { offset: 20, payloadDigest: 'sha1:second' });
  await index.save([second, first]);
  for (const open of [() => index, again]) {
    const each = await open();
    assert.deepEqual(await each.latest('http://a/', 'GET'), placeOf(second));
    assert.deepEqual(await each.byId(first.recordId), placeOf(first));
    assert.deepEqual(await each.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:first'), placeOf(first));
    assert.deepEqual(await each.byDate('http://a/', '2024-01-01T00:00:00.200Z', 'sha1:second'), placeOf(second));
    assert.equal(await each.byDate('http://a/', '2024-01-01T00:00:00.100Z', 'sha1:second'), undefined);
    assert.equal(await each.byDate('http://a/', '2024-01-01T00:00:01Z', 'sha1:second'), undefined);
  }
});

test('a URL is not mixed up with one that begins with it', async (t) => {
  const { index } = await open(t);
  const long = entry('http://a/longer', '2024-01-02T00:00:00Z');
  await index.save([long]);
  assert.equal(await index.latest('http://a/', 'GET'), undefined);
  assert.equal(await index.latest('http://a/longe', 'GET'), undefined);
  const short = entry('http://a/', '2024-01-01T00:00:00Z');
  await index.save([short]);
  assert.deepEqual(await index.latest('http://a/', 'GET'), placeOf(short));
  assert.deepEqual(await index.latest('http://a/longer', 'GET'), placeOf(long));
});

test('only responses can be the original of a revisit', async (t) => {
  const { index } = await open(t);
  const revisit = entry('http://a/', '2024-01-01T00:00:00Z', { type: 'revisit' });
  const resource = entry('http://a/', '2024-01-01T00:00:00Z', { type: 'resource', method: undefined });
  await index.save([revisit, resource]);
  assert.equal(await index.byId(revisit.recordId), undefined);
  assert.equal(await index.byId(resource.recordId), undefined);
  assert.equal(await index.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:x'), undefined);
  assert.deepEqual(await index.latest('http://a/', 'GET'), placeOf(resource));
});

test('the order of one millisecond is that of writing, across many and across batches', async (t) => {
  const { index } = await open(t);
  const entries = Array.from({ length: 100 }, () => entry('http://a/', '2024-01-01T00:00:00Z'));
  for (let i = 0; i < entries.length; i += 30) {
    await index.save(entries.slice(i, i + 30));
    assert.deepEqual(await index.latest('http://a/', 'GET'), placeOf(entries[Math.min(i + 29, entries.length - 1)]!));
  }
});

test('a URL of a megabyte can be looked up', async (t) => {
  const { index } = await open(t);
  const long = entry(`http://a/?${'x'.repeat(1_000_000)}`, '2024-01-01T00:00:00Z');
  await index.save([long]);
  assert.deepEqual(await index.latest(long.url, 'GET'), placeOf(long));
});
