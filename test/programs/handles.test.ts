/** What may be open at once stays below the system's limit, whatever that is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { divideHandles, type WantedHandles } from '../../src/programs/handles.ts';

const DEFAULTS: WantedHandles = { maxConnections: 10_000, playback: false, maxExchanges: 1000, crawlLogs: true };

test('without a limit, or with a high one, there is what was wanted', () => {
  const expected = { maxConnections: 10_000, maxExchanges: 1000, maxIdle: 512, maxSpools: 3000, maxWarcs: 256, maxCrawlLogs: 256 };
  assert.deepEqual(divideHandles(Infinity, DEFAULTS), expected);
  assert.deepEqual(divideHandles(65_536, { ...DEFAULTS, playback: true }), expected);
});

for (const limit of [100, 128, 256, 1024, 4096, 10_000, 20_000]) {
  for (const playback of [false, true]) {
    for (const maxConnections of [0, 10, 10_000]) {
      test(`${limit} open files, ${maxConnections} connections wanted${playback ? ' at each of two' : ''}: all together stay below`, () => {
        const most = divideHandles(limit, { ...DEFAULTS, playback, maxConnections });
        assert.ok(Object.values(most).every((bound) => bound >= (maxConnections === 0 ? 0 : 1)));
        assert.ok(most.maxExchanges >= 1 && most.maxSpools > 2 * most.maxExchanges);
        const files = most.maxWarcs + 3 + most.maxCrawlLogs + most.maxSpools;
        const sockets = most.maxConnections * (playback ? 3 : 1) + most.maxExchanges + most.maxIdle;
        assert.ok(files + sockets + 60 <= limit, JSON.stringify(most));
      });
    }
  }
}

test('what was wanted is never more', () => {
  const { maxConnections, maxExchanges } = divideHandles(1024, { ...DEFAULTS, maxConnections: 5, maxExchanges: 3 });
  assert.deepEqual([maxConnections, maxExchanges], [5, 3]);
});

test('a limit that is too low for anything is said in one line', () => {
  assert.throws(
    () => divideHandles(70, DEFAULTS),
    /^OpenFilesError: only 70 files may be open at once, which is too few: see "ulimit -n"$/,
  );
});
