import assert from 'node:assert/strict';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import type { Truncation } from '../../src/capture/capture.ts';
import { dedupLoader } from '../../src/archive/dedup-loader.ts';
import { memoryDedup } from '../../src/store/memory/dedup.ts';
import type { Wanted } from '../../src/store/dedup.ts';
import { silentLog } from '../../src/util/log.ts';
import { Spool } from '../../src/util/spool.ts';
import {
  chainOn,
  checkReferences,
  custom,
  dedupSteps,
  exchange,
  failure,
  openSteps,
  RULES,
  tempDir,
  typesOf,
  type CaptureParts,
} from './dedup-support.ts';

/** So many captures of the same payload, each of a URL of its own. */
function equals(count: number, parts: CaptureParts = {}) {
  return Array.from({ length: count }, (_, nth) =>
    exchange({ ...parts, url: `http://a.example/${nth}`, startedAt: new Date(Date.UTC(2024, 0, 1, 0, 0, 0, nth)) }),
  );
}

test('of twenty equal payloads in one batch the first is a response, the others revisits of it', async (t) => {
  const { through, writers, dir } = await openSteps(t);
  const captures = equals(20);
  await through(captures);
  assert.equal(typesOf(captures), `response${' revisit'.repeat(19)}`);
  for (const { outcome } of captures.slice(1)) {
    const { recordId } = captures[0]!;
    const original = { recordId, url: 'http://a.example/0', date: '2024-01-01T00:00:00.000Z', answer: '200' };
    assert.deepEqual(outcome.duplicateOf, original);
  }
  await writers.close();
  assert.deepEqual(await checkReferences(dir), { responses: 1, revisits: 19 });
});

test('split over batches in whatever way, twenty equal payloads are one response', async (t) => {
  for (const sizes of [Array.from({ length: 20 }, () => 1), [7, 13], [1, 19], [19, 1], [3, 5, 12]]) {
    const { through, writers, dir } = await openSteps(t);
    const captures = equals(20);
    let from = 0;
    for (const size of sizes) await through(captures.slice(from, (from += size)));
    assert.equal(typesOf(captures), `response${' revisit'.repeat(19)}`);
    await writers.close();
    assert.deepEqual(await checkReferences(dir), { responses: 1, revisits: 19 });
  }
});

test('different payloads are no duplicates, mixed in a batch with equal ones', async (t) => {
  const { through } = await openSteps(t);
  const captures = ['a', 'b', 'a', 'c', 'b', 'a'].map((body) => exchange({ body }));
  await through(captures);
  assert.equal(typesOf(captures), 'response response revisit response revisit revisit');
});

test('after a restart the original is still known', async (t) => {
  const dir = tempDir(t);
  const types: string[] = [];
  for (const url of ['http://a.example/1', 'http://a.example/2']) {
    const steps = await dedupSteps(dir);
    const capture = exchange({ url });
    await steps.through([capture]);
    await steps.close();
    types.push(typesOf([capture]));
  }
  assert.deepEqual(types, ['response', 'revisit']);
  assert.deepEqual(await checkReferences(dir), { responses: 1, revisits: 1 });
});

/** The buckets of captures of one payload, and what becomes of them. */
const BUCKETS: readonly [title: string, buckets: readonly (string | undefined)[], types: string][] = [
  ['the same bucket', ['a', 'a'], 'response revisit'],
  ['different buckets know nothing of each other', ['a', 'b', undefined, ''], 'response response response revisit'],
  ['in a bucket that is ro nothing is stored', ['a:ro', 'a:ro', 'a', 'a:ro'], 'response response response revisit'],
  ['a response is stored in all its rw buckets', ['a b:ro c', 'b', 'c', 'a'], 'response response revisit revisit'],
  ['any of several buckets may know the payload', ['b', 'a b c'], 'response revisit'],
  ['a revisit is stored nowhere', ['a', 'b a', 'b'], 'response revisit response'],
];
for (const [title, buckets, types] of BUCKETS) {
  for (const oneBatch of [true, false]) {
    test(`${title}, ${oneBatch ? 'in one batch' : 'one by one'}`, async (t) => {
      const { through, writers, dir } = await openSteps(t);
      const captures = buckets.map((names) => exchange(names === undefined ? {} : { buckets: names }));
      for (const batch of oneBatch ? [captures] : captures.map((capture) => [capture])) await through(batch);
      assert.equal(typesOf(captures), types);
      await writers.close();
      await checkReferences(dir);
    });
  }
}

for (const oneBatch of [true, false]) {
  test(`the first bucket that knows the payload names the original, ${oneBatch ? 'in one batch' : 'one by one'}`, async (t) => {
    const { through } = await openSteps(t);
    const [inA, inB, ...asking] = ['a', 'b', 'a b', 'b a', 'c:ro b:ro a'].map((buckets) => exchange({ buckets }));
    const captures = [inA!, inB!, ...asking];
    for (const batch of oneBatch ? [captures] : captures.map((capture) => [capture])) await through(batch);
    assert.deepEqual(
      asking.map(({ outcome }) => outcome.duplicateOf?.recordId),
      [inA!.recordId, inB!.recordId, inB!.recordId],
    );
  });

  test(`with dedup-ok false a capture may be a revisit but no original, ${oneBatch ? 'in one batch' : 'one by one'}`, async (t) => {
    const { through } = await openSteps(t);
    const dedupOk = { meta: { dedupOk: false } };
    const captures = [exchange(dedupOk), exchange(dedupOk), exchange(), exchange(dedupOk)];
    for (const batch of oneBatch ? [captures] : captures.map((capture) => [capture])) await through(batch);
    assert.equal(typesOf(captures), 'response response response revisit');
    assert.equal(captures[3]!.outcome.duplicateOf?.recordId, captures[2]!.recordId);
  });
}

const KINDS: readonly [contentType: string | undefined, kind: 'text' | 'binary'][] = [
  ['text/html', 'text'],
  ['text/x-whatever; charset=utf-8', 'text'],
  ['Text/HTML', 'text'],
  ['application/json', 'text'],
  ['application/json;charset=utf-8', 'text'],
  ['application/xml charset=utf-8', 'text'],
  ['application/javascript', 'text'],
  ['application/xhtml+xml', 'text'],
  ['application/typescript', 'text'],
  ['image/svg+xml', 'text'],
  ['image/png', 'binary'],
  ['application/jsonp', 'binary'],
  ['application/rss+xml', 'binary'],
  ['text', 'binary'],
  ['', 'binary'],
  [undefined, 'binary'],
];
for (const [contentType, kind] of KINDS) {
  test(`${contentType ?? 'no Content-Type'} is ${kind}, and only larger payloads than the minimum are deduplicated`, async (t) => {
    const { through } = await openSteps(t, { rules: { minTextSize: 10, minBinarySize: 20 } });
    const min = kind === 'text' ? 10 : 20;
    const sized = (size: number) => [1, 2].map(() => exchange({ body: 'x'.repeat(size), contentType }));
    const atMin = sized(min);
    const above = sized(min + 1);
    await through([...atMin, ...above]);
    assert.equal(typesOf(atMin), 'response response');
    assert.equal(typesOf(above), 'response revisit');
  });
}

test('empty payloads are never duplicates', async (t) => {
  const { through } = await openSteps(t);
  const captures = [exchange({ body: '' }), exchange({ body: '' }), exchange({ method: 'HEAD', body: '' })];
  await through(captures);
  assert.equal(typesOf(captures), 'response response response');
});

test('with --dedup-only-with-bucket a capture without a bucket is neither duplicate nor original', async (t) => {
  const { through } = await openSteps(t, { rules: { onlyWithBucket: true } });
  const captures = [exchange(), exchange(), exchange({ buckets: 'a' }), exchange({ buckets: 'a' }), exchange()];
  await through(captures);
  assert.equal(typesOf(captures), 'response response response revisit response');
});

test('any status and any method has duplicates', async (t) => {
  const { through } = await openSteps(t);
  const captures = [exchange({ method: 'POST', head: 'HTTP/1.1 404 Not Found\r\n\r\n' }), exchange({ method: 'GET' })];
  await through(captures);
  assert.equal(typesOf(captures), 'response revisit');
});

test('custom records and failures are let alone', async (t) => {
  const { through } = await openSteps(t);
  const captures = [custom('text/plain', 'hello'), custom('text/plain', 'hello'), exchange({ body: 'hello' }), failure()];
  await through(captures);
  assert.equal(typesOf(captures), 'metadata metadata response -');
});

test('a cut response is an original for others cut alike, and nothing else', async (t) => {
  const { through } = await openSteps(t);
  const kinds: (Truncation | undefined)[] = ['length', 'length', 'time', undefined, 'length', undefined, 'time'];
  const captures = kinds.map((truncated) => exchange(truncated === undefined ? {} : { truncated }));
  for (const batch of [captures.slice(0, 4), captures.slice(4)]) await through(batch);
  assert.equal(typesOf(captures), 'response revisit response response revisit revisit revisit');
  assert.equal(captures[4]!.outcome.duplicateOf?.recordId, captures[0]!.recordId);
  assert.equal(captures[5]!.outcome.duplicateOf?.recordId, captures[3]!.recordId);
  assert.equal(captures[6]!.outcome.duplicateOf?.recordId, captures[2]!.recordId);
});

test('what is not archived is no original', async (t) => {
  const { through } = await openSteps(t, { methods: ['GET'] });
  const filtered = exchange();
  filtered.outcome.archive = false;
  const captures = [filtered, exchange({ warcPrefix: '-' }), exchange({ method: 'POST' }), exchange(), exchange({ warcPrefix: '-' })];
  await through(captures);
  assert.equal(typesOf(captures), '- - - response -');
  const next = exchange();
  await through([next]);
  assert.equal(next.outcome.duplicateOf?.recordId, captures[3]!.recordId);
});

test('when the temporary file of the first has failed, the second is the original of the others', async (t) => {
  const { through, writers, dir } = await openSteps(t);
  const captures = equals(4);
  const broken = new Spool({ maxMemoryBytes: 1, dir: join(tmpdir(), 'no', 'such', 'folder') });
  broken.append(Buffer.from('HTTP/1.1 200 OK\r\n\r\nhello'));
  const first = captures[0]!;
  captures[0] = { ...first, response: { ...first.response, bytes: broken } };
  await through(captures);
  assert.equal(typesOf(captures), '- response revisit revisit');
  assert.equal(captures[2]!.outcome.duplicateOf?.recordId, captures[1]!.recordId);
  const later = exchange();
  await through([later]);
  assert.equal(later.outcome.duplicateOf?.recordId, captures[1]!.recordId);
  await writers.close();
  assert.deepEqual(await checkReferences(dir), { responses: 1, revisits: 3 });
});

test('a batch with nothing to look up asks nothing, and one in memory takes no promise', () => {
  let asked = 0;
  const entry = { recordId: '<urn:uuid:1>', url: 'http://a.example/', date: '2024-01-01T00:00:00.000Z' };
  const claim = (wanted: readonly Wanted[]) => {
    asked++;
    return wanted.map(() => entry);
  };
  const loader = dedupLoader({ index: { ...memoryDedup().holder(), claim }, won: [], rules: RULES, methods: [], log: silentLog });
  assert.equal(loader.process([failure(), custom('text/plain', 'x'), exchange({ body: '' })]), undefined);
  assert.equal(asked, 0);
  const captures = equals(3);
  assert.equal(loader.process(captures), undefined);
  assert.equal(asked, 1);
  for (const { outcome } of captures) assert.equal(outcome.duplicateOf, entry);
});

test('when the index cannot be read nothing is decided and the error goes to the chain', async () => {
  const claim = () => Promise.reject(new Error('broken'));
  const loader = dedupLoader({ index: { ...memoryDedup().holder(), claim }, won: [], rules: RULES, methods: [], log: silentLog });
  const captures = equals(2);
  await assert.rejects(async () => loader.process(captures), /broken/);
  for (const { outcome } of captures) assert.equal(outcome.duplicateOf, undefined);
});

test('what could become an original is claimed in its buckets, and what could not is only asked for', async () => {
  const asked: Wanted[] = [];
  const claim = (wanted: readonly Wanted[]) => {
    asked.push(...wanted);
    return wanted.map(({ claims }) => (claims ? ('won' as const) : undefined));
  };
  const won: string[] = [];
  const loader = dedupLoader({ index: { ...memoryDedup().holder(), claim }, won, rules: RULES, methods: [], log: silentLog });
  await loader.process([
    exchange({ body: '1', buckets: 'a b:ro' }),
    exchange({ body: '2', meta: { dedupOk: false } }),
    exchange({ body: '3' }),
  ]);
  const [first, second, third] = ['1', '2', '3'].map((body) => exchange({ body }).response.payloadDigest);
  assert.deepEqual(asked, [
    { key: `${first}|a`, claims: true },
    { key: `${first}|b`, claims: false },
    { key: `${second}|`, claims: false },
    { key: `${third}|`, claims: true },
  ]);
  assert.deepEqual(won, [`${first}|a`, `${third}|`]);
});

test('what another is about to write is held back, and comes again as a revisit of what that one has published', async () => {
  const store = memoryDedup();
  const [index, other] = [store.holder(), store.holder()];
  const captures = [...equals(2), exchange({ body: 'another' })];
  const key = `${captures[0]!.response.payloadDigest}|`;
  await other.claim([{ key, claims: true }]);
  const won: string[] = [];
  const loader = dedupLoader({ index, won, rules: RULES, methods: [], log: silentLog });
  await loader.process(captures);
  assert.deepEqual(loader.held, captures.slice(0, 2));
  assert.deepEqual(won.splice(0), [`${captures[2]!.response.payloadDigest}|`]);
  const again = loader.process(loader.held);
  const original = { recordId: '<urn:uuid:theirs>', url: 'http://b.example/', date: '2024-01-01T00:00:00.000Z' };
  await other.publish([{ key, original, place: { file: 'A.warc', offset: 0 } }]);
  await again;
  assert.deepEqual([loader.held, won], [[], []]);
  assert.deepEqual(
    captures.map(({ outcome }) => outcome.duplicateOf?.recordId),
    ['<urn:uuid:theirs>', '<urn:uuid:theirs>', undefined],
  );
});

test('what another lets go of is won by who has waited, and its equals refer to it', async () => {
  const store = memoryDedup();
  const [index, other] = [store.holder(), store.holder()];
  const captures = equals(2);
  const key = `${captures[0]!.response.payloadDigest}|`;
  await other.claim([{ key, claims: true }]);
  const won: string[] = [];
  const loader = dedupLoader({ index, won, rules: RULES, methods: [], log: silentLog });
  await loader.process(captures);
  await other.close();
  await loader.process(loader.held!);
  assert.deepEqual([loader.held, won], [[], [key]]);
  assert.deepEqual([captures[0]!.outcome.duplicateOf, captures[1]!.outcome.duplicateOf?.recordId], [undefined, captures[0]!.recordId]);
});

test('who waits for one bucket holds no other, unless the batch writes that', async () => {
  const store = memoryDedup();
  const [index, other] = [store.holder(), store.holder()];
  const waits = exchange({ body: '1', buckets: 'a b c' });
  const writes = exchange({ body: '1', buckets: 'c' });
  const known = exchange({ body: '2', buckets: 'a b' });
  const keyOf = ({ response }: typeof waits, bucket: string) => `${response.payloadDigest}|${bucket}`;
  const original = { recordId: '<urn:uuid:theirs>', url: 'http://b.example/', date: '2024-01-01T00:00:00.000Z' };
  await other.claim([keyOf(waits, 'a'), keyOf(known, 'a')].map((key) => ({ key, claims: true })));
  await other.publish([{ key: keyOf(known, 'b'), original, place: { file: 'A.warc', offset: 0 } }]);
  const won: string[] = [];
  const loader = dedupLoader({ index, won, rules: RULES, methods: [], log: silentLog });
  await loader.process([waits, writes, known]);
  assert.deepEqual([loader.held, won], [[waits], [keyOf(waits, 'c')]]);
  assert.deepEqual(await other.claim(['b', 'c'].map((bucket) => ({ key: keyOf(waits, bucket), claims: true }))), ['won', 'held']);
  // It is there in one of its buckets, whoever writes it in another.
  assert.equal(known.outcome.duplicateOf, original);
});

test('of four chains on one store, whatever comes to them in whatever order, each payload is written once and no revisit dangles', async (t) => {
  const dir = tempDir(t);
  const store = memoryDedup();
  const chains = Array.from({ length: 4 }, (_, nth) => chainOn(dir, store, `W${nth}`));
  let seed = 4711;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  const bodies = new Set<string>();
  const pushed: unknown[] = [];
  for (let nth = 0; nth < 1200; nth++) {
    const body = String(random(150));
    bodies.add(body);
    pushed.push(chains[random(4)]!.push(exchange({ body, url: `http://a.example/${nth}`, warcPrefix: `P${random(4)}` })));
    if (random(40) === 0) await new Promise(setImmediate);
  }
  await Promise.all(pushed);
  await Promise.all(chains.map((chain) => chain.close()));
  assert.deepEqual(await checkReferences(dir), { responses: bodies.size, revisits: 1200 - bodies.size });
});
