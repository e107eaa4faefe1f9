/** Nothing that was answered is lost, and nothing handed out twice, however manager and workers are killed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killRun } from './kills.ts';

test('2,000 URLs, three workers, six kills -9 at moments of chance', async () => {
  const outcome = await killRun({ urls: 2000, workers: 3, kills: { manager: 3, workers: 3 }, leaseSeconds: 2, seed: 15, pauseMs: 300 });
  assert.deepEqual(outcome.faults, []);
  assert.ok(outcome.counted >= 2000);
});
