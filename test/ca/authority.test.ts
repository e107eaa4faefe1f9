import assert from 'node:assert/strict';
import { X509Certificate, type KeyObject, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadOrCreateCa, type CertificateAuthority } from '../../src/ca/authority.ts';
import { CaError } from '../../src/ca/errors.ts';
import { oid, sequence } from '../../src/ca/der.ts';
import { basicConstraintsCa, usageDigitalSignature, type Signer } from '../../src/ca/x509.ts';
import { silentLog } from '../../src/util/log.ts';
import { certificateFor, DAY_MS, ecKey, handshake, newCa, openStore, recordingLog, rsaKey, temporaryFolder } from './support.ts';

const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const pkcs1 = (key: KeyObject): string => key.export({ type: 'pkcs1', format: 'pem' }).toString();
const selfSigned = (key: KeyObject): Promise<string> => certificateFor(key, createPublicKey(key));
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

function load(file: string, now: () => number = Date.now): Promise<CertificateAuthority> {
  return loadOrCreateCa({ file, hostname: 'test.host', log: silentLog, now });
}

function fileWith(text: string): string {
  const file = join(temporaryFolder(), 'ca.pem');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

test('the first start makes an authority for ten years from yesterday, in a file for its owner only', async () => {
  const dir = temporaryFolder();
  const nowMs = Date.parse('2026-11-22T10:00:00Z');
  const ca = await load(join(dir, 'a/b/ca.pem'), () => nowMs);
  assert.equal(ca.created, true);
  assert.equal(modeOf(ca.file), '600');
  assert.equal(modeOf(join(dir, 'a')), '700');
  assert.equal(modeOf(join(dir, 'a/b')), '700');
  assert.deepEqual(readdirSync(join(dir, 'a/b')), ['ca.pem']);

  const certificate = new X509Certificate(ca.certificatePem);
  assert.equal(certificate.subject, 'O=warctap\\, a web archiving proxy\nCN=warctap CA on test.host');
  assert.equal(certificate.issuer, certificate.subject);
  assert.equal(certificate.ca, true);
  assert.equal(Date.parse(certificate.validFrom), nowMs - DAY_MS);
  assert.equal(Date.parse(certificate.validTo), Date.parse('2036-11-21T10:00:00Z'));
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/);
  assert.ok(certificate.verify(certificate.publicKey));
});

test('an authority whose end is past 2049 has readable dates too', async () => {
  const nowMs = Date.parse('2045-06-01T00:00:00Z');
  const ca = await load(join(temporaryFolder(), 'ca.pem'), () => nowMs);
  assert.equal(Date.parse(ca.certificate.validTo), Date.parse('2055-05-31T00:00:00Z'));
});

test('a host name that is too long for a common name is cut', async () => {
  const ca = await loadOrCreateCa({ file: join(temporaryFolder(), 'ca.pem'), hostname: 'h'.repeat(200), log: silentLog });
  assert.match(ca.certificate.subject, /CN=warctap CA on h{50}$/);
});

test('later starts reuse the file and do not touch it', async () => {
  const dir = temporaryFolder();
  const first = await newCa(dir);
  const bytes = readFileSync(first.file, 'utf8');
  const second = await newCa(dir);
  assert.equal(second.created, false);
  assert.equal(second.certificatePem, first.certificatePem);
  assert.equal(readFileSync(first.file, 'utf8'), bytes);
});

test('starts at the same time agree on one authority and leave nothing else behind', async () => {
  const dir = temporaryFolder();
  const all = await Promise.all([newCa(dir), newCa(dir), newCa(dir), newCa(dir)]);
  assert.equal(all.filter(({ created }) => created).length, 1);
  assert.equal(new Set(all.map(({ certificatePem }) => certificatePem)).size, 1);
  assert.ok(readFileSync(join(dir, 'ca.pem'), 'utf8').endsWith(all[0].certificatePem));
  assert.deepEqual(readdirSync(dir), ['ca.pem']);
});

test('the certificate is exported without the key', async () => {
  const ca = await newCa(temporaryFolder());
  assert.match(readFileSync(ca.file, 'utf8'), /PRIVATE KEY/);
  assert.match(ca.certificatePem, /^-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n$/);
});

test('a file that others may read is used with a warning', async () => {
  const dir = temporaryFolder();
  const { file } = await newCa(dir);
  chmodSync(file, 0o644);
  const { log, lines } = recordingLog();
  await loadOrCreateCa({ file, hostname: 'test.host', log });
  assert.deepEqual(
    lines.map(({ level, fields }) => ({ level, fields })),
    [{ level: 'warn', fields: { file, mode: '644' } }],
  );
});

for (const mode of [0o620, 0o602, 0o664, 0o666]) {
  test(`a file of mode ${mode.toString(8)}, which others may write to, is refused with what to do`, async () => {
    const { file } = await newCa(temporaryFolder());
    chmodSync(file, mode);
    await assert.rejects(load(file), {
      name: 'CaError',
      message: `CA file ${file}: its group or others may write to it (mode ${mode.toString(8)}); expected a file of its owner alone, run: chmod 600 ${file}`,
    });
    chmodSync(file, 0o600);
    assert.equal((await load(file)).created, false);
  });
}

test('authorities made by other tools work: key before or after the certificate, PKCS#1, SEC 1 or PKCS#8, RSA or EC, with other blocks between', async () => {
  const rsa = rsaKey();
  const rsaCertificate = await selfSigned(rsa);
  const files = [
    pkcs1(rsa) + rsaCertificate,
    rsaCertificate + pkcs8(rsa),
    `Bag Attributes\r\n${rsaCertificate}\n${pkcs8(rsa)}`.replaceAll('\n', '\r\n'),
  ];
  for (const curve of ['P-256', 'P-384', 'P-521']) {
    const ec = ecKey(curve);
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    files.push(parameters + ec.export({ type: 'sec1', format: 'pem' }).toString() + (await selfSigned(ec)));
  }
  for (const text of files) {
    const ca = await load(fileWith(text));
    const store = await openStore(ca, temporaryFolder());
    const leaf = await handshake(await store.secureContext('www.example.com'), ca.certificatePem, 'www.example.com');
    assert.ok(leaf.checkIssued(ca.certificate) && leaf.verify(ca.certificate.publicKey));
    await store.close();
  }
});

test('of several certificates in the file, the one of the key is the authority, and it is sent along when clients know only the one above it', async () => {
  const rootKey = rsaKey();
  const root = await load(fileWith(pkcs8(rootKey) + (await selfSigned(rootKey))));
  const key = ecKey();
  const wish = { name: 'Intermediate', issuer: root.issuer.name, signer: root.issuer.signer };
  const ca = await load(fileWith(pkcs8(key) + root.certificatePem + (await certificateFor(key, createPublicKey(key), wish))));
  assert.equal(ca.certificate.subject, 'CN=Intermediate');
  const store = await openStore(ca, temporaryFolder());
  const leaf = await handshake(await store.secureContext('www.example.com'), root.certificatePem, 'www.example.com');
  assert.equal(leaf.issuer, 'CN=Intermediate');
  await store.close();
});

async function refusal(file: string, now?: () => number): Promise<CaError> {
  const error: unknown = await load(file, now).then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CaError, String(error));
  assert.ok(error.message.startsWith(`CA file ${file}: `), error.message);
  assert.match(error.message, /; expected \S/);
  assert.doesNotMatch(error.message, /[\r\n]/);
  return error;
}

test('a file that is no usable authority is refused with one line that names the file, what is wrong and what was expected', async () => {
  const key = rsaKey();
  const certificate = await selfSigned(key);
  const small = rsaKey(1024);
  const edwards = generateKeyPairSync('ed25519');
  const edwardsSigner: Signer = {
    algorithm: sequence(oid('1.3.101.112')),
    sign: (bytes) => Promise.resolve(sign(null, bytes, edwards.privateKey)),
  };
  const broken = (label: string): string => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
  const encrypted = [
    key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(),
    key.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(),
  ];
  const leafExtensions = [basicConstraintsCa(), usageDigitalSignature()];
  const cases: [wrong: RegExp, text: string][] = [
    [/it holds nothing in PEM form/, ''],
    [/it holds nothing in PEM form/, 'hello'],
    [/it has no private key/, certificate],
    [/it has no certificate/, pkcs8(key)],
    [/its private key cannot be read/, broken('PRIVATE KEY') + certificate],
    [/its certificate cannot be read/, pkcs8(key) + broken('CERTIFICATE')],
    [/its private key is encrypted/, encrypted[0]! + certificate],
    [/its private key is encrypted/, encrypted[1]! + certificate],
    [/its private key does not belong to its certificate/, pkcs8(rsaKey()) + certificate],
    [/its private key does not belong to its certificate/, pkcs8(ecKey()) + certificate],
    [
      /not that of a certificate authority/,
      pkcs8(key) + (await certificateFor(key, createPublicKey(key), { extensions: [usageDigitalSignature()] })),
    ],
    [/not that of a certificate authority/, pkcs8(key) + (await certificateFor(key, createPublicKey(key), { extensions: leafExtensions }))],
    [/its private key \(rsa 1024\)/, pkcs8(small) + (await selfSigned(small))],
    [
      /its private key \(ed25519\)/,
      pkcs8(edwards.privateKey) + (await certificateFor(edwards.privateKey, edwards.publicKey, { signer: edwardsSigner })),
    ],
  ];
  for (const [wrong, text] of cases) {
    const file = fileWith(text);
    const error = await refusal(file);
    assert.equal(error.code, 'CA_INVALID');
    assert.match(error.message, wrong);
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});

test('an authority outside its time is refused', async () => {
  const { file, certificate } = await newCa(temporaryFolder());
  const early = await refusal(file, () => Date.parse(certificate.validFrom) - 1000);
  assert.match(early.message, new RegExp(`is not valid before ${certificate.validFrom}`));
  const late = await refusal(file, () => Date.parse(certificate.validTo) + 1000);
  assert.match(late.message, new RegExp(`expired at ${certificate.validTo}`));
  assert.equal(late.code, 'CA_INVALID');
  await load(file, () => Date.parse(certificate.validFrom));
  await load(file, () => Date.parse(certificate.validTo));
});

test('a path that cannot be read or made is refused as such', async () => {
  const dir = temporaryFolder();
  mkdirSync(join(dir, 'folder.pem'));
  assert.equal((await refusal(join(dir, 'folder.pem'))).code, 'CA_IO');
  writeFileSync(join(dir, 'file'), '');
  assert.equal((await refusal(join(dir, 'file', 'ca.pem'))).code, 'CA_IO');
  // A link to nowhere: neither there to be read nor free to be made.
  symlinkSync(join(dir, 'nowhere'), join(dir, 'link.pem'));
  assert.equal((await refusal(join(dir, 'link.pem'))).code, 'CA_IO');
});
