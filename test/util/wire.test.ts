/** Messages between two processes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Wire, WireError } from '../../src/util/wire.ts';
import { socketPair, wirePair } from '../support/wires.ts';

test('a call is answered with what the handler returns, or what its promise becomes, in whatever order', async (t) => {
  const [near, far] = await wirePair(t);
  let late: (text: string) => void = () => undefined;
  far.serve({
    add: (a: number, b: number) => a + b,
    later: () => new Promise<string>((resolve) => (late = resolve)),
    nothing: () => undefined,
  });
  const later = near.call('later');
  assert.deepEqual(await Promise.all([near.call('add', 1, 2), near.call('add', 3, 4), near.call('nothing')]), [3, 7, undefined]);
  late('at last');
  assert.equal(await later, 'at last');
});

test('both sides call, and tells come in order with calls', async (t) => {
  const [near, far] = await wirePair(t);
  const heard: unknown[] = [];
  near.serve({ name: () => 'near' });
  far.serve({ note: (text: string) => void heard.push(text), heard: () => heard, whose: () => far.call('name') });
  near.tell('note', 'a');
  near.tell('note', 'b');
  const answer = near.call('heard');
  near.tell('note', 'c');
  assert.deepEqual(await answer, ['a', 'b']);
  assert.equal(await near.call('whose'), 'near');
  assert.deepEqual(heard, ['a', 'b', 'c']);
});

test('what a handler throws, or its promise, is an error of the call with its code', async (t) => {
  const [near, far] = await wirePair(t);
  far.serve({
    throws: () => {
      throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    },
    rejects: () => Promise.reject(new Error('two\nlines')),
  });
  await assert.rejects(near.call('throws'), new WireError('ENOSPC', 'no room'));
  await assert.rejects(near.call('rejects'), new WireError('FAILED', 'two lines'));
});

test('text of any kind and of any length comes whole', async (t) => {
  const [near, far] = await wirePair(t);
  far.serve({ same: (text: string) => text });
  for (const text of ['', '\n\r\u2028\0', 'sch\xf6n \u{1f600}', '\ud800', `${'\xe9'.repeat(1_000_000)}\n`])
    assert.equal(await near.call('same', text), text);
});

test('messages that come in pieces, or many at once, are read', async (t) => {
  const [socket, other] = await socketPair(t);
  const heard: unknown[] = [];
  const wire = new Wire(other, other, { note: (text: string) => void heard.push(text) });
  for (const byte of Buffer.from('[0,"note","\u{1f600}"]\n[0,"no')) {
    socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  socket.end('te","b"]\n[0,"note","c"]\n[0,"note","never wh');
  await wire.end();
  assert.deepEqual(heard, ['\u{1f600}', 'b', 'c']);
});

test('when the other side is gone calls fail, tells go nowhere, and what it said before has been heard', async (t) => {
  const [socket, other] = await socketPair(t);
  const heard: unknown[] = [];
  const wire = new Wire(other, other, { note: (text: string) => void heard.push(text) });
  const call = assert.rejects(wire.call('anything'), { name: 'WireError', code: 'WIRE_CLOSED' });
  socket.write('[0,"note","last words"]\n');
  socket.destroySoon();
  await wire.closed;
  await call;
  assert.deepEqual(heard, ['last words']);
  assert.ok(wire.over);
  wire.tell('anything');
  await assert.rejects(wire.call('anything'), { code: 'WIRE_CLOSED' });
});
