import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { UNKNOWN, UNKNOWN_HEAD } from '../../../src/store/lanes.ts';
import { levelPlayback } from '../../../src/store/level/playback.ts';
import { entry, lostFrom, playbackContract, two } from '../contract/playback.ts';
import { openDatabase, tempDir, withDatabase } from './support.ts';

playbackContract('LevelDB', async (t) => levelPlayback((await openDatabase(t)).section('playback')));

test('places are found after reopening, too', async (t) => {
  const folder = join(tempDir(t), 'db');
  const { entries, check } = two();
  await withDatabase(folder, ({ section }) => levelPlayback(section('playback')).save(entries));
  await withDatabase(folder, ({ section }) => check(levelPlayback(section('playback'))));
});

test('what a version without lanes has written is found as unknown, by id, and by date', async (t) => {
  const section = (await openDatabase(t)).section('playback');
  const at = '2024-01-01T00:00:00.100Z';
  const stored = { f: 'F.warc', o: 1, l: 2, i: '<urn:uuid:old>', t: 'response', p: 'sha1:x', d: Date.parse(at) };
  const value = JSON.stringify(stored);
  const keys = ['u', 'h'].map((space) => [space, 'http://a/', at, '00000000'].join('\0'));
  await section.batch([...keys, 'i\0<urn:uuid:old>'].map((key) => ({ type: 'put', key, value })));
  const index = levelPlayback(section);
  const found = {
    ...{ file: 'F.warc', offset: 1, length: 2, recordId: '<urn:uuid:old>', type: 'response' },
    ...{ payloadDigest: 'sha1:x', payloadSize: undefined },
  };
  for (const lane of [UNKNOWN, UNKNOWN_HEAD]) {
    assert.deepEqual(await index.find('http://a/', lane, 'last'), { ...found, startedAt: new Date(at) });
    assert.equal(await index.find('http://a', lane, 'last'), undefined);
  }
  assert.deepEqual(await index.byId('<urn:uuid:old>'), found);
  assert.deepEqual(await index.byDate('http://a/', '2024-01-01T00:00:00Z', 'sha1:x'), found);
  assert.equal(await index.drop(lostFrom(0)), 3);
});

test('the last of a hundred thousand captures, and the nearest to a date, cost one look-up each', async (t) => {
  const section = (await openDatabase(t)).section('playback');
  const index = levelPlayback(section);
  const day = 86_400_000;
  const many = 100_000;
  for (let from = 0; from < many; from += 10_000) {
    await index.save(Array.from({ length: 10_000 }, (_, i) => entry('http://a/', new Date((from + i) * day).toISOString())));
  }
  let read = 0;
  const values = section.values.bind(section);
  t.mock.method(section, 'values', (range: Parameters<typeof values>[0]) => {
    read += range.limit ?? Infinity;
    return values(range);
  });
  const counted = levelPlayback(section);
  assert.equal((await counted.find('http://a/', 'GET whole', 'last'))?.startedAt.getTime(), (many - 1) * day);
  const to = new Date(5000 * day + 1);
  assert.equal((await counted.find('http://a/', 'GET whole', 'last', { to }))?.startedAt.getTime(), 5000 * day);
  assert.equal(read, 2);
});
