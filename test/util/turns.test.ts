/** Work that waits for its turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turns } from '../../src/util/turns.ts';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Pieces of work that end when they are told to. */
function work() {
  const begun: string[] = [];
  const ends = new Map<string, Ends>();
  const piece = (name: string) => () =>
    new Promise<string>((resolve, reject) => {
      begun.push(name);
      ends.set(name, { resolve: () => resolve(name), reject });
    });
  return {
    begun,
    piece,
    end: (name: string) => ends.get(name)?.resolve(),
    fail: (name: string, why: Error) => ends.get(name)?.reject(why),
  };
}

interface Ends {
  readonly resolve: () => void;
  readonly reject: (why: Error) => void;
}

test('one at a time unless said otherwise, first come first served', async () => {
  const { begun, piece, end } = work();
  const line = turns();
  const results = ['a', 'b', 'c'].map((name) => line.run(piece(name)));
  await settle();
  assert.deepEqual([begun, line.waiting], [['a'], 2]);
  end('a');
  await settle();
  assert.deepEqual([begun, line.waiting], [['a', 'b'], 1]);
  end('b');
  await settle();
  end('c');
  assert.deepEqual(await Promise.all(results), ['a', 'b', 'c']);
  assert.equal(line.waiting, 0);
});

test('so many at a time as were allowed, and no more after some have ended', async () => {
  const { begun, piece, end } = work();
  const line = turns(2);
  for (const name of ['a', 'b', 'c', 'd', 'e']) void line.run(piece(name));
  await settle();
  assert.deepEqual([begun, line.waiting], [['a', 'b'], 3]);
  end('b');
  end('a');
  await settle();
  assert.deepEqual([begun, line.waiting], [['a', 'b', 'c', 'd'], 1]);
  end('c');
  await settle();
  assert.deepEqual([begun, line.waiting], [['a', 'b', 'c', 'd', 'e'], 0]);
});

test('who comes when nobody is left begins at once', async () => {
  const { begun, piece, end } = work();
  const line = turns();
  const first = line.run(piece('a'));
  end('a');
  await first;
  void line.run(piece('b'));
  assert.deepEqual(begun, ['a', 'b']);
});

test('what one throws reaches the one who wanted it, and keeps no other from its turn', async () => {
  const { begun, piece, fail } = work();
  const line = turns();
  const failing = line.run(piece('a'));
  const thrown = line.run(() => {
    throw new Error('at once');
  });
  void line.run(piece('c'));
  fail('a', new Error('later'));
  await assert.rejects(failing, /^Error: later$/);
  await assert.rejects(thrown, /^Error: at once$/);
  await settle();
  assert.deepEqual([begun, line.waiting], [['a', 'c'], 0]);
});
