/** What begins after CONNECT, when making a certificate takes its time or fails. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { createSecureContext, type SecureContext } from 'node:tls';
import { tlsFailures } from '../../src/serve/tls-failures.ts';
import { openTunnel, type SecureContexts } from '../../src/serve/tunnel.ts';
import { silentLog } from '../../src/util/log.ts';
import { testCertificate } from '../support/certificate.ts';

const HELLO = Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc', 'latin1');

/** A client and the other end of its connection, which has become a tunnel. */
async function tunnel(secureContexts: SecureContexts, log = silentLog): Promise<{ client: Socket; socket: Socket } & Disposable> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  const serve = () => assert.fail('nothing is to be served');
  openTunnel(
    { secureContexts, socketTimeoutMs: 0, headTimeoutMs: 60_000, log, failures: tlsFailures(log), serve },
    socket,
    { host: 'a.example', port: 443 },
    Buffer.alloc(0),
  );
  return {
    client,
    socket,
    [Symbol.dispose]() {
      client.destroy();
      socket.destroy();
    },
  };
}

for (const how of ['end', 'resetAndDestroy'] as const) {
  test(`a client that leaves while its certificate is made (${how}) harms nobody`, async () => {
    let asked = () => {};
    let made: (context: SecureContext) => void = () => {};
    const beingAsked = new Promise<void>((resolve) => (asked = resolve));
    using pair = await tunnel(() => {
      asked();
      return new Promise((resolve) => (made = resolve));
    });
    pair.client.write(HELLO);
    await beingAsked;
    const left = new Promise<void>((resolve) => pair.socket.once('end', resolve).once('close', resolve));
    pair.client[how]();
    await left;
    made(createSecureContext(await testCertificate()));
    if (!pair.socket.closed) await once(pair.socket, 'close');
  });
}

test('a certificate that cannot be made closes the connection, and is logged', async () => {
  const errors: string[] = [];
  using pair = await tunnel(() => Promise.reject(new Error('no key')), { ...silentLog, error: (_fields, message) => errors.push(message) });
  pair.client.write(HELLO);
  await once(pair.client, 'close');
  assert.deepEqual(errors, ['no certificate could be made']);
});

test('a client that leaves within the handshake keeps no connection', async () => {
  const context = createSecureContext(await testCertificate());
  using pair = await tunnel(() => context);
  pair.client.write(HELLO);
  pair.client.end();
  if (!pair.socket.closed) await once(pair.socket, 'close');
});
