/** What a fault of our own costs when it happens while bytes from the network are read: that connection, and nothing else. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { Http1Origin } from '../../src/fetch/http1-origin.ts';
import { plainAnswer } from '../../src/http/answer.ts';
import type { FetchError } from '../../src/http/fetch-error.ts';
import type { Handler } from '../../src/http/sides.ts';
import { Listener } from '../../src/serve/listener.ts';
import { recordingLog } from '../ca/support.ts';
import { RawClient } from '../support/client.ts';
import { outgoingRequest } from '../support/outgoing.ts';

test('a fault while a request is read closes the connection of that client and is logged', async () => {
  const { log, lines } = recordingLog();
  const handler: Handler = ({ head }, client) => {
    if (head.target === '/bad') throw new TypeError('boom');
    client.answer(plainAnswer(407, 'who are you'));
  };
  const secureContexts = () => assert.fail('no tunnel expected');
  const minRate = { bytesPerSecond: 0, windowMs: 1000 };
  const listener = new Listener({ handler, secureContexts, socketTimeoutMs: 1000, headTimeoutMs: 1000, minRate, maxConnections: 10, log });
  const { port } = await listener.listen(0, '127.0.0.1');
  using good = await RawClient.connect(port);
  using bad = await RawClient.connect(port);
  bad.send('GET /bad HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await bad.rest()).length, 0);
  good.send('GET /good HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await good.response()).status, 407);
  assert.deepEqual(
    lines.filter(({ level }) => level === 'error').map(({ message }) => message),
    ['a fault in warctap: the connection of a client was closed'],
  );
  await listener.close();
});

test('a fault while a response is read breaks that connection, as its user is told', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[origin]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  t.after(() => {
    origin.destroy();
    server.close();
  });
  const faults: unknown[] = [];
  const connection = new Http1Origin(socket, 'key', undefined, 0, (error) => faults.push(error));
  const boom = new TypeError('boom');
  const lost = new Promise<FetchError>((resolve) => {
    const nothing = () => undefined;
    const onHead = () => {
      throw boom;
    };
    connection.request(outgoingRequest(), [], {
      onInterim: nothing,
      onHead,
      onBody: nothing,
      onRead: nothing,
      onTrailers: nothing,
      onLost: resolve,
      onDrain: nothing,
    });
  });
  origin.write('HTTP/1.1 200 OK\r\n\r\n');
  assert.match((await lost).message, /fault in warctap/);
  assert.deepEqual(faults, [boom]);
  assert.equal(socket.destroyed, true);
});
