/** What a fault of our own costs when it happens while bytes from the network are read: that connection, and nothing else. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Authenticator } from '../../src/auth/authenticator.ts';
import { Listener, type ListenerOptions } from '../../src/serve/listener.ts';
import { UpstreamConnection } from '../../src/fetch/http1-origin.ts';
import { recordingLog } from '../ca/support.ts';
import { RawClient } from '../support/client.ts';

test('a fault while a request is read closes the connection of that client and is logged', async () => {
  const { log, lines } = recordingLog();
  const authenticator = {
    check: ({ target }) => {
      if (target === '/bad') throw new TypeError('boom');
      return { status: 407, line: 'who are you', fields: [] };
    },
  } as Authenticator;
  const bounds = { socketTimeoutMs: 1000, headTimeoutMs: 1000, minRate: { bytesPerSecond: 0, windowMs: 1000 }, maxConnections: 10 };
  const listener = new Listener({ authenticator, ...bounds, log } as unknown as ListenerOptions);
  await listener.listen(0, '127.0.0.1');
  using good = await RawClient.connect(listener.address.port);
  using bad = await RawClient.connect(listener.address.port);
  bad.send('GET /bad HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await bad.rest()).length, 0);
  good.send('GET /good HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await good.response()).status, 407);
  assert.deepEqual(
    lines.filter(({ level }) => level === 'error').map(({ message }) => message),
    ['a fault in warctap: the connection of a client was closed'],
  );
  listener.stop();
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
  const connection = new UpstreamConnection(socket, 'key', undefined, 0, (error) => faults.push(error));
  const boom = new TypeError('boom');
  const ended = new Promise<Error | undefined>((resolve) => {
    connection.attach({
      onData: () => {
        throw boom;
      },
      onEnd: resolve,
      onDrain: () => undefined,
      onIdle: () => undefined,
    });
  });
  origin.write('x');
  assert.match((await ended)?.message ?? '', /fault in warctap/);
  assert.deepEqual(faults, [boom]);
  assert.equal(socket.destroyed, true);
});
