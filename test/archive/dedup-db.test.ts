import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WrittenRecord } from '../../src/warc/record.ts';
import { dedupDb } from '../../src/archive/dedup-db.ts';
import type { DedupStore } from '../../src/store/level/dedup-store.ts';
import { custom, exchange, failure, RULES } from './dedup-support.ts';

type Saved = Parameters<DedupStore['save']>[0];

function written(type: string, id = '<urn:uuid:1>'): WrittenRecord {
  return { id, type, date: '2024-02-03T04:05:06Z', filename: 'P-00000.warc', path: 'Q/P-00000.warc', offset: 300, length: 200 };
}

function saving() {
  const calls: Saved[] = [];
  const save = (originals: Saved) => {
    calls.push(originals);
    return Promise.resolve();
  };
  return { calls, processor: dedupDb({ store: { save }, rules: RULES }) };
}

test('all responses of a batch are saved in one call, with id, URL, date to the millisecond and place', async () => {
  const { calls, processor } = saving();
  const captures = [exchange({ url: 'http://a.example/1', body: 'a' }), exchange({ body: 'b', buckets: 'x y:ro z' })];
  for (const { outcome, recordId } of captures) outcome.records = [written('response', recordId), written('request')];
  await processor.process(captures);
  const [first, second] = captures;
  const date = '2024-02-03T04:05:06.789Z';
  const place = { file: 'Q/P-00000.warc', offset: 300 };
  const entry = { recordId: second!.recordId, url: 'http://example.com/', date };
  assert.deepEqual(calls, [
    [
      { key: `${first!.response.payloadDigest}|`, entry: { recordId: first!.recordId, url: 'http://a.example/1', date }, place },
      { key: `${second!.response.payloadDigest}|x`, entry, place },
      { key: `${second!.response.payloadDigest}|z`, entry, place },
    ],
  ]);
});

test('nothing is saved of what is no response in a file', () => {
  const { calls, processor } = saving();
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
