/**
 * WebSockets through the proxy: what clients and origins of others see, and what stands in the WARC files.
 *
 * Source: RFC 6455; ISO 28500:2017 §5.7.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startProxy } from '../support/proxy.ts';
import { logLines, messagesIn, openThrough, startSocketOrigin } from '../support/websocket.ts';

for (const tls of [false, true]) {
  test(`${tls ? 'wss' : 'ws'}: messages go both ways, and three records say what was said`, async () => {
    await using origin = await startSocketOrigin(
      (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
        socket.on('close', () => undefined);
      },
      { tls },
    );
    await using proxy = await startProxy();
    const url = `${origin.url}/chat?room=1`;
    const client = await openThrough(proxy, url);
    client.send('Grüße');
    assert.equal(String((await once(client, 'message'))[0]), 'Grüße');
    client.send(Buffer.from([0, 1, 0xff]));
    assert.deepEqual((await once(client, 'message'))[0], Buffer.from([0, 1, 0xff]));
    client.ping('are you there');
    assert.equal(String((await once(client, 'pong'))[0]), 'are you there');
    client.close(1000, 'enough');
    assert.equal((await once(client, 'close'))[0], 1000);
    const capture = await proxy.captureOf(url);
    assert.equal(capture.kind, 'websocket');
    const records = await proxy.records();
    assert.deepEqual(
      records.map((record) => record.type),
      ['resource', 'response', 'request'],
    );
    const [messages, response, request] = records;
    assert.deepEqual(new Set(records.map((record) => record.url)), new Set([url]));
    assert.equal(messages?.fields.get('content-type'), 'application/jsonl');
    assert.equal(messages.fields.get('warc-resource-type'), 'websocket');
    assert.equal(messages.fields.get('warc-truncated'), undefined);
    assert.match(response?.block.toString() ?? '', /^HTTP\/1\.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n/);
    assert.match(request?.block.toString() ?? '', /^GET \/chat\?room=1 HTTP\/1\.1\r\n[^]*Upgrade: websocket\r\n[^]*\r\n\r\n$/);
    assert.deepEqual(messagesIn(messages), [
      'sent 1 Grüße',
      'received 1 Grüße',
      'sent 2 AAH/',
      'received 2 AAH/',
      'sent 9 are you there',
      'received 10 are you there',
      'sent 8 enough',
      'received 8 enough',
      'closed 1000 by client',
    ]);
    const lines = logLines(messages);
    assert.deepEqual(
      lines.slice(0, -1).map(({ mask }) => mask),
      [true, false, true, false, true, false, true, false],
    );
    const times = lines.map(({ ts }) => ts);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
  });
}
