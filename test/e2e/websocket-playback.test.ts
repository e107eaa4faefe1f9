/**
 * Recorded WebSockets played back: the client of another library hears what the origin had said.
 *
 * Source: RFC 6455; docs/websocket.md.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { WebSocket } from 'ws';
import { RawClient } from '../support/client.ts';
import { get } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { closing, handshake, logLines, openThrough, rawFrame, startSocketOrigin, switching } from '../support/websocket.ts';

function playbackOf({ proxy, ca }: TestProxy): { port: number; ca: string } {
  return { port: Number(new URL(proxy.playbackUrl ?? '').port), ca };
}

/** Everything that is heard until it is closed, and how. */
async function heard(socket: WebSocket): Promise<{ messages: string[]; code: number; reason: string }> {
  const messages: string[] = [];
  socket.on('message', (data, isBinary) =>
    messages.push(isBinary ? `binary ${(data as Buffer).toString('hex')}` : (data as Buffer).toString()),
  );
  socket.on('ping', (data: Buffer) => messages.push(`ping ${data.toString()}`));
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { messages, code, reason: reason.toString() };
}

for (const tls of [false, true]) {
  test(`${tls ? 'wss' : 'ws'}: text, binary, pings and the end are played again, whatever the client says`, async () => {
    await using origin = await startSocketOrigin(
      (socket) => {
        socket.on('message', () => {
          socket.send('Grüße');
          socket.send(Buffer.from([0, 1, 0xff]));
          socket.ping('beat');
          socket.send('x'.repeat(70_000));
          socket.close(4001, 'that was all');
        });
      },
      { tls, perMessageDeflate: true, handleProtocols: () => 'chat.v2' },
    );
    await using proxy = await startProxy({ playbackPort: 0 });
    const url = `${origin.url}/live`;
    const first = await openThrough(proxy, url, { protocols: ['chat.v1', 'chat.v2'] });
    first.send('go');
    const original = await heard(first);
    assert.equal(original.code, 4001);
    await proxy.captureOf(url);
    await origin[Symbol.asyncDispose]();
    for (const says of ['nothing', 'much']) {
      const again = await openThrough(playbackOf(proxy), url, { protocols: ['chat.v1', 'chat.v2'] });
      assert.equal(again.protocol, 'chat.v2');
      if (says === 'much') for (let i = 0; i < 20; i++) again.send('y'.repeat(100_000));
      assert.deepEqual(await heard(again), original);
    }
    // As a page its lines are had.
    using page = tls
      ? await RawClient.tunnel(playbackOf(proxy).port, new URL(url).host, { ca: proxy.ca })
      : await RawClient.connect(playbackOf(proxy).port);
    if (!tls) {
      page.send(get(url));
      const { head, body } = await page.response();
      assert.match(head, /Content-Type: application\/jsonl/);
      assert.equal(logLines({ block: body }).at(-1)?.code, 4001);
    }
  });
}

test('a client that pings is answered, and one that closes, too', async () => {
  await using origin = await startOrigin(({ socket }) => {
    socket.allowHalfOpen = true;
    socket.write(Buffer.concat([Buffer.from(switching()), rawFrame(1, 'first')]));
    socket.on('end', () => socket.end());
  });
  await using proxy = await startProxy({ playbackPort: 0 });
  const host = `127.0.0.1:${origin.port}`;
  const url = `ws://${host}/`;
  using client = await RawClient.connect(proxy.port);
  client.send(handshake(url, host));
  await client.head();
  client.socket.end();
  await proxy.captureOf(url);
  using again = await RawClient.connect(playbackOf(proxy).port);
  again.send(
    Buffer.concat([Buffer.from(handshake(url, host)), rawFrame(9, 'there?', { mask: true }), rawFrame(8, closing(1000), { mask: true })]),
  );
  const head = await again.head();
  assert.match(
    head,
    /^HTTP\/1\.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/,
  );
  assert.match(head, /Memento-Datetime: /);
  const rest = await again.rest();
  assert.ok(rest.includes(rawFrame(10, 'there?')), rest.toString('hex'));
  assert.ok(rest.includes(rawFrame(8, closing(1000))), rest.toString('hex'));
});

test('one that broke off breaks off again', async () => {
  await using origin = await startOrigin(({ socket }) => socket.end(Buffer.concat([Buffer.from(switching()), rawFrame(1, 'last words')])));
  await using proxy = await startProxy({ playbackPort: 0 });
  const host = `127.0.0.1:${origin.port}`;
  using client = await RawClient.connect(proxy.port);
  client.send(handshake(`ws://${host}/`, host));
  await client.head();
  client.socket.end();
  await proxy.captureOf(`ws://${host}/`);
  const again = await openThrough(playbackOf(proxy), `ws://${host}/`);
  const { messages, code } = await heard(again);
  assert.deepEqual([messages, code], [['last words'], 1006]);
});

test('what is not in the archive is 404, and so is everything with --playback-websocket off', async () => {
  await using origin = await startOrigin(({ socket }) => socket.end(switching()));
  await using on = await startProxy({ playbackPort: 0 });
  await using off = await startProxy({ playbackPort: 0, playbackWebsocket: 'off' });
  const host = `127.0.0.1:${origin.port}`;
  using client = await RawClient.connect(off.port);
  client.send(handshake(`ws://${host}/`, host));
  await client.head();
  client.socket.end();
  await off.captureOf(`ws://${host}/`);
  for (const proxy of [on, off]) {
    using asking = await RawClient.connect(playbackOf(proxy).port);
    asking.send(handshake(`ws://${host}/`, host));
    const { status, body } = await asking.response();
    assert.deepEqual([status, body.toString()], [404, '404 Not in Archive\n']);
  }
});
