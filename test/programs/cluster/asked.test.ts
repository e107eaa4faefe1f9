/** What is asked of a process that may hang: nobody waits for it longer than the limit, and nothing gathers for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Asked } from '../../../src/programs/cluster/asked.ts';

test('who answers is asked anew each time; who does not is waited for once, and asked again only when it has answered', async () => {
  const waiting: ((answer: number) => void)[] = [];
  let nowMs = 0;
  const asked = new Asked(
    () => new Promise<number>((resolve) => waiting.push(resolve)),
    5,
    () => nowMs,
  );
  const first = asked.inTime();
  waiting.shift()?.(1);
  assert.deepEqual([await first, asked.last, asked.silentMs], [true, 1, 0]);
  assert.equal(await asked.inTime(), false);
  nowMs = 6;
  for (let nth = 0; nth < 100; nth++) assert.equal(await asked.inTime(), false);
  assert.deepEqual([waiting.length, asked.last, asked.silentMs], [1, 1, 6]);
  waiting.shift()?.(2);
  // All that hangs on the answer has heard it.
  await new Promise(setImmediate);
  assert.deepEqual([asked.last, asked.silentMs], [2, 0]);
  const again = asked.inTime();
  waiting.shift()?.(3);
  assert.deepEqual([await again, asked.last], [true, 3]);
});

test('who is gone has not answered', async () => {
  const asked = new Asked(() => Promise.reject(new Error('the other process is gone')), 5);
  assert.equal(await asked.inTime(), false);
  assert.equal(asked.last, undefined);
});
