import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Databases } from '../../../src/store/level/database.ts';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { levelPlayback } from '../../../src/store/level/playback.ts';
import { isLost, type RecordPlace } from '../../../src/store/place.ts';
import type { Log } from '../../../src/util/log.ts';
import { repairLeftovers, type Leftovers } from '../../../src/warc/tools/leftovers.ts';
import { loadLock } from '../../../src/warc/write/output.ts';
import { look } from '../../store/contract/dedup.ts';
import { bordersOf, handMade, members } from './repair-support.ts';
import { output, pool, readAll, recordsOf, tempDir } from '../support.ts';

const lock = loadLock();
const RECORDS = [handMade({ type: 'warcinfo' }), handMade(), handMade()];
const WHOLE = Buffer.concat(RECORDS);
const BORDERS = bordersOf(RECORDS);

function kept(): { lines: string[]; log: Log } {
  const lines: string[] = [];
  const keep = (level: string) => (_: object, message: string) => void lines.push(`${level} ${message}`);
  return { lines, log: { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') } };
}

/** Of a file that is left alone nothing is known. */
function nothing(...files: string[]): (leftovers: Leftovers) => Promise<number> {
  return ({ ends, unknown }) => {
    assert.deepEqual([[...ends], [...unknown]], [[], files]);
    return Promise.resolve(0);
  };
}

test('all open files of the folder are repaired with one line each, and nothing else is touched', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'a.warc.open'), WHOLE.subarray(0, -3));
  writeFileSync(join(dir, 'b.warc.gz.open'), members(...RECORDS));
  writeFileSync(join(dir, 'c.warc.open'), WHOLE.subarray(0, 10));
  writeFileSync(join(dir, 'd.warc'), WHOLE.subarray(0, -3));
  writeFileSync(join(dir, 'e.txt.open'), '');
  writeFileSync(join(dir, 'f.warc.open'), 'to do: buy milk');
  mkdirSync(join(dir, 'sub'));
  writeFileSync(join(dir, 'sub', 's.warc.open'), WHOLE);
  const { lines, log } = kept();
  const options = { dir, lock, drop: () => Promise.resolve(0), log };
  await repairLeftovers({ ...options, subdirPrefix: false });
  assert.deepEqual(lines, [
    `warn WARC file of an earlier run: cut from ${WHOLE.length - 3} to ${BORDERS[2]} bytes (ends before the end of its block), 2 records, now a.warc`,
    'warn WARC file of an earlier run: whole, 3 records, now b.warc.gz',
    'warn WARC file of an earlier run: deleted: nothing whole in its 10 bytes',
    'error WARC file of an earlier run: left as it is: no whole record (byte 0: does not begin with a WARC version)',
  ]);
  assert.deepEqual(readdirSync(dir), ['a.warc', 'b.warc.gz', 'd.warc', 'e.txt.open', 'f.warc.open', 'sub']);
  assert.equal(readFileSync(join(dir, 'd.warc')).length, WHOLE.length - 3);
  assert.deepEqual(readdirSync(join(dir, 'sub')), ['s.warc.open']);
  await repairLeftovers({ ...options, subdirPrefix: true });
  assert.deepEqual(readdirSync(join(dir, 'sub')), ['s.warc']);
});

test('index entries of lost records are dropped, in both indexes, and all others stay', async (t) => {
  const dir = tempDir(t);
  const databases = new Databases();
  t.after(() => databases.close());
  const database = await databases.open(join(dir, 'db'));
  const dedup = levelDedup(database.section('dedup'));
  const playback = levelPlayback(database.section('playback'));
  mkdirSync(join(dir, 'P'));
  writeFileSync(join(dir, 'P', 'cut.warc.open'), WHOLE.subarray(0, -3));
  writeFileSync(join(dir, 'gone.warc.open'), WHOLE.subarray(0, 10));
  const places: (RecordPlace & { key: string })[] = [
    { key: 'kept', file: 'P/cut.warc', offset: BORDERS[1]! },
    { key: 'torn', file: 'P/cut.warc', offset: BORDERS[2]! },
    { key: 'past', file: 'P/cut.warc', offset: 10_000 },
    { key: 'gone', file: 'gone.warc', offset: 0 },
    { key: 'other', file: 'cut.warc', offset: 10_000 },
  ];
  const date = '2024-02-03T04:05:06.789Z';
  const index = dedup.holder();
  await index.publish(
    places.map(({ key, file, offset }) => ({ key, original: { recordId: key, url: key, date }, place: { file, offset } })),
  );
  await playback.save(
    places.map(({ key, file, offset }) => {
      const what = {
        recordId: key,
        url: key,
        type: 'response',
        payloadDigest: 'sha1:x',
        payloadSize: 1,
        method: 'GET',
        lanes: ['GET whole'],
      };
      return { ...what, file, offset, length: 1, startedAt: new Date(date) };
    }),
  );
  const drop = async (lost: Leftovers) => (await dedup.drop(lost)) + (await playback.drop(lost));
  const { lines, log } = kept();
  await repairLeftovers({ dir, subdirPrefix: true, lock, drop, log });
  const keys = places.map(({ key }) => key);
  assert.deepEqual(
    (await index.claim(look(keys))).map((standing) => (typeof standing === 'object' ? standing.recordId : standing)),
    ['kept', undefined, undefined, undefined, 'other'],
  );
  const found = await Promise.all(keys.flatMap((key) => [playback.byId(key), playback.find(key, 'GET whole', 'last')]));
  const both = (key: string) => [key, key];
  assert.deepEqual(
    found.map((place) => place?.recordId),
    [...both('kept'), ...Array.from({ length: 6 }, () => undefined), ...both('other')],
  );
  // Three in the dedup index, and for each of them a URL and an id in the other one.
  assert.ok(lines.includes('warn dropped index entries of records that were lost'));
});

test('entries are dropped before anything is cut, so that a stop between the two is made good by the next start', async (t) => {
  const dir = tempDir(t);
  const cut = WHOLE.subarray(0, -3);
  writeFileSync(join(dir, 'a.warc.open'), cut);
  const drop = () => {
    assert.deepEqual(readFileSync(join(dir, 'a.warc.open')), cut);
    return Promise.reject(new Error('stopped here'));
  };
  const { log } = kept();
  await assert.rejects(repairLeftovers({ dir, subdirPrefix: false, lock, drop, log }), /stopped here/);
  const asked: boolean[] = [];
  const ask = (lost: Leftovers) => {
    asked.push(isLost({ file: 'a.warc', offset: BORDERS[2]! }, lost));
    return Promise.resolve(1);
  };
  await repairLeftovers({ dir, subdirPrefix: false, lock, drop: ask, log });
  assert.deepEqual([asked, readdirSync(dir)], [[true], ['a.warc']]);
});

test('the files of another program that runs are left to it', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { output: { ...output, lock } });
  await writers.write([{ prefix: 'P', records: await recordsOf() }]);
  const { lines, log } = kept();
  await repairLeftovers({ dir, subdirPrefix: false, lock, drop: nothing('P-00000.warc'), log });
  assert.deepEqual(lines, ['info an open WARC file is in use by another process']);
  await writers.write([{ prefix: 'P', records: await recordsOf() }]);
  await writers.close();
  assert.equal((await readAll(join(dir, 'P-00000.warc'))).length, 5);
});

test('where there are no locks nothing is repaired, and that is told', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'a.warc.open'), WHOLE);
  const { lines, log } = kept();
  const options = { dir, subdirPrefix: false, drop: nothing('a.warc'), log };
  await repairLeftovers({ ...options, lock: undefined });
  const broken = () => {
    throw new Error('ENOLCK');
  };
  await repairLeftovers({ ...options, lock: broken });
  assert.deepEqual(readdirSync(dir), ['a.warc.open']);
  assert.match(lines.join('\n'), /^warn open WARC files are not repaired: .*\nerror an open WARC file was not repaired: cannot be locked/);
});
