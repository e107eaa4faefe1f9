/**
 * Addresses that the proxy does not connect to, in all their spellings.
 *
 * Source: spec/warcprox.md §9.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startProxy as startApp } from '../../src/programs/start-proxy.ts';
import { resolveOptions } from '../../src/options/resolve.ts';
import type { WarctapOptions } from '../../src/options/table.ts';
import type { Resolve } from '../../src/fetch/resolver.ts';
import { silentLog } from '../../src/util/log.ts';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const rejected = (why: string): string => refusal('400 Bad Request', `request rejected by warcprox: ${why}`, false);
const LOCALHOST = rejected('localhost access is not permitted (--allow-localhost of the proxy permits it)');
const SPECIAL = rejected('access to link-local and metadata addresses is not permitted (--allow of the proxy permits single ones)');
const ITSELF = rejected('localhost access is not permitted (this is where the proxy itself listens)');

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
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[2002:7f00:1::]',
];
const LINK_LOCAL = [
  '169.254.169.254',
  '[fe80::1]',
  '[febf::1]',
  '[::ffff:169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]',
  '[fd00:ec2::254]',
  '100.100.100.200',
  '168.63.129.16',
  '[::ffff:192.0.0.192]',
];

for (const host of [...LOOPBACK, ...LINK_LOCAL]) {
  test(`${host} may not be reached`, async () => {
    using client = await RawClient.connect(strict.port);
    client.send(get(`http://HOST:${origin.port}/`).replaceAll(/HOST|host/g, host));
    const { head, body } = await client.response();
    assert.equal(head + body.toString(), LINK_LOCAL.includes(host) ? SPECIAL : LOCALHOST);
    const tunnel = await RawClient.tunnel(strict.port, `${host}:${origin.port}`);
    tunnel.send('GET / HTTP/1.1\r\n\r\n');
    const inside = await tunnel.response();
    tunnel[Symbol.dispose]();
    assert.equal(inside.head + inside.body.toString(), LINK_LOCAL.includes(host) ? SPECIAL : LOCALHOST);
    assert.equal(origin.connections, 0);
  });
}

test('what is forbidden is forbidden again, and not taken for a host that failed', async () => {
  using client = await RawClient.connect(strict.port);
  for (let i = 0; i < 2; i++) {
    client.send(get(`http://127.0.0.1:${origin.port}/again`));
    const { head, body } = await client.response();
    assert.equal(head + body.toString(), LOCALHOST);
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
    assert.equal(head + body.toString(), SPECIAL, host);
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
      assert.equal(head + body.toString(), ITSELF, host);
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

/** A proxy that finds what it is told to find. */
async function startResolving(resolve: Resolve, options: WarctapOptions): Promise<AsyncDisposable & { port: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-test-'));
  const own = { dir: join(dir, 'warcs'), cacert: await testCaFile(), certsDir: join(dir, 'certs'), dedupDbFile: '', statsDbFile: '' };
  const proxy = await startApp(resolveOptions({ port: 0, ...own, ...options }), silentLog, { resolve });
  return {
    port: proxy.port,
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await rm(dir, { recursive: true });
    },
  };
}

for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '0.0.0.0', '169.254.169.254', '64:ff9b::7f00:1']) {
  test(`a name that resolves to ${address} may not be reached, plain or in a tunnel`, async () => {
    await using proxy = await startResolving(() => [{ address, family: isIP(address) }], {});
    using client = await RawClient.connect(proxy.port);
    client.send(get(`http://innocent.example:${origin.port}/`));
    const { head, body } = await client.response();
    assert.equal(head + body.toString(), address === '169.254.169.254' ? SPECIAL : LOCALHOST);
    using tunnel = await RawClient.tunnel(proxy.port, `innocent.example:${origin.port}`);
    tunnel.send('GET / HTTP/1.1\r\n\r\n');
    const inside = await tunnel.response();
    assert.equal(inside.head + inside.body.toString(), address === '169.254.169.254' ? SPECIAL : LOCALHOST);
  });
}

test('a name that changes to loopback after it was checked is connected to where it was checked, and refused from then on', async () => {
  await using victim = await startOrigin(({ socket }) => socket.write(ok('secret')));
  const good = createServer((socket) => socket.end(ok('public', 'Connection: close\r\n'))).listen(victim.port, '127.0.0.2');
  await once(good, 'listening');
  const found = [{ address: '127.0.0.2', family: 4 }];
  let lookUps = 0;
  const changing: Resolve = () => {
    if (lookUps++ > 0) return [{ address: '127.0.0.1', family: 4 }];
    // The very list that was checked, changed before the connection is made.
    queueMicrotask(() => found.splice(0, 1, { address: '127.0.0.1', family: 4 }));
    return found;
  };
  await using proxy = await startResolving(changing, { allow: '127.0.0.2' });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`http://rebound.example:${victim.port}/`));
  assert.equal((await client.response()).body.toString(), 'public');
  assert.equal(lookUps, 1);
  client.send(get(`http://rebound.example:${victim.port}/`));
  const { head, body } = await client.response();
  assert.equal(head + body.toString(), LOCALHOST);
  assert.equal(lookUps, 2);
  assert.equal(victim.connections, 0);
  good.close();
});

test('a name with several addresses is not looked up again between check and connection either', async () => {
  await using victim = await startOrigin(({ socket }) => socket.write(ok('secret')));
  const good = createServer((socket) => socket.end(ok('public', 'Connection: close\r\n'))).listen(victim.port, '127.0.0.3');
  await once(good, 'listening');
  let lookUps = 0;
  const found = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 }));
  const changing: Resolve = () => (lookUps++ === 0 ? found('127.0.0.2', '127.0.0.3') : found('127.0.0.1', '127.0.0.1'));
  await using proxy = await startResolving(changing, { allow: ['127.0.0.2/31'] });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`http://rebound.example:${victim.port}/`));
  assert.equal((await client.response()).body.toString(), 'public');
  assert.equal(lookUps, 1);
  assert.equal(victim.connections, 0);
  good.close();
});

test('of a name with several addresses only those are tried that may be reached', async () => {
  await using victim = await startOrigin(({ socket }) => socket.write(ok('secret')));
  const addresses = ['127.0.0.1', '::1', '127.0.0.2'].map((address) => ({ address, family: isIP(address) }));
  await using proxy = await startResolving(() => addresses, { allow: '127.0.0.2' });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`http://mixed.example:${victim.port}/`));
  assert.equal((await client.response()).status, 502);
  assert.equal(victim.connections, 0);
});

test('--allow opens one address, --deny closes one, also through a tunnel', async () => {
  await using opened = await startProxy({ allowLocalhost: false, allow: ['127.0.0.1', '10.0.0.0/8'] });
  await using closed = await startProxy({ deny: ['127.0.0.1'] });
  const denied = rejected('access to this address is not permitted (--deny of the proxy forbids it)');
  for (const [proxy, status] of [
    [opened, 200],
    [closed, 400],
  ] as const) {
    using client = await RawClient.connect(proxy.port);
    using tunnel = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`);
    client.send(get(`http://127.0.0.1:${origin.port}/`));
    tunnel.send('GET / HTTP/1.1\r\n\r\n');
    for (const answer of [await client.response(), await tunnel.response()]) {
      assert.equal(answer.status, status);
      if (status === 400) assert.equal(answer.head + answer.body.toString(), denied);
    }
  }
});

test('a look-up that takes longer than --socket-timeout is given up: 504', async () => {
  await using proxy = await startResolving(() => new Promise(() => undefined), { socketTimeout: 0.2 });
  using client = await RawClient.connect(proxy.port);
  client.send(get('http://lost.example/'));
  const { head, body } = await client.response();
  const line = 'look-up of host name lost.example timed out after 0.2 s';
  assert.equal(head + body.toString(), refusal('504 Gateway Timeout', line, false));
});
