/** Clients that take too little of what waits for them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { test, type TestContext } from 'node:test';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { slowReaders } from '../../src/serve/taking.ts';
import { recordingLog } from '../ca/support.ts';
import { testCertificate } from '../support/certificate.ts';

const MIB = 1024 * 1024;

/** A client that reads nothing, and the socket on which something waits for it. */
async function waiting(t: TestContext, tls: boolean): Promise<{ client: Socket; served: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = (server.address() as AddressInfo).port;
  const client = tls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1');
  const [tcp] = (await once(server, 'connection')) as [Socket];
  const served = tls ? new TLSSocket(tcp, { isServer: true, secureContext: createSecureContext(await testCertificate()) }) : tcp;
  if (tls) await once(client, 'secureConnect');
  client.pause();
  served.on('error', () => undefined);
  t.after(() => {
    client.destroy();
    served.destroy();
    server.close();
  });
  for (let written = 0; written < 64; written++) served.write(Buffer.alloc(MIB));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(served.writableLength > 0);
  return { client, served };
}

/** A look each second of a clock that stands still in between. */
function looking(t: TestContext, bytesPerSecond: number) {
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  const { log, lines } = recordingLog();
  const look = slowReaders({ bytesPerSecond, windowMs: 3000 }, log);
  return {
    lines,
    seconds: (served: Socket, seconds: number, crowded = false) => {
      for (let second = 0; second < seconds && !served.destroyed; second++) {
        look([served], crowded);
        nowMs += 1000;
      }
    },
  };
}

/** Take so much. */
async function take(client: Socket, bytes: number): Promise<void> {
  let taken = 0;
  const count = (piece: Buffer) => {
    taken += piece.length;
    if (taken >= bytes) client.pause();
  };
  client.on('data', count).resume();
  while (taken < bytes) await once(client, 'data');
  client.removeListener('data', count);
}

for (const tls of [false, true]) {
  const how = tls ? ' (TLS)' : '';

  test(`who takes nothing for a window is let go, with a line in the log${how}`, async (t) => {
    const { served } = await waiting(t, tls);
    const { seconds, lines } = looking(t, 10);
    seconds(served, 3);
    assert.equal(served.destroyed, false);
    seconds(served, 1);
    assert.equal(served.destroyed, true);
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['a client takes its answer too slowly: its connection was closed'],
    );
  });

  test(`who takes enough stays${how}`, async (t) => {
    const { client, served } = await waiting(t, tls);
    const { seconds } = looking(t, 10);
    for (let window = 0; window < 3; window++) {
      seconds(served, 3);
      await take(client, 8 * MIB);
    }
    assert.equal(served.destroyed, false);
  });
}

test('while others wait for their turn more is asked for', async (t) => {
  const [{ served: alone }, { served: amongOthers }] = [await waiting(t, false), await waiting(t, false)];
  // What the system has taken is the measure here: a window of a client at 100 bytes per second.
  const drip = (served: Socket) => {
    const handle = Reflect.get(served, '_handle') as object;
    let queued = 1_000_000;
    Object.defineProperty(handle, 'writeQueueSize', { get: () => (queued -= 100) });
  };
  for (const served of [alone, amongOthers]) drip(served);
  const { seconds } = looking(t, 10);
  seconds(alone, 10);
  assert.equal(alone.destroyed, false);
  seconds(amongOthers, 10, true);
  assert.equal(amongOthers.destroyed, true);
});

test('0 is no minimum, for nobody', async (t) => {
  const { served } = await waiting(t, false);
  looking(t, 0).seconds(served, 10, true);
  assert.equal(served.destroyed, false);
});
