/** Clients that go on sending after the last answer: read for a while, so that they can read it, and no longer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { lingeringClose, throwAway, type Lingering } from '../../src/serve/lingering-close.ts';

/** Both ends of a connection; the far one is closed as told. */
async function lingering(t: TestContext, limits: Lingering): Promise<{ client: Socket; served: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [served] = (await once(server, 'connection')) as [Socket];
  client.on('error', () => undefined);
  served.on('error', () => undefined);
  t.after(() => {
    client.destroy();
    served.destroy();
    server.close();
  });
  served.write('answer');
  lingeringClose(served, limits);
  const [answer] = (await once(client, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'answer');
  return { client, served };
}

const LONG = { idleMs: 60_000, allMs: 60_000 };

test('a client that sends nothing and stays is closed', async (t) => {
  const { served } = await lingering(t, { ...LONG, idleMs: 20 });
  await once(served, 'close');
});

test('a client that sends a byte now and then is closed after the time for all', async (t) => {
  const { client, served } = await lingering(t, { ...LONG, allMs: 100 });
  const dripping = setInterval(() => client.write('x'), 5);
  await once(served, 'close');
  clearInterval(dripping);
});

test('a client that sends without end is not read without end', async (t) => {
  const { client, served } = await lingering(t, { ...LONG, maxBytes: 100_000 });
  const megabyte = Buffer.alloc(1024 * 1024);
  let sent = 0;
  while (sent < 64 && client.write(megabyte)) sent++;
  const more = () => {
    while (sent < 64 && client.write(megabyte)) sent++;
  };
  client.on('drain', more);
  await once(served, 'pause');
  assert.ok(served.bytesRead < 1024 * 1024, `${served.bytesRead} bytes were read`);
  assert.ok(served.isPaused());
});

test('a client that ends is closed with it', async (t) => {
  const { client, served } = await lingering(t, LONG);
  client.end('the rest');
  await once(served, 'close');
  assert.equal(served.bytesRead, 8);
});

test('what is thrown away is bounded in bytes, too', async (t) => {
  const { client, served } = await lingering(t, LONG);
  throwAway(served, 10);
  client.write('more than ten bytes');
  await once(served, 'pause');
});
