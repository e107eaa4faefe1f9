/** --ssl-context: what origins hear of TLS, measured by the fingerprints that servers take. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { connect as connectTls, TLSSocket, type ConnectionOptions } from 'node:tls';
import { parseClientHello, type ClientHello } from '../../src/tls/client-hello.ts';
import { testCertificate } from '../support/certificate.ts';
import { ja3, ja4 } from '../support/ja.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const hellos: ClientHello[] = [];
let port = 0;
const server = createServer((socket) => void serve(socket));
before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
});
after(() => server.close());

const SIGNAL_AS_SUITE = 0x00ff;
const SIGNAL_AS_EXTENSION = 0xff01;

/**
 * The last hello that an origin has heard, without what it has only because a session goes on (RFC 8446 §4.2.11), and without the signal for
 * renegotiation (RFC 5746 §3.4): OpenSSL before 3.4 gives it as a suite, later ones as an extension where they speak TLS 1.2 or newer alone.
 */
function latest(): ClientHello {
  const hello = hellos.pop();
  assert.ok(hello);
  const { ciphers, extensions } = hello;
  const hasOld = hello.versions.length === 0 || hello.versions.includes(0x0303);
  assert.ok(!hasOld || ciphers.at(-1) === SIGNAL_AS_SUITE || extensions.includes(SIGNAL_AS_EXTENSION));
  return {
    ...hello,
    ciphers: ciphers.filter((suite) => suite !== SIGNAL_AS_SUITE),
    extensions: extensions.filter((type) => type !== 41 && type !== SIGNAL_AS_EXTENSION),
  };
}

/** An origin that notes the hello, and then speaks TLS as any other. */
async function serve(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  const { key, cert } = await testCertificate();
  let bytes = Buffer.alloc(0);
  const onData = (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    const hello = parseClientHello(bytes);
    if (hello === 'more') return;
    socket.removeListener('data', onData).pause();
    if (hello !== undefined) hellos.push(hello);
    socket.unshift(bytes);
    const tls = new TLSSocket(socket, { isServer: true, key, cert, ALPNProtocols: ['http/1.1'] }).on('error', () => undefined);
    // Each request by a connection of its own, unless it says that it may stay open.
    tls.on('data', (request: Buffer) => {
      const closes = request.includes('/again') ? '' : 'Connection: close\r\n';
      tls.write(`HTTP/1.1 204 No Content\r\n${closes}\r\n`);
    });
  };
  socket.on('data', onData);
}

/** Ask once by a tunnel. @returns the hello that the origin has heard */
async function heardBy(proxy: TestProxy, options: ConnectionOptions, split = 0, path = '/'): Promise<ClientHello> {
  const raw = connectTcp(proxy.port, '127.0.0.1');
  raw.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await once(raw, 'data');
  const tls = connectTls({ socket: split === 0 ? raw : await inPieces(raw, split), ca: proxy.ca, host: '127.0.0.1', ...options });
  tls.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const [answer] = (await once(tls, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 204 /);
  tls.destroy();
  raw.destroy();
  return latest();
}

/** Another end of a connection, whose bytes come one piece at a time. */
async function inPieces(raw: Socket, size: number): Promise<Socket> {
  const between = createServer((socket) => {
    between.close();
    socket.setNoDelay().on('error', () => undefined);
    raw.setNoDelay().pipe(socket);
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += size) raw.write(bytes.subarray(at, at + size));
    });
  }).listen(0, '127.0.0.1');
  await once(between, 'listening');
  return connectTcp((between.address() as AddressInfo).port, '127.0.0.1');
}

/** What the client itself says, straight to the origin. */
async function saidBy(options: ConnectionOptions): Promise<ClientHello> {
  const tls = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  await once(tls, 'secureConnect');
  tls.destroy();
  return latest();
}

const CLIENTS: Readonly<Record<string, ConnectionOptions>> = {
  'one with an order of its own': {
    ciphers: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA',
    ecdhCurve: 'P-256:X25519:P-384',
    sigalgs: 'rsa_pkcs1_sha256:rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256',
    ALPNProtocols: ['http/1.1'],
  },
  'one of TLS 1.2 without ALPN': {
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA',
    ecdhCurve: 'P-384:P-256',
    sigalgs: 'rsa_pkcs1_sha384:ecdsa_secp256r1_sha256:rsa_pkcs1_sha256',
  },
  'one as it is made by default': {},
};

test('mirror: an origin hears the suites, groups, signature algorithms, versions and protocols of each client, in its order', async () => {
  await using proxy = await startProxy({ sslContext: 'mirror' });
  for (const [what, options] of Object.entries(CLIENTS)) {
    const said = await saidBy(options);
    for (const split of [0, 7]) {
      const heard = await heardBy(proxy, options, split);
      // OpenSSL on both sides, and so both fingerprints are the same to the last part.
      assert.deepEqual(ja3(heard), ja3(said), what);
      assert.deepEqual(ja4(heard), ja4(said), what);
      assert.deepEqual([heard.signatures, heard.versions, heard.alpn], [said.signatures, said.versions, said.alpn], what);
    }
  }
});

test('without it all clients look the same, and like none of them', async () => {
  await using proxy = await startProxy();
  const [first, second] = [await heardBy(proxy, CLIENTS['one with an order of its own']!), await heardBy(proxy, {})];
  assert.deepEqual(ja4(first), ja4(second));
  assert.notDeepEqual(ja4(first)[1], ja4(await saidBy(CLIENTS['one with an order of its own']!))[1]);
});

test('a client is not asked for by the connection of another that says something else', async () => {
  await using proxy = await startProxy({ sslContext: 'mirror' });
  const options = { ciphers: 'TLS_AES_128_GCM_SHA256', minVersion: 'TLSv1.3' } as const;
  const first = await heardBy(proxy, {}, 0, '/again');
  const second = await heardBy(proxy, options, 0, '/again');
  assert.deepEqual(second.ciphers.slice(0, 1), [0x1301]);
  assert.notDeepEqual(first.ciphers, second.ciphers);
});

for (const [browser, suites, groups] of [
  [
    'chrome',
    [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035],
    [0x1d, 0x17, 0x18],
  ],
  [
    'firefox',
    [
      0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc009, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f,
      0x0035,
    ],
    [0x1d, 0x17, 0x18, 0x19],
  ],
] as const) {
  test(`${browser}: an origin hears the suites and groups of that browser, in its order`, async () => {
    await using proxy = await startProxy({ sslContext: browser });
    const heard = await heardBy(proxy, {});
    assert.deepEqual(heard.ciphers, suites);
    assert.deepEqual(heard.groups, groups);
    assert.deepEqual(heard.versions, [0x0304, 0x0303]);
  });
}

test('what begins like TLS and is no hello ends the tunnel, and nothing else', async () => {
  await using proxy = await startProxy({ sslContext: 'mirror' });
  for (const bytes of [
    Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255]),
    Buffer.concat([Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 9]), Buffer.alloc(9)]),
  ]) {
    const raw = connectTcp(proxy.port, '127.0.0.1').on('error', () => undefined);
    raw.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await once(raw, 'data');
    raw.resume().end(bytes);
    await once(raw, 'close');
  }
  assert.equal((await heardBy(proxy, {})).legacyVersion, 0x0303);
});
