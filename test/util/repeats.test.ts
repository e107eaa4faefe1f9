import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Repeats } from '../../src/util/repeats.ts';

const MINUTE = 60_000;

function listener() {
  const said: string[] = [];
  const repeats = new Repeats();
  const add = (kind: string, times = 1) => {
    for (let i = 0; i < times; i++) repeats.add(kind, (more, ofOthers) => said.push(`${ofOthers ? 'others' : kind} ${more}`));
  };
  return { repeats, add, said: () => said.splice(0) };
}

test('the first of a kind is told at once, the rest together after a minute', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { add, said } = listener();
  add('a', 3000);
  add('b');
  assert.deepEqual(said(), ['a 0', 'b 0']);
  t.mock.timers.tick(MINUTE);
  assert.deepEqual(said(), ['a 2999']);
  add('a', 2);
  add('b');
  assert.deepEqual(said(), ['b 0'], 'a goes on, b is news again');
  t.mock.timers.tick(MINUTE);
  assert.deepEqual(said(), ['a 2']);
  t.mock.timers.tick(MINUTE);
  add('a');
  assert.deepEqual(said(), ['a 0']);
});

test('what was counted is told at the end', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { add, said, repeats } = listener();
  add('a', 5);
  repeats.close();
  assert.deepEqual(said(), ['a 0', 'a 4']);
  t.mock.timers.tick(MINUTE);
  assert.deepEqual(said(), []);
});

test('kinds past the hundredth are told of as one', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { add, said } = listener();
  for (let kind = 0; kind < 3000; kind++) add(String(kind));
  assert.equal(said().length, 100);
  t.mock.timers.tick(MINUTE);
  assert.deepEqual(said(), ['others 2900']);
  add('2999');
  assert.deepEqual(said(), ['2999 0']);
});
