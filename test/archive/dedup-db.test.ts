import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WrittenRecord } from '../../src/warc/record.ts';
import { dedupDb } from '../../src/archive/dedup-db.ts';
import type { Published } from '../../src/store/dedup.ts';
import { memoryDedup } from '../../src/store/memory/dedup.ts';
import { custom, exchange, failure, RULES } from './dedup-support.ts';

function written(type: string, id = '<urn:uuid:1>'): WrittenRecord {
  return { id, type, date: '2024-02-03T04:05:06Z', filename: 'P-00000.warc', path: 'Q/P-00000.warc', offset: 300, length: 200 };
}

function publishing(won: string[] = [], fails = false) {
  const calls: (readonly Published[])[] = [];
  const released: string[] = [];
  const index = {
    publish: (originals: readonly Published[]) => {
      calls.push(originals);
      return fails ? Promise.reject(new Error('ENOSPC: no space left on device')) : Promise.resolve();
    },
    release: (keys: readonly string[]) => void released.push(...keys),
    close: () => Promise.resolve(),
  };
  return { calls, released, processor: dedupDb({ index, won, rules: RULES }) };
}

test('all responses of a batch are published in one call, with id, URL, date to the millisecond, answer and place', async () => {
  const { calls, processor } = publishing();
  const captures = [
    exchange({ url: 'http://a.example/1', body: 'a', status: 302, location: '/b' }),
    exchange({ body: 'b', buckets: 'x y:ro z' }),
  ];
  for (const { outcome, recordId } of captures) outcome.records = [written('response', recordId), written('request')];
  await processor.process(captures);
  const [first, second] = captures;
  const date = '2024-02-03T04:05:06.789Z';
  const place = { file: 'Q/P-00000.warc', offset: 300 };
  const original = { recordId: second!.recordId, url: 'http://example.com/', date, answer: '200' };
  const redirect = { recordId: first!.recordId, url: 'http://a.example/1', date, answer: '302 /b' };
  assert.deepEqual(calls, [
    [
      { key: `${first!.response.payloadDigest}|`, original: redirect, place },
      { key: `${second!.response.payloadDigest}|x`, original, place },
      { key: `${second!.response.payloadDigest}|z`, original, place },
    ],
  ]);
});

test('nothing is published of what is no response in a file', () => {
  const { calls, processor } = publishing();
  const revisit = exchange();
  revisit.outcome.records = [written('revisit'), written('request')];
  const record = custom('text/plain', 'x');
  record.outcome.records = [written('response')];
  const notOk = exchange({ meta: { dedupOk: false } });
  notOk.outcome.records = [written('response')];
  const empty = exchange({ body: '' });
  empty.outcome.records = [written('response')];
  const notWritten = exchange();
  notWritten.outcome.records = [];
  assert.equal(processor.process([revisit, record, notOk, empty, notWritten, exchange(), failure()]), undefined);
  assert.deepEqual(calls, []);
});

test('what the batch has won is released after it was published, once', async () => {
  const capture = exchange({ buckets: 'a b' });
  const keys = ['a', 'b'].map((bucket) => `${capture.response.payloadDigest}|${bucket}`);
  const won = [...keys, 'sha1:lost|'];
  const { calls, released, processor } = publishing(won);
  capture.outcome.records = [written('response')];
  await processor.process([capture]);
  assert.deepEqual([calls.length, released], [1, [...keys, 'sha1:lost|']]);
  assert.equal(won.length, 0);
  won.push('sha1:another|');
  await processor.process([failure()]);
  assert.deepEqual([calls.length, released], [1, [...keys, 'sha1:lost|', 'sha1:another|']]);
  assert.equal(processor.process([failure()]), undefined);
  assert.equal(released.length, 4);
});

test('what cannot be published is released, too, and the error goes to the chain', async () => {
  const capture = exchange();
  const key = `${capture.response.payloadDigest}|`;
  const { released, processor } = publishing([key, 'sha1:lost|'], true);
  capture.outcome.records = [written('response')];
  await assert.rejects(async () => processor.process([capture]), /ENOSPC/);
  assert.deepEqual(released, [key, 'sha1:lost|']);
});

test('the claims of a chain lapse when it is closed', async () => {
  const store = memoryDedup();
  const [index, other] = [store.holder(), store.holder()];
  const wanted = [{ key: 'sha1:aa|', claims: true }];
  await index.claim(wanted);
  assert.deepEqual(await other.claim(wanted), ['held']);
  await dedupDb({ index, won: [], rules: RULES }).close?.();
  assert.deepEqual(await other.claim(wanted), ['won']);
});
