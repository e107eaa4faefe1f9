/** What thrown things say. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { allInOrder, codeOf, errorOf, isSystemError, reasonOf, throwAll } from '../../src/util/thrown.ts';

class OwnError extends Error {
  override readonly name = 'OwnError';
}

/** As the system says it. */
function systemError(): unknown {
  try {
    return readFileSync('/does/not/exist');
  } catch (error) {
    return error;
  }
}

for (const [what, thrown, said] of [
  ['an error', new Error('no such thing'), 'no such thing'],
  ['an error of several lines', new Error('  one\n\ttwo\r\n three '), 'one two three'],
  ['an error with a stack', Object.assign(new Error('short'), { stack: 'short\n    at far too much' }), 'short'],
  ['an error without words, by its code', Object.assign(new Error(''), { code: 'EFOO' }), 'EFOO'],
  ['an error without words or code, by its name', new OwnError(''), 'OwnError'],
  ['several errors without words of their own', new AggregateError([new Error('one'), 'two', new OwnError('')]), 'one; two; OwnError'],
  ['several errors with words of their own', new AggregateError([new Error('one')], 'all failed'), 'all failed'],
  ['several errors that are none', new AggregateError([]), 'AggregateError'],
  ['a text', 'just\nwords', 'just words'],
  ['nothing', undefined, 'undefined'],
  ['a number', 7, '7'],
  ['a symbol', Symbol('x'), 'Symbol(x)'],
  ['an object that cannot be a text', Object.create(null), '[object Object]'],
  ['an error whose message is no text', Object.assign(new Error('x'), { message: { a: 1 } }), '[object Object]'],
] as const satisfies readonly (readonly [string, unknown, string])[]) {
  test(`what ${what} says`, () => assert.equal(reasonOf(thrown), said));
}

test('a code is a text on an error, and nothing else', () => {
  assert.equal(codeOf(systemError()), 'ENOENT');
  assert.equal(codeOf(Object.assign(new Error('x'), { code: 7 })), undefined);
  assert.equal(codeOf(new Error('x')), undefined);
  assert.equal(codeOf({ code: 'ENOENT' }), undefined);
  assert.equal(codeOf(undefined), undefined);
});

test('what the system said is told from what has only a code', () => {
  assert.equal(isSystemError(systemError()), true);
  assert.equal(isSystemError(Object.assign(new Error('x'), { code: 'Z_BUF_ERROR' })), false);
  assert.equal(isSystemError({ syscall: 'open' }), false);
});

test('an error stays the same error, anything else becomes one', () => {
  const error = new OwnError('x');
  assert.equal(errorOf(error), error);
  const made = errorOf('a\nb');
  assert.ok(made instanceof Error);
  assert.equal(made.message, 'a b');
});

test('nothing is thrown for nothing, one thing as it is, more as one that tells of all', () => {
  const [one, two] = [new Error('one'), new Error('two')];
  throwAll([]);
  assert.throws(() => throwAll([one]), one);
  assert.throws(
    () => throwAll(['text']),
    (thrown) => thrown === 'text',
  );
  const both = (message: string) => (thrown: unknown) => {
    assert.ok(thrown instanceof AggregateError);
    assert.deepEqual(thrown.errors, [one, two]);
    return thrown.message === message;
  };
  assert.throws(() => throwAll([one, two]), both('one; two'));
  assert.throws(() => throwAll([one, two], 'closing failed'), both('closing failed'));
});

test('steps are taken one after the other, whatever becomes of them, and what they have thrown is thrown once', async () => {
  const taken: string[] = [];
  const fault = new Error('a');
  const steps = [
    async () => {
      await Promise.resolve();
      taken.push('first');
      throw fault;
    },
    () => taken.push('second'),
    () => Promise.reject(fault),
  ];
  await assert.rejects(allInOrder(steps), (error) => error === fault);
  assert.deepEqual(taken, ['first', 'second']);
  await assert.rejects(allInOrder([...steps, () => Promise.reject(new Error('b'))]), { message: `${fault.message}; b` });
  await allInOrder([]);
});
