/**
 * What stands between a client and an origin that speak WebSocket: bytes on the wire, and what becomes of the record when it does not end well.
 *
 * Source: RFC 6455 §4, §7; RFC 9110 §7.8.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startOrigin, type Origin, type OriginOptions, type OriginRequest } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';
import { closing, handshake, logLines, messagesIn, openThrough, rawFrame, startSocketOrigin, switching } from '../support/websocket.ts';

/** An origin that says 101, and then what it is told to. */
function switchingOrigin(then: (request: OriginRequest) => unknown, options: OriginOptions = {}): Promise<Origin> {
  return startOrigin((request) => {
    request.socket.allowHalfOpen = true;
    return then(request);
  }, options);
}

const wsUrl = ({ port }: Origin, path = '/') => `ws://127.0.0.1:${port}${path}`;
const text = (payload: string, mask = false) => rawFrame(1, payload, { mask });
const farewell = Buffer.concat([rawFrame(8, closing(1000))]);

for (const form of ['an http URL', 'a ws URL', 'a tunnel', 'TLS in a tunnel'] as const) {
  test(`the handshake comes by ${form}: head and bytes reach the other side as they are, however early`, async () => {
    const noise = randomBytes(300_000);
    await using origin = await switchingOrigin(
      ({ socket }) => {
        socket.write(Buffer.concat([Buffer.from(switching('X-Own: 1\r\n')), noise]));
        socket.on('end', () => socket.end());
      },
      { tls: form === 'TLS in a tunnel' },
    );
    await using proxy = await startProxy();
    const host = `127.0.0.1:${origin.port}`;
    const inTunnel = form === 'a tunnel' || form === 'TLS in a tunnel';
    using client = inTunnel
      ? await RawClient.tunnel(proxy.port, host, form === 'a tunnel' ? undefined : { ca: proxy.ca })
      : await RawClient.connect(proxy.port);
    const target = inTunnel ? '/x' : form === 'a ws URL' ? `ws://${host}/x` : `http://${host}/x`;
    client.send(Buffer.concat([Buffer.from(handshake(target, host)), Buffer.from('early, and no frame')]));
    assert.equal(await client.head(), switching('X-Own: 1\r\n'));
    assert.deepEqual(await client.bytes(noise.length), noise);
    client.socket.end();
    await client.rest();
    const url = `${form === 'TLS in a tunnel' ? 'wss' : 'ws'}://${host}/x`;
    const capture = await proxy.captureOf(url);
    assert.ok(capture.kind === 'websocket');
    assert.equal(capture.receivedBytes, noise.length);
    assert.equal(origin.requests[0]?.bytes.toString(), handshake('/x', host));
    const [messages, response, request] = await proxy.records();
    assert.equal(request?.block.toString(), handshake('/x', host));
    assert.equal(response?.block.toString(), switching('X-Own: 1\r\n'));
    assert.equal(messages?.fields.get('warc-truncated'), 'unspecified');
    assert.match(logLines(messages).at(-1)?.error ?? '', /./);
  });
}

test('one side that has ended still hears the other', async () => {
  await using origin = await switchingOrigin(({ socket }) => {
    socket.write(switching());
    socket.on('end', () => socket.end(text('the last word')));
  });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`));
  await client.head();
  client.socket.end(text('enough', true));
  assert.deepEqual(await client.rest(), text('the last word'));
  await proxy.captureOf(wsUrl(origin));
  const [messages] = await proxy.records();
  assert.deepEqual(messagesIn(messages), ['sent 1 enough', 'received 1 the last word', 'closed 1006 by client, not clean']);
});

test('an origin that ends first still hears its client', async () => {
  const heard: Buffer[] = [];
  await using origin = await switchingOrigin(({ socket }) => {
    socket.on('data', (bytes: Buffer) => heard.push(bytes));
    socket.end(switching());
  });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`));
  await client.rest();
  client.socket.end(text('wait', true));
  await proxy.captureOf(wsUrl(origin));
  assert.deepEqual(Buffer.concat(heard), text('wait', true));
  const [messages] = await proxy.records();
  assert.deepEqual(messagesIn(messages), ['sent 1 wait', 'closed 1006 by origin, not clean']);
});

for (const by of ['client', 'origin'] as const) {
  test(`the ${by} breaks off: so does the other side, and what has come is kept`, async () => {
    await using origin = await switchingOrigin(({ socket }) => {
      socket.write(switching());
      socket.write(text('hello'));
      if (by === 'origin') socket.on('data', () => socket.resetAndDestroy());
    });
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`));
    await client.head();
    await client.bytes(7);
    if (by === 'client') client.socket.resetAndDestroy();
    else client.send(text('x', true));
    await client.rest();
    await proxy.captureOf(wsUrl(origin));
    const [messages] = await proxy.records();
    const said = messagesIn(messages);
    assert.equal(said[0], 'received 1 hello');
    assert.equal(said.at(-1), `closed 1006 by ${by}, not clean`);
  });
}

describe('what is no WebSocket', () => {
  for (const [what, head] of [
    ['another protocol', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'],
    ['an Upgrade that Connection does not name', 'Connection: keep-alive\r\nUpgrade: websocket\r\n'],
  ] as const) {
    test(`${what} is sent on without its Upgrade, as an http request`, async () => {
      await using origin = await startOrigin(({ socket }) => socket.write(ok()));
      await using proxy = await startProxy();
      using client = await RawClient.connect(proxy.port);
      client.send(get(`${origin.url}/`, head));
      assert.equal((await client.response()).status, 200);
      assert.doesNotMatch(origin.requests[0]?.bytes.toString() ?? '', /upgrade/i);
      await proxy.captureOf(`${origin.url}/`);
    });
  }

  for (const [what, change] of [
    ['POST', (head: string) => head.replace('GET', 'POST')],
    ['HTTP/1.0', (head: string) => head.replace('HTTP/1.1', 'HTTP/1.0')],
  ] as const) {
    test(`the same by ${what}`, async () => {
      await using origin = await startOrigin(({ socket }) => socket.end(ok()));
      await using proxy = await startProxy();
      using client = await RawClient.connect(proxy.port);
      client.send(change(handshake(`${origin.url}/`, `127.0.0.1:${origin.port}`)));
      assert.equal((await client.response()).status, 200);
      assert.doesNotMatch(origin.requests[0]?.bytes.toString() ?? '', /upgrade: /i);
    });
  }

  test('a ws URL without a handshake is malformed', async () => {
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(get('ws://127.0.0.1:9/'));
    assert.equal((await client.response()).status, 400);
  });

  test('more protocols than WebSocket: only that one is asked for', async () => {
    await using origin = await switchingOrigin(({ socket }) => socket.end(switching()));
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    const host = `127.0.0.1:${origin.port}`;
    const asked = handshake(wsUrl(origin), host).replace(
      'Upgrade: websocket\r\nConnection: Upgrade',
      'Upgrade: h2c, WebSocket\r\nConnection: keep-alive, Upgrade, X\r\nX: y',
    );
    client.send(asked);
    await client.head();
    assert.equal(origin.requests[0]?.bytes.toString(), handshake('/', host));
  });
});

describe('answers to a handshake', () => {
  test('no 101: an answer as any other, under the ws URL', async () => {
    const answer = 'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 2\r\n\r\nno';
    await using origin = await startOrigin(({ path, socket }) => socket.write(path === '/' ? answer : ok()));
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`) + get(`${origin.url}/next`));
    assert.equal((await client.response()).status, 426);
    assert.equal((await client.response()).status, 200);
    await proxy.captured(2);
    const [response, request] = await proxy.records();
    assert.deepEqual([response?.type, response?.url, request?.type], ['response', wsUrl(origin), 'request']);
    assert.equal(response?.block.toString(), answer);
    assert.match(request?.block.toString() ?? '', /Upgrade: websocket/);
  });

  test('a wrong Sec-WebSocket-Accept is for the client to see', async () => {
    const wrong = switching().replace(/Accept: .*/, 'Accept: bm9uc2Vuc2U=');
    await using origin = await switchingOrigin(({ socket }) => {
      socket.once('end', () => socket.end());
      socket.write(wrong);
    });
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`));
    assert.equal(await client.head(), wrong);
    client.socket.destroy();
    await proxy.captureOf(wsUrl(origin));
  });

  for (const fields of ['', 'Upgrade: h2c\r\nConnection: Upgrade\r\n']) {
    test(`101 with ${fields === '' ? 'no Upgrade' : 'another one'} is no answer`, async () => {
      await using origin = await startOrigin(({ socket }) => socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`));
      await using proxy = await startProxy();
      using client = await RawClient.connect(proxy.port);
      client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`));
      const { status, body } = await client.response();
      assert.deepEqual([status, body.toString()], [502, 'invalid response: 101 Switching Protocols without "Upgrade: websocket"\n']);
      assert.equal((await proxy.captureOf(wsUrl(origin))).kind, 'failure');
    });
  }
});

describe('the gate', () => {
  test('--websocket refuse: 403, nothing is sent, nothing recorded; other requests go on', async () => {
    await using origin = await startOrigin(({ socket }) => socket.write(ok()));
    await using proxy = await startProxy({ websocket: 'refuse' });
    using client = await RawClient.connect(proxy.port);
    client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`));
    const line = 'request rejected by warcprox: WebSockets are refused (--websocket of the proxy says so)';
    assert.equal((await client.rest()).toString(), refusal('403 Forbidden', line));
    using other = await RawClient.connect(proxy.port);
    other.send(get(`${origin.url}/`));
    assert.equal((await other.response()).status, 200);
    await proxy.captured(1);
    assert.equal(origin.requests.length, 1);
    assert.deepEqual(
      (await proxy.records()).map(({ url }) => url),
      [`${origin.url}/`, `${origin.url}/`],
    );
  });

  test('a rule for the http URL blocks the WebSocket, too', async () => {
    await using origin = await startOrigin(() => undefined);
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    const meta = JSON.stringify({ blocks: [{ regex: `^http://127\\.0\\.0\\.1:${origin.port}/private.*` }] });
    client.send(handshake(wsUrl(origin, '/private/x'), `127.0.0.1:${origin.port}`, `Warcprox-Meta: ${meta}\r\n`));
    assert.equal((await client.response()).status, 403);
    assert.equal(origin.requests.length, 0);
  });

  test('its bytes are counted, so that a limit is reached', async () => {
    await using origin = await switchingOrigin(({ socket }) =>
      socket.end(Buffer.concat([Buffer.from(switching()), text('x'.repeat(5000)), farewell])),
    );
    await using proxy = await startProxy();
    const meta = JSON.stringify({ stats: { buckets: ['b'] }, limits: { 'b/new/wire_bytes': 5000 } });
    const host = `127.0.0.1:${origin.port}`;
    for (const status of [101, 420]) {
      using client = await RawClient.connect(proxy.port);
      client.send(handshake(wsUrl(origin), host, `Warcprox-Meta: ${meta}\r\n`));
      assert.equal((await client.response()).status, status);
      client.socket.end();
      await client.rest();
      await proxy.captured(1);
    }
    assert.equal(origin.requests.length, 1);
    assert.doesNotMatch(origin.requests[0]?.bytes.toString() ?? '', /warcprox/i);
  });

  test('what the client wants to know of the capture stands in the 101', async () => {
    await using origin = await switchingOrigin(({ socket }) => socket.end(switching()));
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    const meta = JSON.stringify({ accept: ['capture-metadata'] });
    client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`, `Warcprox-Meta: ${meta}\r\n`));
    const head = await client.head();
    const { timestamp } = (JSON.parse(/Warcprox-Meta: (.*)/.exec(head)?.[1] ?? '') as { 'capture-metadata': { timestamp: string } })[
      'capture-metadata'
    ];
    client.socket.end();
    await proxy.captureOf(wsUrl(origin));
    assert.deepEqual(
      (await proxy.records()).map(({ fields }) => fields.get('warc-date')),
      [timestamp, timestamp, timestamp],
    );
  });
});

describe('bounds', () => {
  test('half of --max-threads may be WebSockets: more are answered 503, and others have room', async () => {
    await using origin = await startSocketOrigin(() => undefined);
    await using plain = await startOrigin(({ socket }) => socket.write(ok()));
    await using proxy = await startProxy({ maxThreads: 3 });
    const open = [await openThrough(proxy, `${origin.url}/1`), await openThrough(proxy, `${origin.url}/2`)];
    using third = await RawClient.connect(proxy.port);
    third.send(handshake(`${origin.url}/3`, `127.0.0.1:${origin.port}`) + get(`${plain.url}/`));
    const refused = await third.response();
    assert.deepEqual([refused.status, refused.body.toString()], [503, 'as many WebSockets are open as may be (half of --max-threads)\n']);
    assert.equal((await third.response()).status, 200);
    open[0]?.close();
    await proxy.captureOf(`${origin.url}/1`);
    (await openThrough(proxy, `${origin.url}/4`)).terminate();
    open[1]?.terminate();
    await proxy.captured(4);
  });

  test('--websocket-max-size: the log stops and says so, the messages go on, and how it ended is told', async () => {
    await using origin = await startSocketOrigin((socket) => socket.on('message', (data) => socket.send(data)));
    await using proxy = await startProxy({ websocketMaxSize: 1000 });
    const client = await openThrough(proxy, `${origin.url}/`);
    for (let i = 0; i < 10; i++) {
      client.send(`${i}${'x'.repeat(200)}`);
      assert.equal(String((await once(client, 'message'))[0]).length, 201);
    }
    client.close(4321);
    await proxy.captureOf(`${origin.url}/`);
    const [messages] = await proxy.records();
    assert.equal(messages?.fields.get('warc-truncated'), 'length');
    const lines = logLines(messages);
    assert.ok(messages.block.length < 1200 && lines.length === 4, String(messages.block.length));
    assert.deepEqual([lines.at(-1)?.type, lines.at(-1)?.code, lines.at(-1)?.by], ['closed', 4321, 'client']);
  });

  test('the idle time-out does not end it; --fetch-timeout does, when nothing passes for so long', async () => {
    await using origin = await startSocketOrigin((socket) => {
      // Five times within the one time limit, none within the other.
      let pings = 0;
      const timer = setInterval(() => (++pings < 5 ? socket.ping() : clearInterval(timer)), 400);
      socket.on('close', () => clearInterval(timer));
    });
    await using proxy = await startProxy({ socketTimeout: 0.2, fetchTimeout: 1 });
    const client = await openThrough(proxy, `${origin.url}/`);
    assert.equal((await once(client, 'close'))[0], 1006);
    await proxy.captureOf(`${origin.url}/`);
    const [messages] = await proxy.records();
    assert.equal(messages?.fields.get('warc-truncated'), 'time');
    const said = messagesIn(messages);
    assert.equal(said.filter((line) => line === 'received 9 ').length, 4);
    assert.equal(said.at(-1), 'closed 1006 by proxy, not clean');
  });

  test('the proxy stops in the middle: what has passed is kept, and marked', async () => {
    await using origin = await startSocketOrigin((socket) => socket.send('hello'));
    await using proxy = await startProxy();
    const clients = await Promise.all(Array.from({ length: 5 }, (_, i) => openThrough(proxy, `${origin.url}/${i}`)));
    const closed = clients.map((client) => once(client, 'close'));
    for (const client of clients) client.send('bye');
    const records = await proxy.records();
    for (const [code] of await Promise.all(closed)) assert.equal(code, 1006);
    assert.equal(records.length, 15);
    for (const record of records.filter(({ type }) => type === 'resource')) {
      assert.equal(record.fields.get('warc-truncated'), 'disconnect');
      assert.equal(messagesIn(record).at(-1), 'closed 1006 by proxy, not clean');
    }
  });
});

test('it has a line in the crawl log when it has ended: status, bytes, type, and where its messages are', async () => {
  await using origin = await switchingOrigin(({ socket }) => socket.end(Buffer.concat([Buffer.from(switching()), text('hello')])));
  await using dirs = await startProxy();
  const crawlLogDir = join(dirs.dir, 'logs');
  await using proxy = await startProxy({ crawlLogDir });
  using client = await RawClient.connect(proxy.port);
  client.send(handshake(wsUrl(origin), `127.0.0.1:${origin.port}`));
  await client.head();
  client.socket.end();
  await client.rest();
  await proxy.captureOf(wsUrl(origin));
  const [messages] = await proxy.records();
  const [name = ''] = await readdir(crawlLogDir);
  const fields = (await readFile(join(crawlLogDir, name), 'utf8')).trim().split(/ +/);
  assert.deepEqual(fields.slice(1, 4), ['101', '7', wsUrl(origin)]);
  assert.equal(fields[6], 'application/jsonl');
  assert.equal(fields[9], messages?.fields.get('warc-block-digest'));
  assert.match(fields[12] ?? '', /"warcFileOffset":\d+/);
});
