/** Making connections: which address of several, what is remembered, how long. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { addressRules } from '../../src/fetch/address-rules.ts';
import { Connector, type ConnectorOptions } from '../../src/fetch/connector.ts';
import { originKey, type Origin } from '../../src/fetch/origin.ts';
import { FetchError } from '../../src/http/fetch-error.ts';
import { startSocks } from '../support/socks.ts';

let server: Server;
let port = 0;
before(async () => {
  server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
after(() => server.close());

const v4 = (address: string) => ({ address, family: 4 });
const v6 = (address: string) => ({ address, family: 6 });

function newConnector(options: Partial<ConnectorOptions>): Connector {
  return new Connector({
    resolve: () => [v4('127.0.0.1')],
    rules: addressRules({ allowLocalhost: true, listening: () => [] }),
    secureContext: createSecureContext(),
    timeoutMs: 1000,
    onSecured: () => undefined,
    onFault: (error) => assert.fail(String(error)),
    ...options,
  });
}

const origin = (host = 'a.example'): Origin => ({ scheme: 'http', host, port });

test('of several addresses one that answers is taken', async () => {
  for (const addresses of [
    [v6('::1'), v4('127.0.0.1')],
    [v4('127.0.0.1'), v6('::1')],
    [v4('127.0.0.3'), v4('127.0.0.2'), v4('127.0.0.1')],
  ]) {
    const connection = await newConnector({ resolve: () => addresses }).connect(origin());
    assert.equal(connection.ipAddress, '127.0.0.1');
    connection.destroy();
  }
});

test('when none of several addresses answers, the reason names them', async () => {
  const connecting = newConnector({ resolve: () => [v4('127.0.0.2'), v4('127.0.0.3')] }).connect(origin());
  await assert.rejects(connecting, { code: 'not-connected', message: /ECONNREFUSED 127\.0\.0\.2:\d+; .*ECONNREFUSED 127\.0\.0\.3:\d+$/ });
});

test('of several addresses only those that are allowed are connected to', async () => {
  const asked: string[] = [];
  const rules = { refuse: (address: string) => (asked.push(address), address === '127.0.0.1' ? undefined : 'no') };
  const connection = await newConnector({ rules, resolve: () => [v4('127.0.0.2'), v6('::1'), v4('127.0.0.1')] }).connect(origin());
  assert.equal(connection.ipAddress, '127.0.0.1');
  assert.deepEqual(asked, ['127.0.0.2', '::1', '127.0.0.1']);
  connection.destroy();
});

test('the address is checked again at each connection, and what was forbidden is not remembered', async () => {
  let address = '127.0.0.1';
  const connector = newConnector({ rules: addressRules({ allowLocalhost: false, listening: () => [] }), resolve: () => [v4(address)] });
  for (let i = 0; i < 2; i++) await assert.rejects(connector.connect(origin()), { code: 'forbidden-address', status: 400 });
  address = '169.254.169.254';
  await assert.rejects(connector.connect(origin()), { code: 'forbidden-address' });
});

test('a name without any address is not resolved', async () => {
  await assert.rejects(newConnector({ resolve: () => [] }).connect(origin()), { code: 'not-resolved', status: 502 });
});

test('a failure is remembered for its host and port, for all schemes, and for nothing else', async () => {
  let asked = 0;
  const connector = newConnector({
    resolve: (host) => {
      asked++;
      if (host === 'bad.example') throw new FetchError('not-resolved', 'never heard of it');
      return [v4('127.0.0.1')];
    },
  });
  await assert.rejects(connector.connect(origin('bad.example')), { code: 'not-resolved' });
  await assert.rejects(connector.connect(origin('bad.example')), { code: 'failed-before', status: 502 });
  await assert.rejects(connector.connect({ ...origin('bad.example'), scheme: 'https' }), { code: 'failed-before' });
  assert.equal(asked, 1);
  await assert.rejects(connector.connect({ ...origin('bad.example'), port: 1 }), { code: 'not-resolved' });
  const connection = await connector.connect(origin('good.example'));
  connection.destroy();
  assert.equal(asked, 3);
});

test('what this machine is out of is remembered of no origin', async () => {
  const outOf = (code: string) => Object.assign(new Error(`no more: ${code}`), { code });
  const failures = [
    new FetchError('not-resolved', 'not resolved', { cause: outOf('EMFILE') }),
    ...['ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'EAGAIN'].map(outOf),
    new AggregateError([Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), outOf('EMFILE')]),
  ];
  const connector = newConnector({
    resolve: () => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return [v4('127.0.0.1')];
    },
  });
  while (failures.length > 0) await assert.rejects(connector.connect(origin()), { code: /^not-(resolved|connected)$/ });
  const connection = await connector.connect(origin());
  connection.destroy();
});

test('a SOCKS proxy that is not there is remembered of no origin; what it says of one is', async () => {
  const refusing = await startSocks(undefined, 1);
  const { port: socksPort } = refusing;
  const connector = newConnector({ socks: { host: '127.0.0.1', port: socksPort } });
  await assert.rejects(connector.connect(origin('refused.example')), { code: 'proxy-failed' });
  await assert.rejects(connector.connect(origin('refused.example')), { code: 'failed-before' });
  await refusing[Symbol.asyncDispose]();
  for (let i = 0; i < 2; i++) await assert.rejects(connector.connect(origin()), { code: 'proxy-failed' });
});

test('connections are interchangeable when scheme, host, port and name in TLS are the same', () => {
  const keys = [
    origin(),
    { ...origin(), scheme: 'https' as const },
    { ...origin(), host: 'b.example' },
    { ...origin(), port: 1 },
    { ...origin(), servername: 'b.example' },
  ].map((each) => originKey(each, each.servername));
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(originKey(origin(), undefined), originKey({ ...origin(), servername: undefined }, undefined));
});
