import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Capture } from '../../src/capture/capture.ts';
import { bucketsOf } from '../../src/meta/buckets.ts';
import type { Meta } from '../../src/meta/meta.ts';
import { dedupLoader } from '../../src/archive/dedup-loader.ts';
import { statsProcessor } from '../../src/archive/stats.ts';
import { Databases } from '../../src/store/level/database.ts';
import { LevelStatistics } from '../../src/store/level/statistics.ts';
import { memoryDedup } from '../../src/store/memory/dedup.ts';
import { silentLog } from '../../src/util/log.ts';
import { custom, exchange, failure, RULES, tempDir } from './dedup-support.ts';

function archivedAs<T extends Capture>(type: string, capture: T): T {
  capture.outcome.records = [{ id: capture.recordId, type, date: '', filename: 'P.warc', path: 'P.warc', offset: 0, length: 1 }];
  return capture;
}

/** Tally a batch and say what is in the buckets: `urls/wire bytes` of total, new and revisit. */
async function tallied(dir: string, batch: readonly Capture[], names: readonly string[]): Promise<Record<string, string | undefined>> {
  await using databases = new Databases();
  const store = new LevelStatistics({ section: (await databases.open(join(dir, 'db'))).section('stats'), log: silentLog });
  const processor = statsProcessor({ store, bucketsOf });
  await processor.process(batch);
  const counts: Record<string, string | undefined> = {};
  for (const name of names) {
    const bucket = await store.get(name);
    const text = ({ urls, wire_bytes }: { urls: number; wire_bytes: number }) => `${urls}/${wire_bytes}`;
    counts[name] = bucket && [bucket.total, bucket.new, bucket.revisit].map(text).join(' ');
  }
  await processor.close?.();
  return counts;
}

test('responses, revisits, custom records and what is not archived are counted as what they are, failures not at all', async (t) => {
  const [fresh, revisit, other] = [exchange({ body: 'x'.repeat(1000) }), exchange({ body: 'x'.repeat(1000) }), exchange({ body: '' })];
  const wire = fresh.response.bytes.size;
  assert.ok(wire > 1000);
  const record = custom('text/plain', 'twelve bytes');
  const batch = [archivedAs('response', fresh), archivedAs('revisit', revisit), archivedAs('metadata', record), other, failure()];
  const headOnly = other.response.headSize;
  const expected = `4/${2 * wire + 12 + headOnly} 2/${wire + 12} 1/${wire}`;
  assert.deepEqual(await tallied(tempDir(t), batch, ['__all__', '__unspecified__', 'b']), {
    __all__: expected,
    __unspecified__: expected,
    b: undefined,
  });
});

test('a capture counts in the buckets that its client named, and with tally-domains in those of its domain', async (t) => {
  const meta: Partial<Meta> = {
    statsBuckets: [
      { name: 'plain', tallyDomains: [] },
      { name: 'b', tallyDomains: ['example.com', 'www.example.com', 'example.org'] },
    ],
  };
  const batch = ['http://www.example.com/', 'http://example.com/', 'http://notexample.com/'].map((url) =>
    archivedAs('response', exchange({ url, meta })),
  );
  const wire = batch[0]!.response.bytes.size;
  const urls = (count: number) => `${count}/${count * wire} ${count}/${count * wire} 0/0`;
  const names = ['__all__', '__unspecified__', 'plain', 'b', 'b:example.com', 'b:www.example.com', 'b:example.org'];
  assert.deepEqual(await tallied(tempDir(t), batch, names), {
    __all__: urls(3),
    __unspecified__: undefined,
    plain: urls(3),
    b: urls(3),
    'b:example.com': urls(2),
    'b:www.example.com': urls(1),
    'b:example.org': undefined,
  });
});

test('counts go on after a restart', async (t) => {
  const dir = tempDir(t);
  const size = exchange().response.bytes.size;
  for (let round = 1; round <= 3; round++) {
    const counts = await tallied(dir, [archivedAs('response', exchange())], ['__all__']);
    assert.deepEqual(counts, { __all__: `${round}/${round * size} ${round}/${round * size} 0/0` });
  }
});

test('when too many buckets wait for the disk, they are written before more are counted', async (t) => {
  await using databases = new Databases();
  const section = (await databases.open(join(tempDir(t), 'db'))).section('stats');
  const store = new LevelStatistics({ section, log: silentLog, maxBuckets: 4 });
  let most = 0;
  const processor = statsProcessor({ store, bucketsOf });
  for (let nth = 0; nth < 50; nth++) {
    const statsBuckets = [0, 1, 2].map((part) => ({ name: `b${nth}-${part}`, tallyDomains: [] }));
    await processor.process([exchange({ meta: { statsBuckets } })]);
    if (store.crowded) most++;
  }
  assert.ok(most > 0);
  assert.equal((await store.get('__all__'))?.total.urls, 50);
  for (let nth = 0; nth < 50; nth++) assert.equal((await store.get(`b${nth}-1`))?.total.urls, 1);
  await processor.close?.();
});

test('a whole batch is counted without a promise', async (t) => {
  await using databases = new Databases();
  const store = new LevelStatistics({ section: (await databases.open(join(tempDir(t), 'db'))).section('stats'), log: silentLog });
  const processor = statsProcessor({ store, bucketsOf });
  assert.equal(processor.process([exchange(), exchange()]), undefined);
  await processor.close?.();
  assert.equal(dedupLoader({ index: memoryDedup().holder(), won: [], rules: RULES, methods: [], log: silentLog }).process([]), undefined);
});

test('whatever becomes of the store, nothing that was to be counted is lost, and its error is told once', async () => {
  const counted = new Map<string, number>();
  let flushes = 0;
  const store = {
    get crowded() {
      return counted.size > 10;
    },
    tally: (bucket: string) => void counted.set(bucket, (counted.get(bucket) ?? 0) + 1),
    flush: () => Promise.reject(new Error(`flush ${++flushes}`)),
    close: () => Promise.resolve(),
  };
  const processor = statsProcessor({ store, bucketsOf });
  const batch = Array.from({ length: 20 }, (_, nth) => exchange({ meta: { statsBuckets: [{ name: `b${nth}`, tallyDomains: [] }] } }));
  await assert.rejects(async () => processor.process(batch), /^Error: flush 1$/);
  assert.equal(counted.get('__all__'), 20);
  assert.equal(counted.size, 21);
});

test('a batch with very many buckets is counted with pauses', async () => {
  let counted = 0;
  const store = { crowded: false, tally: () => (counted += 1), flush: () => Promise.resolve(), close: () => Promise.resolve() };
  const processor = statsProcessor({ store, bucketsOf });
  const statsBuckets = Array.from({ length: 999 }, (_, nth) => ({ name: `b${nth}`, tallyDomains: [] }));
  const batch = Array.from({ length: 50 }, () => exchange({ meta: { statsBuckets } }));
  const counting = processor.process(batch);
  const atOnce = counted;
  await counting;
  assert.equal(counted, 50_000);
  assert.ok(atOnce > 0 && atOnce <= 5000, `${atOnce} at once`);
});
