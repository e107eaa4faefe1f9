import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { finish, timeSlices, type Steps } from '../../src/util/slices.ts';
import { countTurns, tickingClock } from '../meta/support.ts';

function* steps(count: number, done: () => void = () => {}): Steps<string> {
  for (let i = 0; i < count; i++) {
    done();
    yield;
  }
  return `${count} steps`;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a computation', () => {
  test('that is short is answered at once', () => assert.equal(timeSlices({ now: () => 0 }).run(steps(10)), '10 steps'));

  test('that is long is answered by a promise, and takes many turns of the event loop', async () => {
    // Each step takes 1 ms, so a slice holds five.
    const slices = timeSlices({ sliceMs: 5, now: tickingClock(1) });
    const result = slices.run(steps(100));
    assert.ok(result instanceof Promise);
    const { turns, value } = await countTurns(result);
    assert.equal(value, '100 steps');
    assert.ok(turns >= 15, `only ${turns} turns`);
  });

  test('that is short is answered at once even while long ones are queued', async () => {
    const slices = timeSlices({ sliceMs: 5, now: tickingClock(0.5) });
    const long = Array.from({ length: 20 }, () => Promise.resolve(slices.run(steps(30))));
    await turn();
    assert.equal(slices.run(steps(1)), '1 steps');
    assert.deepEqual(new Set(await Promise.all(long)), new Set(['30 steps']));
  });

  test('that throws at once throws, one that throws later rejects', async () => {
    function* failing(after: number): Steps<never> {
      yield* steps(after);
      throw new Error('no');
    }
    const slices = timeSlices({ sliceMs: 5, now: tickingClock(1) });
    assert.throws(() => slices.run(failing(0)), /^Error: no$/);
    await assert.rejects(async () => slices.run(failing(50)), /^Error: no$/);
    await turn();
    assert.equal(slices.run(steps(1)), '1 steps');
  });

  test('is given up with its own error once it has used up its time', async () => {
    const slices = timeSlices({ sliceMs: 5, now: tickingClock(1) });
    let done = 0;
    const limit = { maxMs: 20, error: () => new Error('too much') };
    await assert.rejects(
      async () =>
        slices.run(
          steps(1_000, () => done++),
          limit,
        ),
      /^Error: too much$/,
    );
    assert.ok(done >= 20 && done <= 22, `${done} steps`);
    await turn();
    assert.equal(await slices.run(steps(15), limit), '15 steps');
  });

  test('is given up when its signal says so', async () => {
    const slices = timeSlices({ sliceMs: 5, now: tickingClock(1) });
    const abort = new AbortController();
    const result = slices.run(steps(1_000), undefined, abort.signal);
    abort.abort(new Error('gone'));
    await assert.rejects(async () => result, /^Error: gone$/);
  });

  test('shares each turn with all others: fifty long ones take no longer slices than one', async () => {
    let spent = 0;
    const slices = timeSlices({ sliceMs: 5, now: () => spent });
    let most = 0;
    const work = (): number => (spent += 1);
    const all = Array.from({ length: 50 }, () => Promise.resolve(slices.run(steps(20, work))));
    let before = spent;
    await countTurns(Promise.all(all), () => {
      most = Math.max(most, spent - before);
      before = spent;
    });
    assert.equal(spent, 1_000);
    assert.ok(most <= 12, `${most} ms in one turn`);
  });

  test('that waits for another thread lets others go on, and goes on when that is done', async () => {
    const slices = timeSlices({ sliceMs: 5, now: () => 0 });
    let done = () => {};
    function* waiting(): Steps<string> {
      yield;
      yield new Promise<void>((resolve) => (done = resolve));
      yield;
      return 'waited';
    }
    const result = slices.run(waiting());
    assert.ok(result instanceof Promise);
    assert.equal(await slices.run(steps(1_000)), '1000 steps');
    done();
    assert.equal(await result, 'waited');
    assert.throws(() => finish(waiting()), /cannot be done at once/);
  });

  test('finished at once takes all its steps', () => assert.equal(finish(steps(1_000)), '1000 steps'));
});
