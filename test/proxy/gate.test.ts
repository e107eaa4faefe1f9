/** How many new statistics buckets clients may begin, and what the gate passes on of a request's rules. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test, type TestContext } from 'node:test';
import { fieldOf, Fields } from '../../src/http/fields.ts';
import { metaCache } from '../../src/meta/cache.ts';
import { createGate, type Verdict } from '../../src/proxy/gate.ts';
import { createRegexes } from '../../src/regex/regex.ts';
import { silentLog } from '../../src/util/log.ts';
import { timeSlices } from '../../src/util/slices.ts';

/** A gate before statistics, and a clock that stands still until it is told to go on. */
function gate(t: TestContext) {
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  const state = { crowded: false };
  const slices = timeSlices();
  const statistics = {
    settled: () => undefined,
    get: () => undefined,
    get crowded() {
      return state.crowded;
    },
  };
  const judging = createGate({ cache: metaCache({ regexes: createRegexes(), slices }), slices, statistics, log: silentLog });
  const judge = async (meta: unknown): Promise<Verdict> =>
    judging.judge(new Fields([fieldOf('Warcprox-Meta', JSON.stringify(meta))]), 'http://a/', () => new AbortController().signal);
  const named = async (from: number, count: number) => {
    const { refusal } = await judge({ stats: { buckets: Array.from({ length: count }, (_, nth) => `b${from + nth}`) } });
    return refusal && [refusal.status, refusal.fields?.[0]?.[1], refusal.body];
  };
  return { judge, named, state, pass: (seconds: number) => (nowMs += seconds * 1000) };
}

const refused = (count: number, seconds: number) => [
  429,
  String(seconds),
  `Warcprox-Meta: stats.buckets: ${count} of them are new, expected at most 1000 new ones a second, try again in ${seconds} s\n`,
];

test('ten thousand new buckets may begin at once, then a thousand a second; known ones always', async (t) => {
  const { named, pass } = gate(t);
  // `__all__` is one, too.
  for (let from = 0; from < 9000; from += 1000) assert.equal(await named(from, 1000), undefined);
  assert.equal(await named(9000, 999), undefined);
  assert.deepEqual(await named(20_000, 1000), refused(1000, 1));
  assert.deepEqual(await named(9998, 3), refused(2, 1));
  assert.equal(await named(500, 1000), undefined);
  pass(1);
  assert.equal(await named(20_000, 1000), undefined);
  assert.deepEqual(await named(30_000, 1), refused(1, 1));
  pass(3600);
  for (let from = 30_000; from < 40_000; from += 1000) assert.equal(await named(from, 1000), undefined);
  assert.deepEqual(await named(50_000, 1), refused(1, 1));
});

test('while too many buckets wait to be written no new one begins, and known ones go on', async (t) => {
  const { named, state } = gate(t);
  assert.equal(await named(0, 10), undefined);
  state.crowded = true;
  assert.deepEqual(await named(100, 1), refused(1, 1));
  assert.equal(await named(0, 10), undefined);
});

test('rules that have been followed are not kept with the request', async (t) => {
  const { judge } = gate(t);
  const blocks = [{ domain: 'example.org' }];
  const { meta, refusal } = await judge({ blocks, 'warc-prefix': 'p' });
  assert.equal(refusal, undefined);
  assert.deepEqual([meta.blocks, meta.warcPrefix, meta.raw], [[], 'p', { blocks, 'warc-prefix': 'p' }]);
});
