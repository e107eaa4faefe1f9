/**
 * CONNECT and what may come after it: TLS with a certificate of ours, plain HTTP, or nonsense.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { checkIdentity } from '../support/identity.ts';
import { ok, okHead, refusal } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';
import { keptLog } from '../support/api.ts';

test('plain HTTP may be spoken in a tunnel', async () => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using proxy = await startProxy();
  using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`);
  for (const path of ['/a', '/b?c']) {
    client.send(`GET ${path} HTTP/1.1\r\nHost: other.example\r\n\r\n`);
    assert.equal((await client.response()).body.toString(), path);
  }
  assert.equal(origin.requests[1]?.bytes.toString(), 'GET /b?c HTTP/1.1\r\nHost: other.example\r\n\r\n');
  await proxy.captured(2);
  assert.deepEqual(
    (await proxy.records()).filter(({ type }) => type === 'response').map(({ url }) => url),
    [`${origin.url}/a`, `${origin.url}/b?c`],
  );
});

test('what comes in the same segment as CONNECT is the first request in the tunnel', async () => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`CONNECT 127.0.0.1:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\nGET /early HTTP/1.1\r\n\r\n`);
  assert.equal(await client.head(), 'HTTP/1.1 200 Connection established\r\n\r\n');
  assert.equal((await client.response()).body.toString(), '/early');
  assert.equal(origin.requests[0]?.bytes.toString(), `GET /early HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`);
});

test('CONNECT may follow other requests on its connection', async () => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(
    `GET ${origin.url}/first HTTP/1.1\r\n\r\nCONNECT 127.0.0.1:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\nGET /second HTTP/1.1\r\n\r\n`,
  );
  assert.equal((await client.response()).body.toString(), '/first');
  assert.equal(await client.head(), 'HTTP/1.1 200 Connection established\r\n\r\n');
  assert.equal((await client.response()).body.toString(), '/second');
});

test('CONNECT to an IPv6 address in brackets, with a certificate for that address', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()), { tls: true, address: '::1' });
  await using proxy = await startProxy();
  using client = await RawClient.tunnel(proxy.port, `[::1]:${origin.port}`, { ca: proxy.ca });
  const certificate = tlsOf(client.socket).getPeerX509Certificate();
  assert.equal(certificate?.subjectAltName, 'IP Address:0:0:0:0:0:0:0:1');
  client.send('GET / HTTP/1.1\r\n\r\n');
  assert.equal(await client.head(), okHead());
  await proxy.captured(1);
  assert.equal((await proxy.records())[0]?.url, `https://[::1]:${origin.port}/`);
});

test('the client gets a certificate for the name in its SNI, and the origin gets that name', async () => {
  const names: unknown[] = [];
  await using origin = await startOrigin(
    ({ socket }) => {
      names.push(nameAskedFor(socket));
      socket.write(ok());
    },
    { tls: true },
  );
  await using proxy = await startProxy();
  using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca, servername: 'front.example.org' });
  client.send('GET / HTTP/1.1\r\nHost: back.example.org\r\n\r\n');
  assert.equal((await client.response()).status, 200);
  assert.deepEqual(names, ['front.example.org']);
  await proxy.captured(1);
  assert.equal((await proxy.records())[0]?.url, `https://127.0.0.1:${origin.port}/`);
});

test('the origin of a name is asked for that name in SNI, and connections of other names are not used for it', async () => {
  const names: unknown[] = [];
  await using origin = await startOrigin(
    ({ socket }) => {
      names.push(nameAskedFor(socket));
      socket.write(ok());
    },
    { tls: true },
  );
  await using proxy = await startProxy();
  for (const servername of ['a.example.org', 'b.example.org', 'a.example.org']) {
    using client = await RawClient.tunnel(proxy.port, `localhost:${origin.port}`, { ca: proxy.ca, servername });
    client.send('GET / HTTP/1.1\r\n\r\n');
    await client.response();
  }
  using client = await RawClient.tunnel(proxy.port, `localhost:${origin.port}`, { ca: proxy.ca, servername: 'localhost' });
  client.send('GET / HTTP/1.1\r\n\r\n');
  await client.response();
  assert.deepEqual(names, ['a.example.org', 'b.example.org', 'a.example.org', 'localhost']);
  assert.equal(origin.connections, 3);
});

for (const [what, bytes] of [
  ['garbage after the first byte of TLS', Buffer.from('\x16\x03\x01\x00\x05garbage and more garbage', 'latin1')],
  ['what is neither TLS nor HTTP', Buffer.from('\x15\x03\x01\x00\x02\x02(\r\n\r\n', 'latin1')],
] as const) {
  test(`${what} ends the tunnel, and the proxy goes on`, async () => {
    await using origin = await startOrigin(({ socket }) => socket.write(ok()), { tls: true });
    await using proxy = await startProxy();
    using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`);
    client.send(bytes);
    await client.rest();
    using other = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca });
    other.send('GET / HTTP/1.1\r\n\r\n');
    assert.equal((await other.response()).status, 200);
    assert.equal(origin.connections, 1);
  });
}

for (const how of ['end', 'resetAndDestroy'] as const) {
  for (const [when, bytes] of [
    ['before TLS', ''],
    ['within ClientHello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc'],
  ] as const) {
    test(`a client that leaves ${when} (${how}) harms nobody`, async () => {
      await using origin = await startOrigin(({ socket }) => socket.write(ok()), { tls: true });
      await using proxy = await startProxy();
      for (let i = 0; i < 20; i++) {
        using client = await RawClient.connect(proxy.port);
        client.send(`CONNECT host${i}.example:443 HTTP/1.1\r\nHost: x\r\n\r\n`);
        await client.head();
        if (bytes !== '') await new Promise((resolve) => client.socket.write(bytes, 'latin1', resolve));
        client.socket[how]();
        if (!client.socket.closed) await once(client.socket, 'close');
      }
      using other = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca });
      other.send('GET / HTTP/1.1\r\n\r\n');
      assert.equal((await other.response()).status, 200);
    });
  }
}

for (const [what, request, reason] of [
  [
    'CONNECT without a port',
    'CONNECT 127.0.0.1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT target not understood, expected host:port: "127.0.0.1"',
  ],
  ['CONNECT to port 0', 'CONNECT 127.0.0.1:0 HTTP/1.1\r\nHost: x\r\n\r\n', 'port not understood, expected 1 to 65535: "127.0.0.1:0"'],
  [
    'CONNECT to a URL',
    'CONNECT http://127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'host not understood, expected host or host:port: "http://127.0.0.1:1"',
  ],
  ['CONNECT with a body', 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx', 'CONNECT with a body: "127.0.0.1:1"'],
] as const) {
  test(`${what} is refused`, async () => {
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(request);
    assert.equal((await client.rest()).toString(), refusal('400 Bad Request', reason));
  });
}

test('CONNECT in a tunnel is refused', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`);
  client.send('CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await client.rest()).toString(), refusal('400 Bad Request', 'CONNECT inside of a tunnel: "127.0.0.1:1"'));
  assert.equal(origin.connections, 0);
});

test('the absolute form in a tunnel is taken for the same origin', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()), { tls: true });
  await using proxy = await startProxy();
  using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca });
  client.send(`GET ${origin.url}/x HTTP/1.1\r\n\r\n`);
  assert.equal((await client.response()).status, 200);
  assert.equal(origin.requests[0]?.bytes.toString(), `GET /x HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`);
});

for (const [offered, spoken] of [
  [undefined, false],
  [['http/1.1'], 'http/1.1'],
  [['http/1.0'], 'http/1.0'],
  [['http/1.0', 'http/1.1'], 'http/1.1'],
] as const) {
  test(`a client that offers ${offered?.join(' and ') ?? 'nothing'} in ALPN speaks ${spoken || 'HTTP/1'}`, async () => {
    await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)), { tls: true });
    await using proxy = await startProxy();
    using outer = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`);
    const inner = inside(outer, proxy.ca, offered);
    await once(inner, 'secureConnect');
    assert.equal(inner.alpnProtocol, spoken);
    inner.write(`GET /x HTTP/1.${spoken === 'http/1.0' ? 0 : 1}\r\nHost: x\r\nConnection: close\r\n\r\n`);
    let text = '';
    for await (const piece of inner) text += String(piece);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\/x$/);
  });
}

for (const [offered, http2] of [
  [['h2'], 'off'],
  [['h3', 'x'], 'auto'],
] as const) {
  test(`a client that offers ${offered.join(' and ')} alone in ALPN is told that nobody speaks it, with --http2 ${http2}`, async () => {
    await using proxy = await startProxy({ http2 });
    using outer = await RawClient.tunnel(proxy.port, '127.0.0.1:9');
    const [error] = (await once(inside(outer, proxy.ca, offered), 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });
}

for (const target of ['http://127.0.0.1:PORT/', 'https://example.org/', '/status HTTP/1.1\r\nX: ', '*']) {
  test(`in a tunnel ${target.split(' ')[0] ?? ''} does not reach another origin or the proxy's own pages`, async () => {
    await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)), { tls: true });
    await using proxy = await startProxy();
    using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca });
    client.send(`GET ${target.replace('PORT', String(origin.port))} HTTP/1.1\r\n\r\n`);
    const { status, body } = await client.response();
    if (target.startsWith('/')) assert.equal(body.toString(), '/status');
    else assert.equal(status, 400);
    assert.equal(origin.requests.length, target.startsWith('/') ? 1 : 0);
  });
}

test('a tunnel in which nothing comes is closed after the idle time-out', async () => {
  await using proxy = await startProxy({ socketTimeout: 0.2 });
  using client = await RawClient.tunnel(proxy.port, '127.0.0.1:9');
  assert.equal((await client.rest()).length, 0);
  using hello = await RawClient.tunnel(proxy.port, '127.0.0.1:9');
  hello.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc');
  assert.equal((await hello.rest()).length, 0);
});

/** TLS of a client in a tunnel that is open. */
function inside({ socket }: RawClient, ca: string, offered: readonly string[] | undefined): TLSSocket {
  socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
  return connectTls({ socket, ca, checkServerIdentity: checkIdentity, host: '127.0.0.1', ...(offered && { ALPNProtocols: [...offered] }) });
}

function tlsOf(socket: Socket): TLSSocket {
  assert.ok(socket instanceof TLSSocket);
  return socket;
}

/** The name in SNI; node:tls has it, but not in its types. */
function nameAskedFor(socket: Socket): unknown {
  return Reflect.get(tlsOf(socket), 'servername');
}

for (const scheme of ['http', 'https'] as const) {
  test(`the log has the whole URL of what failed in a tunnel (${scheme})`, async () => {
    await using origin = await startOrigin(({ socket }) => socket.destroy(), { tls: scheme === 'https' });
    const log = keptLog();
    await using proxy = await startProxy({ log });
    using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, scheme === 'https' ? { ca: proxy.ca } : undefined);
    client.send('GET /a?b=c HTTP/1.1\r\nHost: other.example\r\n\r\n');
    assert.equal((await client.response()).status, 502);
    assert.match(await log.line('without an answer'), new RegExp(`"url":"${scheme}://127\\.0\\.0\\.1:${origin.port}/a\\?b=c"`));
  });
}
