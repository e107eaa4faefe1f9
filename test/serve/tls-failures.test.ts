/** What the log says of clients that TLS failed with. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { withTunnels } from '../../src/serve/connect.ts';
import { tlsFailures } from '../../src/serve/tls-failures.ts';
import { recordingLog } from '../ca/support.ts';
import { testCertificate } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { startListening } from '../support/listening.ts';

/** RFC 5246 §7.2: level fatal */
const alert = (description: number) => Buffer.from([0x15, 3, 3, 0, 2, 2, description]);
const UNKNOWN_CA = 48;
const CERTIFICATE_EXPIRED = 45;
const DISTRUST = '127.0.0.1 does not trust the CA certificate: import it there ("warctap ca export" prints it)';

/** The first message of a client that speaks TLS 1.2, where an alert about the certificate is not encrypted. */
async function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (bytes: Buffer) => resolve(bytes) });
    connectTls({ socket: wire, maxVersion: 'TLSv1.2' }).on('error', () => undefined);
  });
}

async function breakOff(port: number, how: number): Promise<void> {
  using client = await RawClient.tunnel(port, 'a.example:443');
  client.send(await clientHello());
  await client.bytes(5);
  client.send(alert(how));
  await client.rest();
}

async function listening() {
  const context = createSecureContext(await testCertificate());
  return startListening(
    withTunnels(() => assert.fail('nothing is to be served')),
    { secureContexts: () => context },
  );
}

test('a client that does not trust the CA is one line that says what to do, and one more for all its further attempts', async () => {
  const it = await listening();
  for (let i = 0; i < 5; i++) await breakOff(it.port, UNKNOWN_CA);
  assert.deepEqual(it.logged('info'), [DISTRUST]);
  await it[Symbol.asyncDispose]();
  assert.deepEqual(it.logged('info'), [DISTRUST, `${DISTRUST}; 4 more times`]);
});

test('another reason is another line', async () => {
  await using it = await listening();
  await breakOff(it.port, UNKNOWN_CA);
  await breakOff(it.port, CERTIFICATE_EXPIRED);
  assert.deepEqual(it.logged('info'), [DISTRUST, '127.0.0.1 takes the certificate for expired: is its clock right?']);
});

test('what it says has a client, a host and a short reason in its fields', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { log, lines } = recordingLog();
  const failures = tlsFailures(log);
  const openSsl = Object.assign(new Error('C0CC:error:0A000418:SSL routines:ssl3_read_bytes:../deps/openssl'), {
    reason: 'no shared cipher',
  });
  failures.tell({ client: '::ffff:10.0.0.1', host: 'a.example', error: openSsl });
  failures.tell({ client: '10.0.0.1', host: 'b.example', error: openSsl });
  failures.tell({ client: undefined, host: 'a.example', error: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) });
  t.mock.timers.tick(60_000);
  assert.deepEqual(
    lines.map(({ message }) => message),
    [
      'TLS with 10.0.0.1 for a.example failed: no shared cipher',
      'a client broke off TLS for a.example without a word; if it always does, it does not trust the CA certificate: ' +
        'import it there ("warctap ca export" prints it)',
      'TLS with 10.0.0.1 for b.example failed: no shared cipher; 1 more time',
    ],
  );
  assert.deepEqual(lines[2]?.fields, { client: '10.0.0.1', host: 'b.example', reason: 'no shared cipher', more: 1 });
  failures.close();
});

test('three thousand clients are not three thousand lines', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { log, lines } = recordingLog();
  const failures = tlsFailures(log);
  const error = Object.assign(new Error(), { reason: 'tlsv1 alert unknown ca' });
  for (let i = 0; i < 3000; i++) failures.tell({ client: `2001:db8::${i.toString(16)}`, host: 'a.example', error });
  failures.close();
  assert.equal(lines.length, 101);
  assert.equal(lines[100]?.message, 'TLS with other clients failed 2900 times');
});
