import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test, type TestContext } from 'node:test';
import { MinimumRate } from '../../src/util/minimum-rate.ts';

/** A clock that stands still until it is told to go on. */
function clock(t: TestContext): (ms: number) => void {
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  return (ms) => (nowMs += ms);
}

test('only a whole window with too few bytes is too slow', (t) => {
  const pass = clock(t);
  const rate = new MinimumRate({ bytesPerSecond: 10, windowMs: 1000 });
  assert.equal(rate.tooSlow(1), false);
  pass(999);
  assert.equal(rate.tooSlow(1), false);
  pass(1);
  assert.equal(rate.tooSlow(7), true);
});

test('the next window begins anew: what was fast before does not count', (t) => {
  const pass = clock(t);
  const rate = new MinimumRate({ bytesPerSecond: 10, windowMs: 1000 });
  assert.equal(rate.tooSlow(1_000_000), false);
  pass(1000);
  assert.equal(rate.tooSlow(1), false);
  pass(1000);
  assert.equal(rate.tooSlow(9), true);
});

test('exactly the minimum is enough', (t) => {
  const pass = clock(t);
  const rate = new MinimumRate({ bytesPerSecond: 10, windowMs: 1000 });
  rate.tooSlow(5);
  pass(2000);
  assert.equal(rate.tooSlow(15), false);
});

test('the time in which the sender is held back is not its own', (t) => {
  const pass = clock(t);
  const rate = new MinimumRate({ bytesPerSecond: 10, windowMs: 1000 });
  rate.tooSlow(1);
  rate.hold();
  pass(3000);
  rate.hold();
  pass(2000);
  rate.resume();
  pass(999);
  assert.equal(rate.tooSlow(1), false);
});

test('nor until it sends, where nobody tells that it may', (t) => {
  const pass = clock(t);
  const rate = new MinimumRate({ bytesPerSecond: 10, windowMs: 1000 });
  rate.tooSlow(1);
  rate.hold();
  pass(5000);
  assert.equal(rate.tooSlow(1), false);
});

test('being held back again and again is no way to be slow', (t) => {
  const pass = clock(t);
  const rate = new MinimumRate({ bytesPerSecond: 10, windowMs: 1000 });
  let slow = false;
  for (let piece = 0; piece < 101; piece++) {
    slow = rate.tooSlow(0.01);
    rate.hold();
    pass(1);
    rate.resume();
    pass(10);
  }
  assert.equal(slow, true);
});

test('0 is no minimum', (t) => {
  const pass = clock(t);
  const rate = new MinimumRate({ bytesPerSecond: 0, windowMs: 1 });
  rate.tooSlow(0);
  pass(5000);
  assert.equal(rate.tooSlow(0), false);
});
