/** What every playback index keeps to, whatever holds it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { UNKNOWN, UNKNOWN_HEAD } from '../../../src/store/lanes.ts';
import type { PlaybackEntry, PlaybackIndex } from '../../../src/store/playback.ts';
import type { Lost } from '../../../src/store/place.ts';

const LANE = 'GET whole';

let ids = 0;
export function entry(url: string, at: string, changes: Partial<PlaybackEntry> = {}): PlaybackEntry {
  const recordId = `<urn:uuid:${ids++}>`;
  return {
    url,
    startedAt: new Date(at),
    method: 'GET',
    lanes: [LANE],
    file: 'F.warc',
    offset: 1,
    length: 2,
    recordId,
    type: 'response',
    payloadDigest: 'sha1:x',
    payloadSize: 3,
    ...changes,
  };
}

export function placeOf({ file, offset, length, recordId, type, payloadDigest, payloadSize }: PlaybackEntry) {
  return { file, offset, length, recordId, type, payloadDigest, payloadSize };
}

export function foundOf(entry: PlaybackEntry) {
  return { ...placeOf(entry), startedAt: entry.startedAt };
}

/** Two captures of one URL, and what the index has to say of them. */
export function two() {
  const first = entry('http://a/', '2024-01-01T00:00:00.100Z', { offset: 10, payloadDigest: 'sha1:first' });
  const second = entry('http://a/', '2024-01-01T00:00:00.200Z', { offset: 20, payloadDigest: 'sha1:second' });
  const check = async (index: PlaybackIndex) => {
    assert.deepEqual(await index.find('http://a/', LANE, 'last'), foundOf(second));
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
    assert.equal(await index.find('http://a/', LANE, 'last'), undefined);
    assert.equal(await index.find('http://a/longe', LANE, 'last'), undefined);
    const short = entry('http://a/', '2024-01-01T00:00:00Z');
    await index.save([short]);
    assert.deepEqual(await index.find('http://a/', LANE, 'last'), foundOf(short));
    assert.deepEqual(await index.find('http://a/longer', LANE, 'last'), foundOf(long));
  });

  test(`${name}: an entry is found in each of its lanes, and in no other, not even one that begins like it`, async (t) => {
    const index = await open(t);
    const lanes = ['GET range 0-9', 'GET range -10', UNKNOWN, UNKNOWN_HEAD];
    const ranges = entry('http://a/', '2024-01-01T00:00:00Z', { lanes });
    const nowhere = entry('http://a/', '2024-01-02T00:00:00Z', { lanes: [] });
    await index.save([ranges, nowhere]);
    for (const lane of lanes) assert.deepEqual(await index.find('http://a/', lane, 'last'), foundOf(ranges));
    for (const lane of ['GET range 0-99', 'GET range 0', 'GET', LANE, 'HEAD range 0-9', '']) {
      assert.equal(await index.find('http://a/', lane, 'last'), undefined, lane);
    }
    assert.deepEqual(await index.byId(nowhere.recordId), placeOf(nowhere));
    assert.deepEqual(await index.byDate('http://a/', '2024-01-02T00:00:00Z', 'sha1:x'), placeOf(nowhere));
  });

  test(`${name}: the first and the last of a period are found, its ends included`, async (t) => {
    const index = await open(t);
    const at = (ms: number) => new Date(Date.UTC(2024, 0, 1) + ms);
    const [a, b, c] = [0, 10, 20].map((ms) => entry('http://a/', at(ms).toISOString()));
    await index.save([b!, c!, a!]);
    const find = async (which: 'first' | 'last', from?: number, to?: number) => {
      const period = { ...(from === undefined ? {} : { from: at(from) }), ...(to === undefined ? {} : { to: at(to) }) };
      return (await index.find('http://a/', LANE, which, period))?.startedAt.getTime();
    };
    const time = (one: PlaybackEntry | undefined) => one?.startedAt.getTime();
    assert.equal(await find('first'), time(a));
    assert.equal(await find('last'), time(c));
    assert.equal(await find('last', undefined, 10), time(b));
    assert.equal(await find('last', undefined, 9), time(a));
    assert.equal(await find('first', 10), time(b));
    assert.equal(await find('first', 11), time(c));
    assert.equal(await find('first', 1, 9), undefined);
    assert.equal(await find('last', undefined, -1), undefined);
    assert.equal(await find('first', 21), undefined);
    assert.equal(await find('last', 5, 15), time(b));
  });

  test(`${name}: an answer to HEAD has no payload that a revisit could have`, async (t) => {
    const index = await open(t);
    const head = entry('http://a/', '2024-01-01T00:00:00Z', { method: 'HEAD', lanes: ['HEAD whole'] });
    await index.save([head]);
    assert.deepEqual(await index.find('http://a/', 'HEAD whole', 'last'), foundOf(head));
    assert.equal(await index.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:x'), undefined);
    assert.deepEqual(await index.byId(head.recordId), placeOf(head));
  });

  test(`${name}: only responses can be the original of a revisit`, async (t) => {
    const index = await open(t);
    const revisit = entry('http://a/', '2024-01-01T00:00:00Z', { type: 'revisit' });
    const resource = entry('http://a/', '2024-01-01T00:00:00Z', { type: 'resource', method: undefined });
    await index.save([revisit, resource]);
    assert.equal(await index.byId(revisit.recordId), undefined);
    assert.equal(await index.byId(resource.recordId), undefined);
    assert.equal(await index.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:x'), undefined);
    assert.deepEqual(await index.find('http://a/', LANE, 'last'), foundOf(resource));
  });

  test(`${name}: captures are listed by the beginning of their URLs, a piece at a time`, async (t) => {
    const index = await open(t);
    const urls = ['http://a/', 'http://a/b', 'http://a/b/c', 'http://ab/', 'http://a/b', 'http://b/'];
    const entries = urls.map((url, day) => entry(url, `2024-01-0${day + 1}T00:00:00Z`));
    await index.save(entries);
    const listed = async (start: string, limit: number) => {
      const pieces: string[][] = [];
      for (let from: string | undefined, more = true; more; more = from !== undefined) {
        const { captures, next } = await index.list(start, limit, from);
        pieces.push(captures.map(({ url, startedAt }) => `${url} ${startedAt.getUTCDate()}`));
        from = next;
      }
      return pieces;
    };
    assert.deepEqual(await listed('http://a/', 2), [
      ['http://a/ 1', 'http://a/b 2'],
      ['http://a/b 5', 'http://a/b/c 3'],
    ]);
    assert.deepEqual(await listed('http://a', 10), [['http://a/ 1', 'http://a/b 2', 'http://a/b 5', 'http://a/b/c 3', 'http://ab/ 4']]);
    assert.deepEqual(await listed('http://c', 10), [[]]);
    const [first] = (await index.list('http://b/', 1)).captures;
    assert.deepEqual(first, { ...foundOf(entries[5]!), url: 'http://b/' });
    // A place of somewhere else is none.
    assert.equal((await index.list('http://b/', 5, 'i')).captures.length, 1);
  });

  test(`${name}: the order of one millisecond is that of writing, across many and across batches`, async (t) => {
    const index = await open(t);
    const entries = Array.from({ length: 100 }, () => entry('http://a/', '2024-01-01T00:00:00Z'));
    for (let i = 0; i < entries.length; i += 30) {
      await index.save(entries.slice(i, i + 30));
      assert.deepEqual(await index.find('http://a/', LANE, 'last'), foundOf(entries[Math.min(i + 29, entries.length - 1)]!));
    }
  });

  test(`${name}: a URL of a megabyte can be looked up`, async (t) => {
    const index = await open(t);
    const long = entry(`http://a/?${'x'.repeat(1_000_000)}`, '2024-01-01T00:00:00Z');
    await index.save([long]);
    assert.deepEqual(await index.find(long.url, LANE, 'last'), foundOf(long));
  });

  test(`${name}: entries whose records are lost are dropped, and no others`, async (t) => {
    const index = await open(t);
    const entries = Array.from({ length: 1200 }, (_, offset) => entry(`http://a/${offset % 100}`, '2024-01-01T00:00:00Z', { offset }));
    await index.save(entries);
    // Each stands in its lane, under its id, and more.
    assert.ok((await index.drop(lostFrom(150))) >= 2 * 1050);
    assert.deepEqual(await index.find('http://a/7', LANE, 'last'), foundOf(entries[107]!));
    assert.deepEqual(await index.find('http://a/77', LANE, 'last'), foundOf(entries[77]!));
    assert.equal(await index.byId(entries[150]!.recordId), undefined);
    assert.equal(await index.byDate('http://a/50', '2024-01-01T00:00:00Z', 'sha1:x').then((place) => place?.offset), 50);
    assert.deepEqual(await index.byId(entries[149]!.recordId), placeOf(entries[149]!));
    assert.equal(await index.drop(lostFrom(150)), 0);
  });

  test(`${name}: a lost record is forgotten in every lane, by its id and by its date`, async (t) => {
    const index = await open(t);
    const lanes = [LANE, 'GET range 0-9', 'POST x other', 'custom', UNKNOWN, UNKNOWN_HEAD];
    const lost = entry('http://a/', '2024-01-01T00:00:00Z', { lanes });
    await index.save([lost]);
    assert.notEqual(await index.drop(lostFrom(0)), 0);
    for (const lane of lanes) assert.equal(await index.find('http://a/', lane, 'last'), undefined);
    assert.equal(await index.byId(lost.recordId), undefined);
    assert.equal(await index.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:x'), undefined);
  });
}

/** Of the file that `entry` puts records into. */
export function lostFrom(end: number): Lost {
  return { ends: new Map([['F.warc', end]]), unknown: new Set() };
}
