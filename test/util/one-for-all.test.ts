/** One run for all who ask for it, but never one that has begun before they asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneForAll } from '../../src/util/one-for-all.ts';

/** Runs that are ended by hand, in the order in which they began. */
function runs() {
  const begun: { end: () => void; fail: (reason: Error) => void }[] = [];
  const ask = oneForAll(() => new Promise<void>((resolve, reject) => begun.push({ end: resolve, fail: reject })));
  return { ask, begun };
}

const pending = Symbol('pending');
const stateOf = async (promise: Promise<void>): Promise<unknown> => {
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.race([promise, Promise.resolve(pending)]);
};

test('who asks while one runs waits for the next, which is one for all of them', async () => {
  const { ask, begun } = runs();
  const first = ask();
  const [second, third] = [ask(), ask()];
  assert.equal(begun.length, 1);
  begun[0]?.end();
  await first;
  assert.equal(await stateOf(second), pending);
  assert.equal(begun.length, 2);
  // That one has begun: who comes now waits for another.
  const fourth = ask();
  begun[1]?.end();
  await Promise.all([second, third]);
  assert.equal(await stateOf(fourth), pending);
  assert.equal(begun.length, 3);
  begun[2]?.end();
  await fourth;
});

test('after one is over the next begins at once', async () => {
  const { ask, begun } = runs();
  const first = ask();
  begun[0]?.end();
  await first;
  await stateOf(first);
  const second = ask();
  assert.equal(begun.length, 2);
  begun[1]?.end();
  await second;
});

test('one that fails fails for those who have asked for it, and for nobody else', async () => {
  const { ask, begun } = runs();
  const first = ask();
  const [second, third] = [ask(), ask()];
  begun[0]?.fail(new Error('first'));
  await assert.rejects(first, { message: 'first' });
  await stateOf(second);
  begun[1]?.end();
  await Promise.all([second, third]);
  const fourth = ask();
  begun[2]?.fail(new Error('fourth'));
  await assert.rejects(fourth, { message: 'fourth' });
});
