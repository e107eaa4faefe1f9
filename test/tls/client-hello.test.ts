/** What a ClientHello says, at every split, with whatever a stranger may send; and in what words OpenSSL is told to say it again. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { MAX_HELLO_BYTES, parseClientHello, type ClientHello } from '../../src/tls/client-hello.ts';
import { imitationOf } from '../../src/tls/imitation.ts';

const u16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const vector = (lengthBytes: number, bytes: Buffer) => {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(bytes.length, 0, lengthBytes);
  return Buffer.concat([length, bytes]);
};
const numbers = (...values: number[]) => Buffer.concat(values.map(u16));
const extension = (type: number, body: Buffer) => Buffer.concat([u16(type), vector(2, body)]);
const GREASE = 0x3a3a;

function handshake(body: Buffer, type = 1): Buffer {
  const length = Buffer.alloc(3);
  length.writeUIntBE(body.length, 0, 3);
  return Buffer.concat([Buffer.from([type]), length, body]);
}

/** In records of at most so many bytes. */
function records(message: Buffer, size = 16384): Buffer {
  const all: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    all.push(Buffer.concat([Buffer.from([22, 3, 1]), vector(2, part)]));
  }
  return Buffer.concat(all);
}

const EXTENSIONS = Buffer.concat([
  extension(GREASE, Buffer.alloc(0)),
  extension(0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from('a.example'))]))),
  extension(10, vector(2, numbers(GREASE, 0x11ec, 0x001d, 0x0017))),
  extension(11, vector(1, Buffer.from([0]))),
  extension(13, vector(2, numbers(0x0403, 0x0804, 0x0401))),
  extension(
    16,
    vector(2, Buffer.concat([vector(1, Buffer.from('h2')), vector(1, Buffer.from('http/1.1')), vector(1, Buffer.from([0x2a, 0x2a]))])),
  ),
  extension(43, vector(1, numbers(GREASE, 0x0304, 0x0303))),
  extension(0x7a7a, Buffer.from([0])),
]);

const body = (extensions = EXTENSIONS) =>
  Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 9)),
    vector(2, numbers(GREASE, 0x1301, 0x1303, 0xc02b, 0xc02f, 0xbeef)),
    vector(1, Buffer.from([0])),
    vector(2, extensions),
  ]);

const SAID: ClientHello = {
  ciphers: [0x1301, 0x1303, 0xc02b, 0xc02f, 0xbeef],
  extensions: [0, 10, 11, 13, 16, 43],
  groups: [0x11ec, 0x001d, 0x0017],
  signatures: [0x0403, 0x0804, 0x0401],
  versions: [0x0304, 0x0303],
  legacyVersion: 0x0303,
  pointFormats: [0],
  alpn: ['h2', 'http/1.1'],
};

for (const size of [16384, 100, 1]) {
  test(`a hello in records of ${size} bytes is read as soon as it is whole, and no sooner`, () => {
    const bytes = records(handshake(body()), size);
    for (let end = 0; end < bytes.length; end++) assert.equal(parseClientHello(bytes.subarray(0, end)), 'more', String(end));
    assert.deepEqual(parseClientHello(bytes), SAID);
    // What a client says behind it is not looked at.
    assert.deepEqual(parseClientHello(Buffer.concat([bytes, Buffer.from('rest')])), SAID);
  });
}

test('a hello without extensions, and what is none', () => {
  const plain = parseClientHello(records(handshake(Buffer.concat([body().subarray(0, body(Buffer.alloc(0)).length - 2)]))));
  assert.deepEqual(plain, { ...SAID, extensions: [], groups: [], signatures: [], versions: [], pointFormats: [], alpn: [] });
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([22, 2]),
    records(handshake(body(), 2)),
    records(Buffer.alloc(10, 255)),
    Buffer.from([22, 3, 1, 0, 0, 1]),
  ])
    assert.equal(parseClientHello(bytes), undefined, bytes.toString('hex'));
  const long = Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]);
  assert.equal(parseClientHello(long), undefined);
  assert.equal(parseClientHello(Buffer.from([22, 3, 1, 0xff, 0xff])), undefined);
  const endless = records(Buffer.concat([Buffer.from([1, 0, 0x40, 0]), Buffer.alloc(MAX_HELLO_BYTES - 1)]), 1);
  assert.equal(parseClientHello(endless), undefined);
});

test('whatever is cut off or overwritten, it is read, waited for or turned down, and nothing is thrown', () => {
  let state = 12345;
  const random = (below: number) => ((state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) >> 8) % below;
  const whole = records(handshake(body()), 60);
  for (let run = 0; run < 20_000; run++) {
    const bytes = Buffer.from(whole);
    for (let change = random(6); change >= 0; change--) bytes[random(bytes.length)] = random(256);
    const found = parseClientHello(bytes.subarray(0, random(2) === 0 ? bytes.length : random(bytes.length)));
    if (found === undefined || found === 'more') continue;
    imitationOf(found);
    assert.ok(found.ciphers.every((cipher) => cipher >= 0 && cipher <= 0xffff));
  }
  // Inner lengths that point past their end.
  const message = handshake(body());
  for (let at = 4; at < message.length; at++) {
    const bytes = Buffer.from(message);
    bytes[at] = 0xff;
    assert.notEqual(parseClientHello(records(bytes)), 'more');
  }
});

test('it is said again in words of OpenSSL, less what that has none for', () => {
  const said = imitationOf(SAID);
  assert.ok(said);
  const { key, ...words } = said;
  assert.match(key, /^[\w-]{22}$/);
  assert.deepEqual(words, {
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    groups: ['X25519MLKEM768', 'X25519', 'P-256'],
    signatures: ['ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    alpn: ['h2', 'http/1.1'],
  });
  assert.equal(imitationOf({ ...SAID, ciphers: [0xbeef, ...SAID.ciphers], extensions: [] })?.key, key);
  assert.notEqual(imitationOf({ ...SAID, groups: SAID.groups.toReversed() })?.key, key);
  const old = imitationOf({ ...SAID, versions: [], legacyVersion: 0x0302 });
  assert.deepEqual([old?.minVersion, old?.maxVersion], ['TLSv1', 'TLSv1.1']);
  assert.equal(imitationOf({ ...SAID, ciphers: [0xbeef] }), undefined);
  assert.equal(imitationOf({ ...SAID, versions: [0x7f1c] }), undefined);
});

test('the hello of a real client is read as it was asked for', async () => {
  const hello = await helloOf({
    ciphers: 'TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES256-GCM-SHA384',
    ecdhCurve: 'P-384:X25519',
    ALPNProtocols: ['x', 'http/1.1'],
  });
  assert.deepEqual(hello.ciphers.slice(0, 2), [0x1303, 0xc030]);
  assert.deepEqual(hello.groups, [0x0018, 0x001d]);
  assert.deepEqual(hello.alpn, ['x', 'http/1.1']);
  assert.deepEqual(hello.versions, [0x0304, 0x0303]);
});

async function helloOf(options: ConnectionOptions): Promise<ClientHello> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const came = once(server, 'connection') as Promise<[NodeJS.ReadableStream & { destroy(): void }]>;
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options }).on('error', () => undefined);
  const [socket] = await came;
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  const hello = parseClientHello(bytes);
  assert.ok(hello !== undefined && hello !== 'more');
  return hello;
}
