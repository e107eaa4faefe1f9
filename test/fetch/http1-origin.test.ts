/** A connection to an origin that speaks HTTP/1: answers, whole and cut, on fresh and used connections. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { outgoingRequest } from '../support/outgoing.ts';
import { Asker, OK, OK_TOLD, pair, reused, turns } from './http1-origin-support.ts';

test('a whole answer is told of in its parts, and the connection can be used again', async () => {
  const { connection, origin, ask } = await pair();
  assert.deepEqual([connection.busy, connection.usable, connection.capacity, connection.ipAddress], [false, true, 1, '127.0.0.1']);
  const asker = await ask();
  assert.equal(connection.busy, true);
  origin.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n');
  await asker.until('interim 103');
  origin.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
  await asker.until('whole');
  const chunks = 'body 2\r\nok\r\n0\r\n\r\n|ok';
  assert.deepEqual(asker.told, ['interim 100', 'interim 103', 'head 200 chunked 47', chunks, 'whole']);
  connection.release();
  assert.deepEqual([connection.busy, connection.usable], [false, true]);
  connection.destroy();
});

test('after its release it carries the next request, whose asker alone is told of the next answer', async () => {
  const { connection, origin, ask } = await pair();
  const askers: Asker[] = [];
  for (let i = 0; i < 3; i++) {
    const asker = await ask();
    askers.push(asker);
    origin.write(OK);
    await asker.until('whole');
    connection.release();
    if (i === 1) connection.park(() => assert.fail('it can be used'));
  }
  for (const { told } of askers) assert.deepEqual(told, OK_TOLD);
  connection.destroy();
});

test('what there is of the body already goes out with the head, the rest behind it', async () => {
  const { connection, origin } = await pair();
  let received = '';
  origin.on('data', (text: string) => (received += text));
  const body = [Buffer.from('a'), Buffer.from('b')].map((bytes) => ({ bytes, payload: [bytes] }));
  const asker = new Asker();
  const stream = connection.request(outgoingRequest({ method: 'POST', hasBody: true }), body, asker);
  assert.equal(stream.write(Buffer.from('c')), true);
  stream.endRequest();
  while (!received.endsWith('abc')) await once(origin, 'data');
  assert.equal(received, `${stream.sentHead.toString('latin1')}abc`);
  connection.destroy();
});

test('an origin that does not read makes the connection full, and is told of when it has caught up', async () => {
  const { connection, origin, ask } = await pair();
  const asker = await ask({ method: 'POST', hasBody: true });
  origin.pause();
  const piece = Buffer.alloc(1024 * 1024);
  while (connection.write(piece));
  assert.equal(connection.full, true);
  origin.resume();
  await asker.until('drain');
  assert.equal(connection.full, false);
  connection.destroy();
});

const NO_ANSWER = 'origin closed the connection without an answer';
const CUT: readonly (readonly [what: string, bytes: string, told: readonly string[]])[] = [
  ['before its answer', '', [`lost empty-response disconnect: ${NO_ANSWER}`]],
  [
    'in the middle of its head',
    'HTTP/1.1 200 OK\r\nA: b',
    ['lost invalid-response disconnect: connection closed in the middle of the response head'],
  ],
  [
    'after an interim answer',
    'HTTP/1.1 100 Continue\r\n\r\n',
    ['interim 100', 'lost invalid-response disconnect: connection closed in the middle of the response head'],
  ],
  ['in the middle of a length', OK.slice(0, -1), ['head 200 length 38', 'body o|o', `lost empty-response disconnect: ${NO_ANSWER}`]],
  [
    'in the middle of chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe',
    ['head 200 chunked 47', 'body 5\r\nhe|he', `lost empty-response disconnect: ${NO_ANSWER}`],
  ],
  ['after a body without an end of its own', 'HTTP/1.1 200 OK\r\n\r\nhello', ['head 200 close 19', 'body hello|hello', 'whole']],
];
for (const [what, bytes, told] of CUT) {
  test(`an origin that closes ${what}`, async () => {
    const { connection, origin, ask } = await pair();
    const asker = await ask();
    origin.end(bytes);
    await asker.until(told.at(-1)!.slice(0, 5));
    await turns();
    assert.deepEqual(asker.told, told);
    assert.deepEqual([connection.usable, connection.busy], [false, false]);
    connection.destroy();
  });
}

test('a body without an end of its own that is reset is not whole', async () => {
  const { connection, origin, ask } = await pair();
  const asker = await ask();
  origin.write('HTTP/1.1 200 OK\r\n\r\nhello');
  await asker.until('body');
  origin.resetAndDestroy();
  await asker.until('lost');
  assert.deepEqual(asker.told.slice(2), ['lost empty-response disconnect: no answer: read ECONNRESET']);
  connection.destroy();
});

describe('on a connection that was used before', () => {
  test('a close before the answer may be that of another request: it is unanswered', async () => {
    const { origin, ask } = await reused();
    const asker = await ask();
    origin.end();
    await asker.until('lost');
    assert.deepEqual(asker.told, [`lost empty-response disconnect unanswered: ${NO_ANSWER}`]);
  });

  test('so is a reset', async () => {
    const { origin, ask } = await reused();
    const asker = await ask();
    origin.resetAndDestroy();
    await asker.until('lost');
    assert.match(asker.told[0]!, /^lost empty-response disconnect unanswered: no answer: read ECONNRESET$/);
  });

  test('and one that had been closed before the request was sent', async () => {
    const { connection } = await reused();
    connection.socket.destroy();
    const asker = new Asker();
    connection.request(outgoingRequest(), [], asker);
    // Not from within the call: whoever asks has no stream yet.
    assert.deepEqual(asker.told, []);
    await asker.until('lost');
    assert.deepEqual(asker.told, [`lost empty-response disconnect unanswered: ${NO_ANSWER}`]);
  });

  for (const [what, bytes] of [
    ['a part of a head', 'HTTP/1.1 2'],
    ['a part of a body', OK.slice(0, -1)],
    ['something that is no answer', 'SSH-2.0-x\r\n\r\n'],
  ] as const) {
    test(`a close after ${what} is not`, async () => {
      const { connection, origin, ask } = await reused();
      const asker = await ask();
      origin.end(bytes);
      await asker.until('lost');
      assert.doesNotMatch(asker.told.at(-1)!, /unanswered/);
      connection.destroy();
    });
  }
});
