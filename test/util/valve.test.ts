/** One direction of a flow that several have to keep up with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Valve } from '../../src/util/valve.ts';

const A = 1;
const B = 2;

test('a valve is open while nobody holds it', () => {
  const valve = new Valve(0);
  assert.equal(valve.open, true);
  valve.set(A, true);
  valve.set(B, true);
  assert.deepEqual([valve.open, valve.isHeldBy(A), valve.isHeldBy(B)], [false, true, true]);
  valve.set(A, false);
  assert.deepEqual([valve.open, valve.isHeldBy(A), valve.isHeldBy(B)], [false, false, true]);
  valve.set(B, false);
  assert.equal(valve.open, true);
});

test('only the last who lets go opens it, and only once', () => {
  const valve = new Valve(A | B);
  assert.equal(valve.release(A), false);
  assert.equal(valve.release(A), false);
  assert.equal(valve.release(B), true);
  assert.equal(valve.release(B), false);
  assert.equal(valve.open, true);
});

test('who holds it twice lets go once', () => {
  const valve = new Valve(A);
  valve.set(A, true);
  assert.equal(valve.release(A), true);
});
