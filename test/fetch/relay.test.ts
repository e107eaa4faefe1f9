/** Two connections made one: who holds back whom, and how they end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Side } from '../../src/capture/message-tap.ts';
import { Relay, type RelayOptions } from '../../src/fetch/relay.ts';

const NOTHING = Buffer.alloc(0);

/** Both ends of a connection. */
async function pair(t: TestContext): Promise<readonly [far: Socket, near: Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [near] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    server.close();
    far.destroy();
    near.destroy();
  });
  return [far, near];
}

interface Relayed {
  readonly client: Socket;
  readonly origin: Socket;
  /** the proxy's ends */
  readonly near: Readonly<Record<Side, Socket>>;
  readonly relay: Relay;
  readonly over: Promise<readonly [by: string, cut: string | undefined]>;
}

async function relayed(t: TestContext, options: Partial<RelayOptions> = {}): Promise<Relayed> {
  const [client, nearClient] = await pair(t);
  const [origin, nearOrigin] = await pair(t);
  let relay: Relay | undefined;
  const over = new Promise<readonly [string, string | undefined]>((resolve) => {
    relay = new Relay(
      { socket: nearClient, first: NOTHING },
      { socket: nearOrigin, first: NOTHING },
      { idleMs: 0, lingerMs: 0, watch: () => true, onOver: (by, cut) => resolve([by, cut]), ...options },
    );
  });
  assert.ok(relay !== undefined);
  return { client, origin, near: { client: nearClient, origin: nearOrigin }, relay, over };
}

test('who looks on and is behind holds back its side, not the other, until it is released', async (t) => {
  const seen: string[] = [];
  let behind = true;
  const { client, origin, near, relay } = await relayed(t, {
    watch: (from, bytes) => {
      seen.push(`${from} ${bytes.toString()}`);
      return from === 'origin' || !behind;
    },
  });
  client.write('one');
  assert.equal(String((await once(origin, 'data'))[0]), 'one');
  assert.equal(near.client.isPaused(), true);
  client.write('two');
  origin.write('back');
  assert.equal(String((await once(client, 'data'))[0]), 'back');
  assert.deepEqual(seen, ['client one', 'origin back']);
  behind = false;
  relay.release();
  assert.equal(String((await once(origin, 'data'))[0]), 'two');
  assert.deepEqual(seen, ['client one', 'origin back', 'client two']);
});

test('a side that does not read holds back the other: nothing more is taken than fits, and all of it arrives', async (t) => {
  let passed = 0;
  const { client, origin, near } = await relayed(t, {
    watch: (from, bytes) => {
      if (from === 'origin') passed += bytes.length;
      return true;
    },
  });
  const all = 64 * 1024 * 1024;
  origin.write(Buffer.alloc(all, 'x'));
  // The client has not begun to read: sooner or later what it does not take stands here.
  while (!near.origin.isPaused()) await new Promise(setImmediate);
  assert.ok(passed < all && near.client.writableLength < 1024 * 1024, `${passed} bytes, ${near.client.writableLength} waiting`);
  let received = 0;
  for await (const bytes of client) {
    received += (bytes as Buffer).length;
    if (received === all) break;
  }
  assert.equal(passed, all);
});

for (const [what, act, expected] of [
  ['the client leaves', ({ client }) => client.destroy(), ['client', undefined]],
  ['the origin leaves', ({ origin }) => origin.destroy(), ['origin', undefined]],
  ['the origin resets', ({ origin }) => origin.resetAndDestroy(), ['origin', undefined]],
  ['it is cut', ({ relay }) => relay.cut('disconnect'), ['proxy', 'disconnect']],
] satisfies [string, (relayed: Relayed) => unknown, unknown][]) {
  test(`${what}: the other side ends, and it is told once who was first`, async (t) => {
    const both = await relayed(t);
    for (const socket of [both.client, both.origin]) socket.on('error', () => undefined).on('end', () => socket.end());
    both.client.resume();
    both.origin.resume();
    act(both);
    assert.deepEqual(await both.over, expected);
    both.relay.cut('time');
  });
}
