/** What every playback index keeps to, whatever holds it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { PlaybackEntry, PlaybackIndex } from '../../../src/store/playback.ts';

let ids = 0;
export function entry(url: string, at: string, changes: Partial<PlaybackEntry> = {}): PlaybackEntry {
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

export function placeOf({ file, offset, length, recordId, type, payloadDigest }: PlaybackEntry) {
  return { file, offset, length, recordId, type, payloadDigest };
}

/** Two captures of one URL, and what the index has to say of them. */
export function two() {
  const first = entry('http://a/', '2024-01-01T00:00:00.100Z', { offset: 10, payloadDigest: 'sha1:first' });
  const second = entry('http://a/', '2024-01-01T00:00:00.200Z', { offset: 20, payloadDigest: 'sha1:second' });
  const check = async (index: PlaybackIndex) => {
    assert.deepEqual(await index.latest('http://a/', 'GET'), placeOf(second));
    assert.deepEqual(await index.byId(first.recordId), placeOf(first));
    assert.deepEqual(await index.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:first'), placeOf(first));
    assert.deepEqual(await index.byDate('http://a/', '2024-01-01T00:00:00.200Z', 'sha1:second'), placeOf(second));
    assert.equal(await index.byDate('http://a/', '2024-01-01T00:00:00.100Z', 'sha1:second'), undefined);
    assert.equal(await index.byDate('http://a/', '2024-01-01T00:00:01Z', 'sha1:second'), undefined);
  };
  return { entries: [second, first], check };
}

/** @param open an index with nothing in it */
export function playbackContract(name: string, open: (t: TestContext) => Promise<PlaybackIndex>): void {
  test(`${name}: places are found by URL, by id, and by URL with date and digest`, async (t) => {
    const index = await open(t);
    const { entries, check } = two();
    await index.save(entries);
    await check(index);
  });

  test(`${name}: a URL is not mixed up with one that begins with it`, async (t) => {
    const index = await open(t);
    const long = entry('http://a/longer', '2024-01-02T00:00:00Z');
    await index.save([long]);
    assert.equal(await index.latest('http://a/', 'GET'), undefined);
    assert.equal(await index.latest('http://a/longe', 'GET'), undefined);
    const short = entry('http://a/', '2024-01-01T00:00:00Z');
    await index.save([short]);
    assert.deepEqual(await index.latest('http://a/', 'GET'), placeOf(short));
    assert.deepEqual(await index.latest('http://a/longer', 'GET'), placeOf(long));
  });

  test(`${name}: an answer to HEAD counts only for HEAD, and there only when it is later`, async (t) => {
    const index = await open(t);
    const [early, page, late] = ['1', '2', '3'].map((day) =>
      entry('http://a/', `2024-01-0${day}T00:00:00Z`, { method: day === '2' ? 'GET' : 'HEAD' }),
    );
    await index.save([early!]);
    assert.equal(await index.latest('http://a/', 'GET'), undefined);
    assert.deepEqual(await index.latest('http://a/', 'HEAD'), placeOf(early!));
    await index.save([page!]);
    assert.deepEqual(await index.latest('http://a/', 'HEAD'), placeOf(page!));
    await index.save([late!]);
    assert.deepEqual(await index.latest('http://a/', 'HEAD'), placeOf(late!));
    assert.deepEqual(await index.latest('http://a/', 'GET'), placeOf(page!));
    assert.equal(await index.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:x'), undefined);
    assert.deepEqual(await index.byId(early!.recordId), placeOf(early!));
  });

  test(`${name}: only responses can be the original of a revisit`, async (t) => {
    const index = await open(t);
    const revisit = entry('http://a/', '2024-01-01T00:00:00Z', { type: 'revisit' });
    const resource = entry('http://a/', '2024-01-01T00:00:00Z', { type: 'resource', method: undefined });
    await index.save([revisit, resource]);
    assert.equal(await index.byId(revisit.recordId), undefined);
    assert.equal(await index.byId(resource.recordId), undefined);
    assert.equal(await index.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:x'), undefined);
    assert.deepEqual(await index.latest('http://a/', 'GET'), placeOf(resource));
  });

  test(`${name}: the order of one millisecond is that of writing, across many and across batches`, async (t) => {
    const index = await open(t);
    const entries = Array.from({ length: 100 }, () => entry('http://a/', '2024-01-01T00:00:00Z'));
    for (let i = 0; i < entries.length; i += 30) {
      await index.save(entries.slice(i, i + 30));
      assert.deepEqual(await index.latest('http://a/', 'GET'), placeOf(entries[Math.min(i + 29, entries.length - 1)]!));
    }
  });

  test(`${name}: a URL of a megabyte can be looked up`, async (t) => {
    const index = await open(t);
    const long = entry(`http://a/?${'x'.repeat(1_000_000)}`, '2024-01-01T00:00:00Z');
    await index.save([long]);
    assert.deepEqual(await index.latest(long.url, 'GET'), placeOf(long));
  });

  test(`${name}: entries whose records are lost are dropped, and no others`, async (t) => {
    const index = await open(t);
    const entries = Array.from({ length: 1200 }, (_, offset) => entry(`http://a/${offset % 100}`, '2024-01-01T00:00:00Z', { offset }));
    await index.save(entries);
    // Each stands under its URL and its id.
    assert.equal(await index.drop(({ file, offset }) => file === 'F.warc' && offset >= 150), 2 * 1050);
    assert.deepEqual(await index.latest('http://a/7', 'GET'), placeOf(entries[107]!));
    assert.deepEqual(await index.latest('http://a/77', 'GET'), placeOf(entries[77]!));
    assert.equal(await index.byId(entries[150]!.recordId), undefined);
    assert.deepEqual(await index.byId(entries[149]!.recordId), placeOf(entries[149]!));
    assert.equal(await index.drop(({ offset }) => offset >= 150), 0);
  });
}
