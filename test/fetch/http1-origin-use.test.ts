/** A connection to an origin that speaks HTTP/1: when it can be used again, what is malformed, idle or held back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { parseFields } from '../../src/http1/fields.ts';
import { outgoingRequest } from '../support/outgoing.ts';
import { Asker, OK, OK_TOLD, pair, turns, type Pair } from './http1-origin-support.ts';

const closedBy = async (t: TestContext, idleMs = 0): Promise<Pair> => {
  const made = await pair(idleMs);
  t.after(() => made.connection.destroy());
  return made;
};

for (const [what, bytes, told] of [
  ['a head that is none', 'SSH-2.0-x\r\n\r\n', ['lost invalid-response unspecified: invalid response: malformed status line: "SSH-2.0-x"']],
  [
    'a protocol nobody has asked for',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    ['lost invalid-response unspecified: invalid response: 101 Switching Protocols without being asked'],
  ],
  [
    'a bad chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n',
    ['head 200 chunked 47', 'body 2\r\nok\r\nzz\r\n|ok', 'lost invalid-response unspecified: invalid response: malformed chunk size: "zz"'],
  ],
] as const) {
  test(`an answer with ${what} is lost, as far as it came it is told of, and nothing comes after it`, async (t) => {
    const { connection, origin, ask } = await closedBy(t);
    const asker = await ask();
    origin.write(bytes);
    await asker.until('lost');
    origin.write(OK);
    await turns();
    assert.deepEqual(asker.told, told);
    assert.equal(connection.usable, false);
  });
}

for (const [what, wanted, bytes, usable] of [
  ['a plain answer', {}, OK, true],
  ['an answer with Connection: close', {}, OK.replace('\r\n', '\r\nConnection: Close\r\n'), false],
  ['an answer in HTTP/1.0', {}, OK.replace('1.1', '1.0'), false],
  ['an answer in HTTP/1.0 that promises to stay', {}, OK.replace('1.1', '1.0').replace('\r\n', '\r\nConnection: keep-alive\r\n'), false],
  ['a request in HTTP/1.0', { minor: 0 }, OK, false],
  ['an answer with a byte too much', {}, `${OK}x`, false],
  ['two answers', {}, `${OK}${OK}`, false],
  ['an answer to HEAD', { method: 'HEAD' }, OK.slice(0, -2), true],
  ['an answer to HEAD with a body', { method: 'HEAD' }, OK, false],
  ['an answer without a body', {}, 'HTTP/1.1 204 No Content\r\n\r\n', true],
  ['a Connection: close of the client, which is not for the origin', { fields: parseFields('Connection: close\r\n\r\n', 0) }, OK, true],
] as const) {
  test(`after ${what} it can ${usable ? '' : 'not '}be used again`, async (t) => {
    const { connection, origin, ask } = await closedBy(t);
    const asker = await ask(wanted);
    origin.write(bytes);
    await asker.until('whole');
    connection.release();
    assert.deepEqual([connection.usable, connection.busy], [usable, false]);
  });
}

test('bytes behind an answer that was whole before are told to nobody, and it cannot be used again', async (t) => {
  const { connection, origin, ask } = await closedBy(t);
  const asker = await ask();
  origin.write(OK);
  await asker.until('whole');
  origin.write('more');
  await once(connection.socket, 'data');
  connection.release();
  assert.deepEqual([asker.told, connection.usable], [OK_TOLD, false]);
});

test('an answer that is let go of before it is whole leaves nothing that could be used', async (t) => {
  const { connection, origin, ask } = await closedBy(t);
  const asker = await ask();
  origin.write(OK.slice(0, -1));
  await asker.until('body');
  connection.release();
  assert.equal(connection.usable, false);
});

test('bytes that nobody has asked for close it, and whoever has put it away is told once', async (t) => {
  const { connection, origin } = await closedBy(t);
  let unusable = 0;
  connection.park(() => unusable++);
  origin.write(OK);
  await once(connection.socket, 'close');
  assert.deepEqual([connection.usable, unusable], [false, 1]);
});

test('whoever has taken it out again is told nothing of its end', async (t) => {
  const { connection, ask } = await closedBy(t);
  connection.park(() => assert.fail('it was taken out'));
  const asker = await ask();
  connection.reset();
  await once(connection.socket, 'close');
  assert.deepEqual(asker.told, []);
});

describe('an origin that says nothing for the idle time-out', () => {
  const LOST = 'lost response-timeout time: no answer from the origin within the idle time-out';

  test('before its answer', async (t) => {
    const { ask } = await closedBy(t, 50);
    const asker = await ask();
    await asker.until('lost');
    assert.deepEqual(asker.told, [LOST]);
  });

  test('within its answer', async (t) => {
    const { origin, ask } = await closedBy(t, 500);
    const asker = await ask();
    origin.write(OK.slice(0, -1));
    await asker.until('lost');
    assert.deepEqual(asker.told, ['head 200 length 38', 'body o|o', LOST]);
  });

  test('while nobody asks: it is closed', async (t) => {
    const { connection } = await closedBy(t, 50);
    let unusable = 0;
    connection.park(() => unusable++);
    await once(connection.socket, 'close');
    assert.equal(unusable, 1);
  });

  test('while it is held back: it is not to blame, and has all its time again afterwards', async (t) => {
    const { connection, origin, ask } = await closedBy(t, 500);
    const asker = await ask();
    origin.write(OK.slice(0, -1));
    await asker.until('body');
    connection.pause();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(asker.told.length, 2);
    connection.resume();
    await asker.until('lost');
    assert.deepEqual(asker.told.slice(2), [LOST]);
  });
});

describe('while it is paused', () => {
  test('nothing of the answer is told, and all of it afterwards', async (t) => {
    const { connection, origin, ask } = await closedBy(t);
    const asker = await ask();
    origin.write(OK.slice(0, -2));
    await asker.until('head');
    connection.pause();
    connection.pause();
    origin.write('ok');
    await turns();
    assert.equal(asker.told.length, 1);
    connection.resume();
    await asker.until('whole');
    assert.deepEqual(asker.told, OK_TOLD);
  });

  test('an origin that sends much is held back', async (t) => {
    const { connection, origin, ask } = await closedBy(t);
    const asker = await ask();
    origin.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`);
    await asker.until('head');
    connection.pause();
    const piece = Buffer.alloc(1024 * 1024);
    let sent = 0;
    while (sent < 64 && (origin.write(piece) || (await Promise.race([once(origin, 'drain'), turns()])) !== undefined)) sent++;
    assert.ok(sent < 64, `${sent} MiB went out`);
  });

  test('and let go of, it goes on for the next request', async (t) => {
    const { connection, origin, ask } = await closedBy(t);
    const first = await ask();
    origin.write(OK);
    await first.until('whole');
    connection.pause();
    connection.release();
    const second = await ask();
    origin.write(OK);
    await second.until('whole');
    assert.deepEqual(second.told, OK_TOLD);
  });
});

test('a connection that is given up tells nobody anything more, whatever still comes', async (t) => {
  const { connection, origin } = await closedBy(t);
  const asker = new Asker();
  connection.request(outgoingRequest(), [], asker).reset();
  origin.write(OK);
  if (!connection.socket.closed) await once(connection.socket, 'close');
  await turns();
  assert.deepEqual([asker.told, connection.busy, connection.usable], [[], false, false]);
});
