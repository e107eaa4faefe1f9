import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import forge from 'node-forge';
import { loadOrCreateCa } from '../../src/ca/authority.ts';
import { exportCaPkcs12 } from '../../src/ca/export.ts';
import { silentLog } from '../../src/util/log.ts';
import { certificateFor, ecKey, handshake, newCa, openssl, opensslIsMissing, openStore, temporaryFolder } from './support.ts';

const skip = opensslIsMissing;

test('openssl reads the authority and its leaf certificates, and verifies them as strictly as it can', { skip }, async () => {
  const dir = temporaryFolder();
  const ca = await newCa(dir);
  const store = await openStore(ca, dir);
  for (const host of ['www.example.com', 'a_b.example.com', '192.0.2.1']) await store.secureContext(host);
  await store.close();
  const trust = join(dir, 'trust.pem');
  writeFileSync(trust, ca.certificatePem);
  const verify = (...args: string[]): string => openssl('verify', '-x509_strict', '-CAfile', trust, '-purpose', 'sslserver', ...args);
  assert.match(verify('-verify_hostname', 'www.example.com', join(dir, 'example.com.pem')), /: OK/);
  assert.match(verify('-verify_hostname', 'a_b.example.com', join(dir, 'a_b.example.com.pem')), /: OK/);
  assert.match(verify('-verify_ip', '192.0.2.1', join(dir, '192.0.2.1.pem')), /: OK/);
  assert.throws(() => verify('-verify_hostname', 'www.example.org', join(dir, 'example.com.pem')), /hostname mismatch/i);

  const authority = openssl('x509', '-in', trust, '-noout', '-text');
  assert.match(authority, /Basic Constraints: critical\s+CA:TRUE/);
  assert.match(authority, /Key Usage: critical\s+Certificate Sign, CRL Sign/);
  assert.match(authority, /Subject Key Identifier/);
  const leaf = openssl('x509', '-in', join(dir, 'example.com.pem'), '-noout', '-text');
  assert.match(leaf, /X509v3 Key Usage: critical\s+Digital Signature\n/);
  assert.match(leaf, /Extended Key Usage: *\n\s+TLS Web Server Authentication\n/);
  assert.match(leaf, /Subject Key Identifier/);
  assert.match(leaf, /Authority Key Identifier/);
});

test('authorities made by openssl work', { skip }, async () => {
  const kinds = [['rsa:2048'], ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']];
  for (const kind of kinds) {
    const file = join(temporaryFolder(), 'both.pem');
    openssl(
      'req',
      '-x509',
      '-newkey',
      ...kind,
      '-nodes',
      '-days',
      '30',
      '-subj',
      '/C=DE/O=Bücher & Söhne/CN=An openssl CA',
      '-utf8',
      '-keyout',
      file,
      '-out',
      `${file}.crt`,
    );
    appendFileSync(file, readFileSync(`${file}.crt`));
    const ca = await loadOrCreateCa({ file, hostname: 'unused', log: silentLog });
    assert.equal(ca.created, false);
    const store = await openStore(ca, temporaryFolder());
    const leaf = await handshake(await store.secureContext('www.example.com'), ca.certificatePem, 'www.example.com');
    assert.equal(leaf.issuer, ca.certificate.subject);
    await store.close();
  }
});

test('openssl reads the exported trust store: the certificate, marked as trusted, and no key', { skip }, async () => {
  const dir = temporaryFolder();
  const rsa = await newCa(dir);
  const key = ecKey();
  const ecFile = join(dir, 'ec.pem');
  writeFileSync(ecFile, key.export({ type: 'pkcs8', format: 'pem' }).toString() + (await certificateFor(key, createPublicKey(key))), {
    mode: 0o600,
  });
  const ec = await loadOrCreateCa({ file: ecFile, hostname: 'unused', log: silentLog });
  for (const ca of [rsa, ec]) {
    for (const password of ['', 'pässword 1']) {
      const file = join(dir, 'ca.p12');
      writeFileSync(file, exportCaPkcs12(ca, { password, friendlyName: 'My archive' }));
      const text = openssl('pkcs12', '-in', file, '-passin', `pass:${password}`, '-nodes');
      assert.ok(text.includes(ca.certificatePem), text);
      assert.match(text, /friendlyName: My archive/);
      assert.match(text, /2\.16\.840\.1\.113894\.746875\.1\.1|Trusted key usage/);
      assert.doesNotMatch(text, /PRIVATE KEY/);
      assert.throws(() => openssl('pkcs12', '-in', file, '-passin', 'pass:wrong', '-nodes'), /Mac verify error/i);
    }
  }
});

test('node-forge reads the exported trust store', async () => {
  const ca = await newCa(temporaryFolder());
  const der = exportCaPkcs12(ca, { password: 'secret' }).toString('latin1');
  const bags = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(der), 'secret').getBags({ bagType: forge.pki.oids.certBag! });
  const certificates = bags[forge.pki.oids.certBag!]!.map(({ cert }) => forge.pki.certificateToPem(cert!).replaceAll('\r', ''));
  assert.deepEqual(certificates, [ca.certificatePem]);
  assert.throws(() => forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(der), 'wrong'), /MAC could not be verified/);
});
