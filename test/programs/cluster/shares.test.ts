/** What all workers may have together, divided: nothing is lost, nothing comes out as no limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '../../../src/options/resolve.ts';
import { mostWorkers, shareOf } from '../../../src/programs/cluster/shares.ts';

const options = { ...resolveOptions({}), maxSpool: 1_000_003 };
const DIVIDED = ['maxThreads', 'queueSize', 'cdxserverDedupMaxThreads', 'maxMemory', 'maxSpool'] as const;
const sharesOf = (given: typeof options, of: number) => Array.from({ length: of }, (_, nth) => shareOf(given, nth + 1, of));

for (const of of [2, 3, 7]) {
  test(`shares of ${of} workers are the whole together, and differ by one at most`, () => {
    const shares = sharesOf(options, of);
    for (const name of DIVIDED) {
      const parts = shares.map((share) => share[name] ?? 0);
      assert.equal(parts.reduce((sum, part) => sum + part, 0), options[name], name); // prettier-ignore
      assert.ok(Math.max(...parts) - Math.min(...parts) <= 1, `${name}: ${parts.join()}`);
      assert.deepEqual(parts, parts.toSorted((a, b) => b - a)); // prettier-ignore
    }
  });
}

test('what is not divided is as it was: connections, which the primary process counts, and everything else', () => {
  const [share] = sharesOf(options, 3);
  const changed = Object.entries(options).filter(([name, value]) => share?.[name as keyof typeof share] !== value);
  assert.deepEqual(changed.map(([name]) => name).sort(), [...DIVIDED, 'maxHeadMemory'].sort());
});

test('0, where it means no limit, stays so, and no limit comes of dividing', () => {
  for (const share of sharesOf({ ...options, maxSpool: 0 }, 3)) assert.equal(share.maxSpool, 0);
  assert.deepEqual(
    sharesOf({ ...options, maxSpool: 2 }, 4).map(({ maxSpool }) => maxSpool),
    [1, 1, 1, 1],
  );
});

test('a worker has room for one of the largest heads at least', () => {
  const heads = (maxHeadMemory: number, of: number) => sharesOf({ ...options, maxHeadMemory }, of).map((share) => share.maxHeadMemory);
  assert.deepEqual(heads(2_000_000, 3), [1_048_576, 1_048_576, 1_048_576]);
  assert.deepEqual(heads(4_194_305, 2), [2_097_153, 2_097_152]);
});

test('there are no more workers than there are requests, connections and places in the queue', () => {
  const of = (maxThreads: number, maxConnections: number, queueSize: number) =>
    mostWorkers({ ...options, maxThreads, maxConnections, queueSize });
  assert.deepEqual([of(2, 9, 9), of(9, 2, 9), of(9, 9, 2)], [2, 2, 2]);
});
