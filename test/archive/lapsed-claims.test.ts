import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lapsedClaims } from '../../src/archive/lapsed-claims.ts';
import { dedupKeyOf } from '../../src/archive/dedup-rules.ts';
import type { DedupIndex, Published } from '../../src/store/dedup.ts';
import { memoryDedup } from '../../src/store/memory/dedup.ts';
import { exchange, openSteps, RULES, typesOf } from './dedup-support.ts';

const BUCKET = { name: '', mode: 'rw' } as const;

/** Another who has written this payload meanwhile. */
async function written(index: DedupIndex, capture: ReturnType<typeof exchange>): Promise<Published> {
  const original = { recordId: '<urn:uuid:other>', url: 'http://other.example/', date: '2024-01-01T00:00:00.000Z', answer: '200' };
  const published = { key: dedupKeyOf(capture.response, BUCKET), original, place: { file: 'O.warc', offset: 0 } };
  await index.publish([published]);
  return published;
}

test('what another has published since the claims have ended becomes a revisit of it, and so does what referred to it', async (t) => {
  const store = memoryDedup();
  const [mine, other] = [store.holder(), store.holder()];
  const [first, second, own] = [exchange({ body: 'a' }), exchange({ body: 'a' }), exchange({ body: 'b' })];
  const { original } = await written(other, first);
  const won: string[] = [];
  const lapsed = lapsedClaims({ index: { claim: (wanted) => mine.claim(wanted), lapsed: true }, won, rules: RULES, methods: [] });
  const { through } = await openSteps(t, { lapsed });
  await through([first, second, own]);
  assert.equal(typesOf([first, second, own]), 'revisit revisit response');
  for (const { outcome } of [first, second]) assert.deepEqual(outcome.duplicateOf, original);
  assert.deepEqual(won, [dedupKeyOf(own.response, BUCKET)]);
});

test('what another holds since then is written all the same', async (t) => {
  const store = memoryDedup();
  const [mine, other] = [store.holder(), store.holder()];
  const capture = exchange({ body: 'a' });
  await other.claim([{ key: dedupKeyOf(capture.response, BUCKET), claims: true }]);
  const lapsed = lapsedClaims({ index: { claim: (wanted) => mine.claim(wanted), lapsed: true }, won: [], rules: RULES, methods: [] });
  const { through } = await openSteps(t, { lapsed });
  await through([capture]);
  assert.equal(typesOf([capture]), 'response');
});

test('as long as claims stand nothing is asked', () => {
  const claim = () => assert.fail('asked');
  for (const lapsed of [false, undefined]) {
    const index = lapsed === undefined ? { claim } : { claim, lapsed };
    assert.equal(lapsedClaims({ index, won: [], rules: RULES, methods: [] })([exchange()]), undefined);
  }
});
