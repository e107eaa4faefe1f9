import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Linked } from '../../src/util/linked.ts';

test('what comes and goes is kept in the order in which it came, wherever something is taken out', () => {
  for (let out = 0; out < 3; out++) {
    const linked = new Linked<string>();
    const links = ['a', 'b', 'c'].map((item) => linked.add(item));
    linked.remove(links[out]!);
    linked.remove(links[out]!);
    linked.add('d');
    const expected = ['a', 'b', 'c'].filter((_, nth) => nth !== out).concat('d');
    assert.deepEqual([[...linked], linked.size, linked.first], [expected, 3, expected[0]]);
  }
});

test('taken out to the last it begins anew', () => {
  const linked = new Linked<number>();
  for (const link of [linked.add(1), linked.add(2)]) linked.remove(link);
  assert.deepEqual([[...linked], linked.size, linked.first], [[], 0, undefined]);
  linked.add(3);
  assert.deepEqual([[...linked], linked.first], [[3], 3]);
});

test('those that are in when it is gone through are seen, also when they are taken out meanwhile', () => {
  const linked = new Linked<number>();
  const links = [1, 2, 3].map((item) => linked.add(item));
  const seen: number[] = [];
  for (const item of linked) {
    seen.push(item);
    for (const link of links) linked.remove(link);
  }
  assert.deepEqual([seen, linked.size], [[1, 2, 3], 0]);
});

test('what was taken out leads nowhere', () => {
  const linked = new Linked<object>();
  const links = [{}, {}, {}].map((item) => linked.add(item));
  linked.remove(links[1]!);
  assert.deepEqual(links[1], { item: undefined, before: undefined, after: undefined });
});
