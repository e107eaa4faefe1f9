/**
 * Origins reached by a SOCKS5 proxy: all of them, or .onion hosts only.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';
import { startSocks } from '../support/socks.ts';

test('names arrive unresolved at the SOCKS proxy, and no address is archived', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using socks = await startSocks();
  await using proxy = await startProxy({ socksProxy: `127.0.0.1:${socks.port}` });
  using client = await RawClient.connect(proxy.port);
  for (let i = 0; i < 2; i++) {
    client.send(get(`http://remote.example:${origin.port}/`));
    assert.equal((await client.response()).body.toString(), 'ok');
  }
  assert.deepEqual(socks.asked, [{ type: 'name', destination: `remote.example:${origin.port}` }]);
  await proxy.captured(2);
  const [response] = await proxy.records();
  assert.equal(response?.url, `http://remote.example:${origin.port}/`);
  assert.equal(response.fields.get('warc-ip-address'), undefined);
});

test('addresses are asked for as addresses', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using socks = await startSocks();
  await using proxy = await startProxy({ socksProxy: `127.0.0.1:${socks.port}` });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`http://192.0.2.1:${origin.port}/`));
  assert.equal((await client.response()).status, 200);
  assert.deepEqual(socks.asked, [{ type: 'ipv4', destination: `192.0.2.1:${origin.port}` }]);
});

test('TLS goes through the SOCKS proxy, too', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok('x'.repeat(200_000))), { tls: true });
  await using socks = await startSocks();
  await using proxy = await startProxy({ socksProxy: `127.0.0.1:${socks.port}` });
  using client = await RawClient.tunnel(proxy.port, `remote.example:${origin.port}`, { ca: proxy.ca });
  client.send('GET / HTTP/1.1\r\n\r\n');
  assert.equal((await client.response()).body.length, 200_000);
  assert.deepEqual(socks.asked, [{ type: 'name', destination: `remote.example:${origin.port}` }]);
});

test('user name and password are given to the SOCKS proxy', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using socks = await startSocks('me:secret');
  await using proxy = await startProxy({
    socksProxy: `127.0.0.1:${socks.port}`,
    socksProxyUsername: 'me',
    socksProxyPassword: 'secret',
  });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`http://remote.example:${origin.port}/`));
  assert.equal((await client.response()).status, 200);
  assert.deepEqual(socks.users, ['me:secret']);
});

test('a SOCKS proxy that refuses the password, or cannot connect, or is not there: 502', async () => {
  await using socks = await startSocks('me:secret');
  await using open = await startSocks();
  for (const [options, url] of [
    [{ socksProxy: `127.0.0.1:${socks.port}`, socksProxyUsername: 'me', socksProxyPassword: 'wrong' }, 'http://remote.example/'],
    [{ socksProxy: `127.0.0.1:${open.port}` }, 'http://remote.example:1/'],
    [{ socksProxy: '127.0.0.1:1' }, 'http://remote.example/'],
  ] as const) {
    await using proxy = await startProxy(options);
    using client = await RawClient.connect(proxy.port);
    client.send(get(url));
    const { status, body } = await client.response();
    assert.equal(status, 502);
    assert.match(body.toString(), /^connection to remote\.example:\d+ by SOCKS proxy failed: [^\n]+\n$/);
    assert.doesNotMatch(body.toString(), /wrong/);
    const capture = await proxy.captureOf(url);
    assert.ok(capture.kind === 'failure' && capture.error.code === 'proxy-failed');
  }
});

test('a SOCKS proxy that says nothing: 504', async () => {
  await using silent = await startOrigin(() => undefined);
  await using proxy = await startProxy({ socksProxy: `127.0.0.1:${silent.port}`, socketTimeout: 0.3 });
  using client = await RawClient.connect(proxy.port);
  client.send(get('http://remote.example/'));
  assert.equal((await client.response()).status, 504);
});

test('the proxy for .onion is for .onion only', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using onion = await startSocks();
  await using proxy = await startProxy({ onionTorSocksProxy: `127.0.0.1:${onion.port}` });
  using client = await RawClient.connect(proxy.port);
  for (const host of ['abc.onion', '127.0.0.1', 'onion.localhost']) {
    client.send(get(`http://${host}:${origin.port}/`));
    assert.equal((await client.response()).status, 200);
  }
  assert.deepEqual(onion.asked, [{ type: 'name', destination: `abc.onion:${origin.port}` }]);
  await proxy.captured(3);
  const records = await proxy.records();
  assert.deepEqual(
    records.filter(({ type }) => type !== 'request').map(({ fields }) => fields.get('warc-ip-address')),
    [undefined, '127.0.0.1', '127.0.0.1'],
  );
});

test('with both, .onion goes to its own proxy and the rest to the other', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using onion = await startSocks();
  await using socks = await startSocks();
  await using proxy = await startProxy({ onionTorSocksProxy: `127.0.0.1:${onion.port}`, socksProxy: `127.0.0.1:${socks.port}` });
  using client = await RawClient.connect(proxy.port);
  for (const host of ['abc.onion', 'remote.example']) {
    client.send(get(`http://${host}:${origin.port}/`));
    assert.equal((await client.response()).status, 200);
  }
  assert.deepEqual(
    [onion.asked, socks.asked].map((asked) => asked.map(({ destination }) => destination)),
    [[`abc.onion:${origin.port}`], [`remote.example:${origin.port}`]],
  );
});

test('loopback may not be reached through a SOCKS proxy either', async () => {
  await using socks = await startSocks();
  await using proxy = await startProxy({ socksProxy: `127.0.0.1:${socks.port}`, allowLocalhost: false });
  using client = await RawClient.connect(proxy.port);
  for (const host of [
    '127.0.0.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '169.254.169.254',
    'localhost',
    'x.localhost',
  ]) {
    client.send(get(`http://${host}:9/`));
    assert.equal((await client.response()).status, 400, host);
  }
  assert.deepEqual(socks.asked, []);
});
