/**
 * Addresses that the proxy does not connect to, in all their spellings.
 *
 * Source: spec/warcprox.md §9.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const FORBIDDEN = refusal('400 Bad Request', 'request rejected by warcprox: localhost access is not permitted', false);

let origin: Origin;
let strict: TestProxy;
before(async () => {
  origin = await startOrigin(({ socket }) => socket.write(ok()));
  strict = await startProxy({ allowLocalhost: false });
});
after(async () => {
  await origin[Symbol.asyncDispose]();
  await strict[Symbol.asyncDispose]();
});

const LOOPBACK = [
  'localhost',
  'LOCALHOST',
  'localhost.',
  'x.localhost',
  'a.b.localhost.',
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.255.255.254',
  '0.0.0.0',
  '0',
  '0.1.2.3',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '%31%32%37.0.0.1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:0.0.0.0]',
];
const LINK_LOCAL = ['169.254.169.254', '[fe80::1]', '[febf::1]', '[::ffff:169.254.169.254]'];

for (const host of [...LOOPBACK, ...LINK_LOCAL]) {
  test(`${host} may not be reached`, async () => {
    using client = await RawClient.connect(strict.port);
    client.send(get(`http://HOST:${origin.port}/`).replaceAll(/HOST|host/g, host));
    const { head, body } = await client.response();
    assert.equal(head + body.toString(), FORBIDDEN);
    const tunnel = await RawClient.tunnel(strict.port, `${host}:${origin.port}`);
    tunnel.send('GET / HTTP/1.1\r\n\r\n');
    const inside = await tunnel.response();
    tunnel[Symbol.dispose]();
    assert.equal(inside.head + inside.body.toString(), FORBIDDEN);
    assert.equal(origin.connections, 0);
  });
}

test('what is forbidden is forbidden again, and not taken for a host that failed', async () => {
  using client = await RawClient.connect(strict.port);
  for (let i = 0; i < 2; i++) {
    client.send(get(`http://127.0.0.1:${origin.port}/again`));
    const { head, body } = await client.response();
    assert.equal(head + body.toString(), FORBIDDEN);
  }
  const capture = await strict.captureOf(`http://127.0.0.1:${origin.port}/again`);
  assert.ok(capture.kind === 'failure' && capture.error.code === 'forbidden-address' && capture.status === 400);
});

test('link-local stays forbidden where loopback is allowed', async () => {
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  for (const host of LINK_LOCAL) {
    client.send(get(`http://${host}:${origin.port}/`));
    const { head, body } = await client.response();
    assert.equal(head + body.toString(), FORBIDDEN, host);
  }
});

for (const address of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
  test(`a proxy that listens on ${address} does not connect to itself, even where loopback is allowed`, async () => {
    await using proxy = await startProxy({ address });
    using client = await RawClient.connect(proxy.port, address.includes(':') ? '::1' : '127.0.0.1');
    const own = {
      '127.0.0.1': ['127.0.0.1', '127.1', '0.0.0.0', '[::ffff:127.0.0.1]', '[::ffff:0.0.0.0]'],
      '::1': ['[::1]', '[::]'],
      '0.0.0.0': ['127.0.0.1', '127.9.9.9', '0.0.0.0', '[::ffff:127.0.0.1]'],
      '::': ['127.0.0.1', '0.0.0.0', '[::1]', '[::]', '[::ffff:127.0.0.1]', 'localhost'],
    }[address];
    for (const host of own ?? []) {
      client.send(`GET http://${host}:${proxy.port}/status HTTP/1.1\r\nHost: ${host}:${proxy.port}\r\n\r\n`);
      const { head, body } = await client.response();
      assert.equal(head + body.toString(), FORBIDDEN, host);
    }
  });
}

test('allowed loopback is reached by name and by address', async () => {
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  for (const host of ['localhost', 'x.localhost', '127.0.0.1', '127.1', '0.0.0.0']) {
    client.send(get(`http://${host}:${origin.port}/`));
    assert.equal((await client.response()).status, 200, host);
  }
});
