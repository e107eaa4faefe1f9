/** Running counters, by a clock that tests set. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { runningStats } from '../../src/archive/running-stats.ts';
import { exchangeCapture, failedCapture } from '../support/captures.ts';

test('exchanges count, failures do not', async () => {
  const stats = runningStats(
    () => 0,
    () => 0,
  );
  await stats.process([exchangeCapture('1'), failedCapture('2'), exchangeCapture('3')]);
  assert.equal(stats.urlsProcessed, 2);
  await stats.close?.();
});

test('rates are taken over the last minutes, or since the start when that is later', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  let bytes = 0;
  const stats = runningStats(
    () => bytes,
    () => now,
  );
  const pass = async (seconds: number, urlsPerSecond: number) => {
    for (let i = 0; i < seconds; i++) {
      for (let url = 0; url < urlsPerSecond; url++) await stats.process([exchangeCapture('x')]);
      bytes += 100 * urlsPerSecond;
      now += 1000;
      mock.timers.tick(1000);
    }
  };
  assert.deepEqual(stats.rate(1), { actual_elapsed: 0, urls_per_sec: 0, warc_bytes_per_sec: 0 });
  await pass(30, 2);
  assert.deepEqual(stats.rate(1), { actual_elapsed: 30, urls_per_sec: 2, warc_bytes_per_sec: 200 });
  await pass(270, 0);
  assert.deepEqual(stats.rate(1), { actual_elapsed: 60, urls_per_sec: 0, warc_bytes_per_sec: 0 });
  assert.deepEqual(stats.rate(5), { actual_elapsed: 300, urls_per_sec: 0.2, warc_bytes_per_sec: 20 });
  await pass(60, 1);
  assert.deepEqual(stats.rate(1), { actual_elapsed: 60, urls_per_sec: 1, warc_bytes_per_sec: 100 });
  assert.deepEqual(stats.rate(5), { actual_elapsed: 300, urls_per_sec: 0.2, warc_bytes_per_sec: 20 });
  assert.deepEqual(stats.rate(15), { actual_elapsed: 360, urls_per_sec: 1 / 3, warc_bytes_per_sec: 100 / 3 });
  await stats.close?.();
  mock.timers.reset();
});

test('no more is remembered than the longest rate needs', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const stats = runningStats(
    () => 0,
    () => now,
  );
  for (let i = 0; i < 200; i++) {
    now += 10_000;
    mock.timers.tick(10_000);
  }
  assert.equal(stats.rate(15).actual_elapsed, 900);
  assert.ok(stats.rate(60).actual_elapsed <= 910);
  await stats.close?.();
  mock.timers.reset();
});
