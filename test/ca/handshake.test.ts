import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { X509Certificate } from 'node:crypto';
import type { CertificateAuthority } from '../../src/ca/authority.ts';
import type { LeafStore } from '../../src/ca/contexts.ts';
import { DAY_MS, handshake, newCa, openStore, temporaryFolder } from './support.ts';

let ca: CertificateAuthority;
let store: LeafStore;
before(async () => {
  const dir = temporaryFolder();
  ca = await newCa(dir);
  store = await openStore(ca, dir);
});

async function shown(host: string): Promise<X509Certificate> {
  return handshake(await store.secureContext(host), ca.certificatePem, host);
}

const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`;
const hosts = [
  'a.b.example.com',
  'example.com',
  'example.co.uk',
  'www.example.de',
  'intranet',
  'localhost',
  'a_b.example.com',
  'www.a_b.example.com',
  'xn--bcher-kva.example.com',
  'www.xn--bcher-kva.example',
  'xn--bcher-kva.xn--p1ai',
  '-x.example.com',
  long,
  `x_y.${long.slice(4)}`,
];

for (const host of hosts) {
  test(`a client that trusts the authority accepts the certificate for ${host.slice(0, 40)} (${host.length} characters)`, async () => {
    const certificate = await shown(host);
    // OpenSSL's own matching, which is stricter than node's about wildcards; never the common name.
    assert.ok(certificate.checkHost(host, { subject: 'never' }) !== undefined, certificate.subjectAltName);
    assert.doesNotMatch(certificate.subject, /CN=.{65}/);
    assert.notEqual(certificate.subject, '');
  });
}

for (const ip of ['127.0.0.1', '192.0.2.255', '::1', '2001:db8::1', 'fe80::1:2', '::ffff:192.0.2.1']) {
  test(`a client that trusts the authority accepts the certificate for the address ${ip}`, async () => {
    const certificate = await shown(ip);
    assert.ok(certificate.checkIP(ip) !== undefined, certificate.subjectAltName);
    assert.match(certificate.subjectAltName ?? '', /^IP Address:[^,]*$/);
  });
}

test('siblings are shown the same certificate', async () => {
  const first = await shown('www.shop.example.com');
  const second = await shown('img.shop.example.com');
  assert.equal(first.fingerprint256, second.fingerprint256);
  assert.equal(first.subjectAltName, 'DNS:shop.example.com, DNS:*.shop.example.com');
});

test('a certificate for one host is not taken for another', async () => {
  await assert.rejects(handshake(await store.secureContext('www.example.com'), ca.certificatePem, 'www.example.org'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await assert.rejects(handshake(await store.secureContext('127.0.0.1'), ca.certificatePem, '127.0.0.2'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});

test('a client that trusts another authority refuses', async () => {
  const other = await newCa(temporaryFolder());
  await assert.rejects(handshake(await store.secureContext('www.example.com'), other.certificatePem, 'www.example.com'), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
});

test('a leaf certificate is for servers only, lasts 397 days and began two days ago', async () => {
  const certificate = await shown('times.example.com');
  const fromMs = Date.parse(certificate.validFrom);
  assert.ok(Date.now() - fromMs >= DAY_MS, certificate.validFrom); // the authority began a day ago
  assert.ok(Date.parse(certificate.validTo) - fromMs <= 397 * DAY_MS, certificate.validTo);
  assert.ok(Date.parse(certificate.validTo) - Date.now() > 394 * DAY_MS, certificate.validTo);
  assert.equal(certificate.ca, false);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']); // node's name for the extended key usage
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/);
});

test('serial numbers differ', async () => {
  const certificates = [await shown('a.one.example'), await shown('a.two.example'), await shown('a.three.example')];
  assert.equal(new Set(certificates.map(({ serialNumber }) => serialNumber)).size, 3);
});
