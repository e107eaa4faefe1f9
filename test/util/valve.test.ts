/** One direction of a flow that several hold back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Valve } from '../../src/util/valve.ts';

const ONE = 1;
const TWO = 2;

/** A valve, and how often it has told that it is open. */
function valve(held = 0): { readonly valve: Valve; readonly opened: () => number } {
  let opened = 0;
  return { valve: new Valve(held, () => opened++), opened: () => opened };
}

test('a valve that nobody holds is open, and says nothing of it', () => {
  const { valve: free, opened } = valve();
  assert.equal(free.open, true);
  free.release(ONE);
  assert.equal(opened(), 0);
});

test('a valve that is held from the beginning opens when that holder lets go', () => {
  const { valve: held, opened } = valve(ONE);
  assert.equal(held.open, false);
  held.release(ONE);
  assert.equal(held.open, true);
  assert.equal(opened(), 1);
});

test('a valve that several hold opens when the last of them lets go, and tells so once', () => {
  const { valve: held, opened } = valve(ONE);
  held.hold(TWO);
  held.release(ONE);
  assert.deepEqual([held.isHeldBy(ONE), held.isHeldBy(TWO), held.open, opened()], [false, true, false, 0]);
  held.release(ONE);
  assert.equal(opened(), 0);
  held.release(TWO);
  held.release(TWO);
  assert.deepEqual([held.open, opened()], [true, 1]);
});

test('who holds twice lets go once', () => {
  const { valve: held, opened } = valve();
  held.hold(ONE);
  held.hold(ONE);
  held.release(ONE);
  assert.deepEqual([held.open, opened()], [true, 1]);
});

test('a valve that is held again opens again', () => {
  const { valve: held, opened } = valve();
  for (let i = 0; i < 3; i++) {
    held.hold(TWO);
    held.release(TWO);
  }
  assert.equal(opened(), 3);
});

test('set holds and lets go of one holder without telling anybody', () => {
  const { valve: held, opened } = valve();
  held.set(ONE, true);
  held.set(TWO, true);
  held.set(ONE, false);
  assert.deepEqual([held.isHeldBy(ONE), held.isHeldBy(TWO), held.open], [false, true, false]);
  held.set(TWO, false);
  assert.deepEqual([held.open, opened()], [true, 0]);
});

test('the one who is told that it is open may hold it again at once', () => {
  const again: Valve = new Valve(ONE, () => again.hold(TWO));
  again.release(ONE);
  assert.deepEqual([again.open, again.isHeldBy(TWO)], [false, true]);
});
