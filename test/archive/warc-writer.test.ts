import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { warcWriter } from '../../src/archive/warc-writer.ts';
import { silentLog } from '../../src/util/log.ts';
import { Spool } from '../../src/util/spool.ts';
import type { PrefixedRecords } from '../../src/warc/write/pool.ts';
import { pool, recordOptions } from '../warc/support.ts';
import { checkReferences, custom, exchange, failure, openSteps, tempDir, typesOf, type CaptureParts } from './dedup-support.ts';

const URL_A = 'http://a.example/';
const SECOND = 1000;

test('failures, the prefix "-", other methods and what a filter turned down are not archived', async (t) => {
  const { through } = await openSteps(t, { methods: ['GET'] });
  const filtered = exchange({ body: '1' });
  filtered.outcome.archive = false;
  const captures = [
    failure(),
    filtered,
    exchange({ body: '2', warcPrefix: '-' }),
    exchange({ body: '3', method: 'POST' }),
    { ...custom('text/plain', 'x'), method: 'WARCPROX_WRITE_RECORD' },
    exchange({ body: '4', method: 'get' }),
  ];
  await through(captures);
  assert.equal(typesOf(captures), '- - - - metadata response');
  assert.deepEqual(
    captures.map(({ outcome }) => outcome.archive),
    [false, false, false, false, true, true],
  );
});

/** [age of the original in ms, URL asked again, blackout period in s, what becomes of it] */
const BLACKOUTS: readonly [ageMs: number, url: string, seconds: number, type: string][] = [
  [10 * SECOND, URL_A, 10, '-'],
  [10 * SECOND + 1, URL_A, 10, 'revisit'],
  [0, URL_A, 10, '-'],
  [5 * SECOND, 'http://a.example/other', 10, 'revisit'],
  [0, URL_A, 0, 'revisit'],
];
for (const [ageMs, url, seconds, type] of BLACKOUTS) {
  for (const oneBatch of [true, false]) {
    const what = `${url === URL_A ? 'the same URL' : 'another URL'} ${ageMs} ms after the original`;
    test(`with a blackout of ${seconds} s ${what}: ${type}, ${oneBatch ? 'in one batch' : 'one by one'}`, async (t) => {
      const startedAt = new Date('2024-01-01T00:00:00.000Z');
      const now = () => new Date(startedAt.getTime() + ageMs);
      const { through } = await openSteps(t, { blackout: { seconds, now } });
      const captures = [exchange({ url: URL_A, startedAt }), exchange({ url })];
      for (const batch of oneBatch ? [captures] : captures.map((capture) => [capture])) await through(batch);
      assert.equal(typesOf(captures), `response ${type}`);
      assert.equal(captures[1]!.outcome.archive, type !== '-');
    });
  }
}

/** [status and Location of the original, those of the later one, what becomes of it] */
const ANSWERS: readonly [first: Answer, second: Answer, type: string][] = [
  [{ status: 302, location: '/a' }, { status: 302, location: '/a' }, '-'],
  [{ status: 302, location: '/a' }, { status: 302, location: '/b' }, 'revisit'],
  [{ status: 302, location: '/a' }, { status: 301, location: '/a' }, 'revisit'],
  [{ status: 302, location: '' }, { status: 302 }, 'revisit'],
  [{ status: 200 }, { status: 404 }, 'revisit'],
];
type Answer = Pick<CaptureParts, 'status' | 'location'>;
for (const [first, second, type] of ANSWERS) {
  for (const oneBatch of [true, false]) {
    const what = `${JSON.stringify(second)} after ${JSON.stringify(first)} with the same body`;
    test(`within the blackout period ${what}: ${type}, ${oneBatch ? 'in one batch' : 'one by one'}`, async (t) => {
      const { through } = await openSteps(t, { blackout: { seconds: 1e9, now: () => new Date() } });
      const captures = [exchange({ url: URL_A, ...first }), exchange({ url: URL_A, ...second })];
      for (const batch of oneBatch ? [captures] : captures.map((capture) => [capture])) await through(batch);
      assert.equal(typesOf(captures), `response ${type}`);
    });
  }
}

test('within the blackout period a revisit is written when nobody knows the status of its original', async (t) => {
  const { through } = await openSteps(t, { blackout: { seconds: 1e9, now: () => new Date() } });
  const duplicateOf = { recordId: '', url: URL_A, date: new Date().toISOString() };
  const captures = [exchange({ url: URL_A, duplicateOf, meta: { dedupOk: false } })];
  await through(captures);
  assert.equal(typesOf(captures), 'revisit');
});

test('a duplicate whose original in the batch cannot be read is written as a response', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir);
  const lost = exchange();
  const broken = new Spool({ maxMemoryBytes: 1, dir: join(tmpdir(), 'no', 'such', 'folder') });
  broken.append(Buffer.from('HTTP/1.1 200 OK\r\n\r\nhello'));
  const original = { ...lost, response: { ...lost.response, bytes: broken } };
  const duplicateOf = { recordId: lost.recordId, url: lost.url, date: lost.startedAt.toISOString(), answer: '200' };
  // The same URL, so that the blackout would have it dropped.
  const duplicate = exchange({ duplicateOf });
  const errors: string[] = [];
  const log = { ...silentLog, error: (_: object, message: string) => errors.push(message) };
  const writer = warcWriter({
    pool: writers,
    records: recordOptions(),
    methods: [],
    blackout: { seconds: 1e9, now: () => new Date() },
    log,
  });
  await writer.process([original, duplicate]);
  await writers.close();
  assert.equal(typesOf([original, duplicate]), '- response');
  assert.equal(errors.length, 1);
  assert.match(errors[0]!, /^not archived, because its temporary file failed: ENOENT/);
  assert.deepEqual(await checkReferences(dir), { responses: 1, revisits: 0 });
});

test('a revisit goes to its file only when its original is in another one', async () => {
  const calls: string[][] = [];
  const write = (batch: readonly PrefixedRecords[]) => {
    calls.push(batch.map(({ prefix, records }) => `${prefix} ${records[0]?.type ?? ''}`));
    return Promise.resolve(batch.map(() => []));
  };
  const original = exchange({ warcPrefix: 'A' });
  const duplicateOf = { recordId: original.recordId, url: original.url, date: original.startedAt.toISOString() };
  const earlier = { ...duplicateOf, recordId: '<urn:uuid:of-an-earlier-batch>' };
  const batch = [
    original,
    exchange({ warcPrefix: 'B', duplicateOf }),
    exchange({ warcPrefix: 'A', duplicateOf }),
    exchange({ warcPrefix: 'B', duplicateOf: earlier }),
    exchange({ warcPrefix: 'B', body: 'other' }),
  ];
  const writer = warcWriter({ pool: { write, close: () => Promise.resolve() }, records: recordOptions(), methods: [], log: silentLog });
  await writer.process(batch);
  assert.deepEqual(calls, [['A response', 'A revisit', 'B revisit', 'B response'], ['B revisit']]);
});

test('equal payloads for several files are one response, referred to from all of them', async (t) => {
  const { through, writers, dir } = await openSteps(t);
  const captures = Array.from({ length: 40 }, (_, nth) => exchange({ warcPrefix: `P${nth % 8}`, url: `http://a.example/${nth}` }));
  await through(captures);
  await writers.close();
  assert.equal(readdirSync(dir).filter((name) => name.endsWith('.warc')).length, 8);
  assert.deepEqual(await checkReferences(dir), { responses: 1, revisits: 39 });
});

test('a head that cannot be read back from its temporary file fails as a write does, instead of losing the batch in silence', async (t) => {
  const unreadable = new Error('EIO: i/o error');
  const duplicate = exchange({
    duplicateOf: { recordId: '<urn:uuid:1>', url: URL_A, date: '2024-01-01T00:00:00.000Z' },
    maxMemoryBytes: 1,
  });
  const { bytes } = duplicate.response;
  await bytes.flushed();
  t.mock.method(bytes, 'slice', () => {
    throw unreadable;
  });
  const writer = warcWriter({ pool: pool(tempDir(t)), records: recordOptions(), methods: [], log: silentLog });
  await assert.rejects(async () => writer.process([duplicate]), { name: 'WarcWriteError', cause: unreadable });
  bytes.release();
  await writer.close?.();
});
