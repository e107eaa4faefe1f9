/** When a worker that has died is started again. No time passes here: the clock is set by hand. */
import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { Starter, type Attempts } from '../../../src/programs/cluster/starter.ts';

function clock(t: TestContext) {
  const time = { ms: 1000 };
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  return { starter: new Starter(() => time.ms), time };
}

/** @returns how long the next attempt is waited for, in ms, and whether it is made */
async function waitOf(attempts: Attempts): Promise<readonly [waitedMs: number, made: boolean]> {
  const STEP_MS = 250;
  let made: boolean | undefined;
  void attempts.next().then((result) => (made = result));
  for (let waitedMs = 0; ; waitedMs += STEP_MS) {
    await Promise.resolve().then(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    if (made !== undefined) return [waitedMs, made];
    mock.timers.tick(STEP_MS);
  }
}

test('one that dies as soon as it listens is started at once, then later and later, ten times in a row', async (t) => {
  const { starter } = clock(t);
  const attempts = starter.attempts();
  const waits: number[] = [];
  for (let nth = 0; nth < 10; nth++) {
    const [waitedMs, made] = await waitOf(attempts);
    assert.ok(made && !attempts.exhausted);
    waits.push(waitedMs);
    attempts.succeeded();
  }
  assert.deepEqual(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.deepEqual(await waitOf(attempts), [0, false]);
  assert.ok(attempts.exhausted);
});

test('one that cannot be started at all counts as one that dies at once, however long each start takes', async (t) => {
  const { starter, time } = clock(t);
  const attempts = starter.attempts();
  for (let nth = 0; nth < 10; nth++) {
    assert.equal((await waitOf(attempts))[1], true);
    time.ms += 60_000;
  }
  assert.deepEqual(await waitOf(attempts), [0, false]);
  assert.ok(attempts.exhausted);
});

test('one that has run for more than two seconds begins anew', async (t) => {
  const { starter, time } = clock(t);
  const attempts = starter.attempts();
  const waits: number[] = [];
  for (const ranMs of [0, 0, 2000, 2001, 0, 0]) {
    time.ms += ranMs;
    waits.push((await waitOf(attempts))[0]);
    attempts.succeeded();
  }
  assert.deepEqual(waits, [0, 250, 500, 0, 250, 500]);
  assert.ok(!attempts.exhausted);
});

test('each place has its own row of deaths', async (t) => {
  const { starter } = clock(t);
  const [one, other] = [starter.attempts(), starter.attempts()];
  for (const each of [one, one, one]) await waitOf(each);
  assert.deepEqual(await waitOf(other), [0, true]);
});

test('who stops waits for nobody, and starts none', async (t) => {
  const { starter } = clock(t);
  const attempts = starter.attempts();
  await waitOf(attempts);
  const next = attempts.next();
  starter.stop();
  assert.equal(await next, false);
  assert.equal(await attempts.next(), false);
  assert.ok(!attempts.exhausted, 'it was stopped, and did not die too often');
});
