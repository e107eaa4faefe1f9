/** Opening files while there is no handle: tried again until there is one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Patience } from '../../src/util/patience.ts';

const outOf = (code: string) => Object.assign(new Error(`${code}: too many open files`), { code });

/** When it waits. */
const afterThat = (tick: () => void) => setImmediate(() => setImmediate(tick));

function patience(): Patience & { readonly told: string[] } {
  const told: string[] = [];
  const onWait = (error: unknown) => void told.push(`waits: ${(error as Error).message}`);
  return Object.assign(new Patience({ onWait, onOver: () => void told.push('over') }), { told });
}

test('what finds no handle is tried again until it does, and told of once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const waiting = patience();
  const failures = [outOf('EMFILE'), outOf('ENFILE'), outOf('EMFILE')];
  const open = () => {
    const failure = failures.pop();
    if (failure !== undefined) afterThat(() => t.mock.timers.tick(100));
    return failure === undefined ? Promise.resolve('open') : Promise.reject(failure);
  };
  assert.equal(await waiting.run(open), 'open');
  assert.deepEqual(waiting.told, ['waits: EMFILE: too many open files', 'over']);
});

test('any other error is thrown at once', async () => {
  const waiting = patience();
  await assert.rejects(
    waiting.run(() => Promise.reject(outOf('ENOSPC'))),
    /ENOSPC/,
  );
  assert.deepEqual(waiting.told, []);
});

test('once the program ends it is tried for some seconds more only', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const waiting = patience();
  let tries = 0;
  waiting.hurry();
  const open = () => {
    tries++;
    if (tries <= 50) afterThat(() => t.mock.timers.tick(100));
    return Promise.reject(outOf('EMFILE'));
  };
  await assert.rejects(waiting.run(open), /EMFILE/);
  assert.deepEqual([tries, waiting.told], [51, ['waits: EMFILE: too many open files']]);
});
