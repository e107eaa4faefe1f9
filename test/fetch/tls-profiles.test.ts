/** Which origins a TLS context for origins gets on with. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { originSecureContext } from '../../src/fetch/tls-profiles.ts';
import { testCertificate } from '../support/certificate.ts';

/** RFC 5246 §6.2.1, §7.2, §7.4 */
const [ALERT, HANDSHAKE] = [21, 22];
const [SERVER_HELLO, CERTIFICATE, SERVER_HELLO_DONE, CLIENT_KEY_EXCHANGE] = [2, 11, 14, 16];
const TLS_1_2 = [3, 3];
const TLS_RSA_WITH_AES_128_CBC_SHA = [0x00, 0x2f];
const HANDSHAKE_FAILURE = 40;

for (const profile of [undefined, 'chrome', 'firefox'] as const) {
  test(`an origin that does not know secure renegotiation is connected to, with the TLS settings ${profile ?? 'of our own'}`, async () => {
    assert.deepEqual(await answerTo(originSecureContext(profile, false)), { type: HANDSHAKE, said: CLIENT_KEY_EXCHANGE });
    assert.deepEqual(await answerTo(originSecureContext(profile, true)), { type: HANDSHAKE, said: CLIENT_KEY_EXCHANGE });
  });
}

test('OpenSSL turns such an origin down unless it is told not to', async () => {
  assert.deepEqual(await answerTo(createSecureContext({ maxVersion: 'TLSv1.2' })), { type: ALERT, said: HANDSHAKE_FAILURE });
});

/** What the client says when a server of TLS 1.2 has answered it without renegotiation_info (RFC 5746 §3.4). */
async function answerTo(secureContext: SecureContext): Promise<{ type: number | undefined; said: number | undefined }> {
  const { cert } = await testCertificate();
  const greeting = flight(new X509Certificate(cert).raw);
  const server = createServer((socket) => void socket.once('data', () => socket.write(greeting))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, secureContext, rejectUnauthorized: false }).on('error', () => undefined);
  try {
    const [socket] = await accepted;
    await once(
      socket.on('error', () => undefined),
      'data',
    );
    const [record] = (await once(socket, 'data')) as [Buffer];
    // An alert begins with its level, a handshake message with its type.
    const type = record[0];
    return { type, said: record[type === ALERT ? 6 : 5] };
  } finally {
    client.destroy();
    server.close();
  }
}

/** ServerHello without extensions, Certificate, ServerHelloDone: each a record of its own. */
function flight(certificate: Buffer): Buffer {
  const random = Buffer.alloc(32, 1);
  const noSession = [0];
  const noCompression = [0];
  const listed = withLength(withLength(certificate));
  return Buffer.concat([
    message(SERVER_HELLO, Buffer.from([...TLS_1_2, ...random, ...noSession, ...TLS_RSA_WITH_AES_128_CBC_SHA, ...noCompression])),
    message(CERTIFICATE, listed),
    message(SERVER_HELLO_DONE, Buffer.alloc(0)),
  ]);
}

function message(type: number, body: Buffer): Buffer {
  const fragment = Buffer.concat([Buffer.from([type]), withLength(body)]);
  return Buffer.concat([Buffer.from([HANDSHAKE, ...TLS_1_2, fragment.length >> 8, fragment.length & 0xff]), fragment]);
}

/** The bytes behind their number, in three bytes. */
function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(3);
  length.writeUIntBE(bytes.length, 0, 3);
  return Buffer.concat([length, bytes]);
}
