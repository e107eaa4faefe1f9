/** What origins show in TLS: the chain as it was sent, what speaks against it, and what becomes of both when a session goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createSecureContext, createServer, type Server, type TlsOptions } from 'node:tls';
import { addressRules } from '../../src/fetch/address-rules.ts';
import { Connector, type ConnectorOptions } from '../../src/fetch/connector.ts';
import type { Origin } from '../../src/fetch/origin.ts';
import type { OriginConnection } from '../../src/fetch/origin-connection.ts';
import { derOf, pemOf } from '../../src/tls/pem.ts';
import { newChains, type Chains, type Leaf, type LeafWish } from '../support/chains.ts';

let chains: Chains;
const servers: Server[] = [];
before(async () => {
  chains = await newChains();
});
after(() => {
  for (const server of servers) server.close();
});

async function originWith(leaf: Leaf, options: TlsOptions = {}): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer({ key: leaf.key, cert: leaf.cert, ...options }, (socket) => {
    socket.on('error', () => undefined).write('.');
  }).on('tlsClientError', () => undefined);
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

function newConnector(options: Partial<ConnectorOptions> = {}): Connector {
  return new Connector({
    resolve: () => [{ address: '127.0.0.1', family: 4 }],
    rules: addressRules({ allowLocalhost: true, listening: () => [] }),
    secureContext: createSecureContext({ ca: chains.root }),
    timeoutMs: 5000,
    evidence: true,
    onSecured: () => undefined,
    onFault: (error) => assert.fail(String(error)),
    ...options,
  });
}

const to = (port: number, host = '127.0.0.1', servername?: string): Origin => ({ scheme: 'https', host, port, servername });

function certificatesOf({ tls }: OriginConnection) {
  assert.ok(tls?.certificates);
  return tls.certificates;
}

const CASES: readonly (readonly [what: string, wish: LeafWish, host: string, servername: string | undefined, error: string | undefined])[] =
  [
    ['for an address, by a known authority', {}, '127.0.0.1', undefined, undefined],
    ['for a name', { host: 'a.example' }, 'a.example', undefined, undefined],
    ['for the name that was asked for', { host: 'b.example' }, 'a.example', 'b.example', undefined],
    ['for another name', { host: 'b.example' }, 'a.example', undefined, 'HOSTNAME_MISMATCH'],
    ['for another address', { host: '127.0.0.9' }, '127.0.0.1', undefined, 'HOSTNAME_MISMATCH'],
    ['for the host and not for the name that was asked for', { host: 'a.example' }, 'a.example', 'b.example', 'HOSTNAME_MISMATCH'],
    ['that has ended', { days: -1 }, '127.0.0.1', undefined, 'CERT_HAS_EXPIRED'],
    ['that nobody else has signed', { selfSigned: true }, '127.0.0.1', undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ];

for (const [what, wish, host, servername, error] of CASES) {
  test(`a certificate ${what} is ${error ?? 'to be trusted'}, and is taken all the same`, async () => {
    const leaf = await chains.leaf(wish);
    const { port } = await originWith(leaf);
    const connection = await newConnector().connect(to(port, host, servername));
    const shown = certificatesOf(connection);
    connection.destroy();
    assert.deepEqual([shown.error, shown.origin, shown.name], [error, `tls:${host}:${port}`, servername]);
    assert.deepEqual(shown.chain, leaf.chain);
  });
}

test('a certificate of an authority that is not known is not to be trusted', async () => {
  const { port } = await originWith(await (await newChains('A stranger')).leaf());
  const connection = await newConnector().connect(to(port));
  assert.equal(certificatesOf(connection).error, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
  connection.destroy();
});

test('the chain is as it was sent: what does not belong to it stays where it was, and no root is added', async () => {
  const stranger = (await newChains('A stranger')).root;
  const leaf = await chains.leaf({ more: [stranger, chains.root] });
  const { port } = await originWith(leaf);
  const connection = await newConnector().connect(to(port));
  assert.deepEqual(certificatesOf(connection).chain, leaf.chain);
  assert.equal(leaf.chain.length, 4);
  connection.destroy();
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a session that goes on has the certificates that it began with (${maxVersion})`, async () => {
    const leaf = await chains.leaf({ host: 'b.example' });
    const { port, server } = await originWith(leaf, { maxVersion });
    const connector = newConnector();
    const reused: boolean[] = [];
    server.on('secureConnection', (socket) => reused.push(socket.isSessionReused()));
    const shown: unknown[] = [];
    for (let nth = 0; nth < 3; nth++) {
      const connection = await connector.connect(to(port));
      shown.push(connection.tls?.certificates);
      // The ticket of TLS 1.3 comes before the first byte, which nobody has asked for: the connection ends with it.
      await new Promise<void>((resolve) => connection.park(() => resolve()));
    }
    assert.deepEqual(reused, [false, true, true]);
    assert.ok(shown[0] !== undefined);
    assert.ok(shown.every((each) => each === shown[0]));
    assert.deepEqual(shown[0], { ...(shown[0] as object), chain: leaf.chain, error: 'HOSTNAME_MISMATCH' });
  });
}

test('the same chain once more is kept once; another one has another key', async () => {
  const leaf = await chains.leaf();
  const { port, server } = await originWith(leaf);
  const connector = newConnector();
  const connect = async () => {
    const connection = await connector.connect(to(port));
    const shown = certificatesOf(connection);
    await new Promise<void>((resolve) => connection.park(() => resolve()));
    return shown;
  };
  const first = await connect();
  // Tickets of before are of no use any more.
  server.setTicketKeys(Buffer.alloc(48, 1));
  assert.equal(await connect(), first);
  server.setTicketKeys(Buffer.alloc(48, 2));
  const other = await chains.leaf();
  server.setSecureContext({ key: other.key, cert: other.cert });
  const second = await connect();
  assert.deepEqual(second.chain, other.chain);
  assert.notEqual(second.key, first.key);
  assert.match(second.key, /^.{44}$/);
});

test('where evidence is not asked for, nothing is kept of certificates', async () => {
  const { port } = await originWith(await chains.leaf());
  for (const refuseUntrusted of [false, true]) {
    const connection = await newConnector({ evidence: false, refuseUntrusted }).connect(to(port));
    assert.equal(connection.tls?.certificates, undefined);
    assert.equal(connection.tls?.version, 'tls/1.3');
    connection.destroy();
  }
});

test('an origin that is refused for its certificate is told in one line, and not remembered: by another name it is asked again', async () => {
  const { port, server } = await originWith(await chains.leaf({ host: 'b.example' }));
  let came = 0;
  server.on('connection', () => came++);
  const secured: string[] = [];
  const connector = newConnector({ refuseUntrusted: true, onSecured: ({ host }) => void secured.push(host) });
  const message = `the certificate of a.example:${port} is not to be trusted: HOSTNAME_MISMATCH (--origin-certificates of the proxy is refuse)`;
  for (let nth = 0; nth < 2; nth++)
    await assert.rejects(connector.connect(to(port, 'a.example')), { code: 'certificate-refused', status: 502, message });
  assert.deepEqual(secured, []);
  (await connector.connect(to(port, 'a.example', 'b.example'))).destroy();
  assert.deepEqual(secured, ['a.example']);
  assert.equal(came, 3);
});

test('a chain as PEM is read back as it was, in lines of 64 characters', async () => {
  const { chain } = await chains.leaf({ more: [chains.root] });
  const pem = pemOf(chain);
  assert.deepEqual(derOf(pem), chain);
  const lines = pem.split('\n');
  assert.ok(lines.every((line) => line.length <= 64));
  assert.equal(lines.filter((line) => line === '-----BEGIN CERTIFICATE-----').length, 3);
  // What stands between two of them, and how lines end, is other tools' own.
  assert.deepEqual(derOf(`a note\r\n${pem.replaceAll('\n', '\r\n')}`), chain);
  assert.equal(pemOf([]), '');
  assert.equal(pemOf([Buffer.alloc(48, 1)]).split('\n').length, 4);
});
