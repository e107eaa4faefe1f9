import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { CertificateAuthority } from '../../src/ca/authority.ts';
import { CertificateNameError } from '../../src/ca/errors.ts';
import { DAY_MS, ecKey, handshake, keptCertificate, newCa, openStore, recordingLog, temporaryFolder } from './support.ts';

let ca: CertificateAuthority;
before(async () => {
  ca = await newCa(temporaryFolder());
});

/** Ask a store of its own for one host, so that what is kept is all that can be reused. */
async function visit(dir: string, host: string, more: Parameters<typeof openStore>[2] = {}, authority = ca): Promise<string> {
  const store = await openStore(authority, dir, more);
  const certificate = await handshake(await store.secureContext(host), authority.certificatePem, host);
  await store.close();
  return certificate.fingerprint256;
}

test('requests at the same time for hosts of one domain share the making, and later ones need no promise', async () => {
  const dir = temporaryFolder();
  const store = await openStore(ca, dir);
  const hosts = ['a.example.com', 'b.example.com', 'example.com', 'C.EXAMPLE.com.'];
  const asked = hosts.map((host) => {
    const context = store.secureContext(host);
    assert.ok(context instanceof Promise);
    return context;
  });
  const contexts = await Promise.all(asked);
  assert.equal(new Set(contexts).size, 1);
  assert.equal(store.secureContext('d.example.com'), contexts[0]);
  await store.close();
  assert.deepEqual(readdirSync(dir).sort(), ['example.com.pem', 'leaf.key']);
});

test('more domains at once than are worked on at once all get theirs', async () => {
  const dir = temporaryFolder();
  const store = await openStore(ca, dir);
  const hosts = Array.from({ length: 40 }, (_, index) => `www.site${index}.com`);
  const contexts = await Promise.all(hosts.map(async (host) => store.secureContext(host)));
  assert.equal(new Set(contexts).size, 40);
  const certificate = await handshake(contexts[39]!, ca.certificatePem, 'www.site39.com');
  await store.close();
  assert.equal(keptCertificate(dir, 'site39.com').fingerprint256, certificate.fingerprint256);
  assert.equal(readdirSync(dir).length, 41);
});

test('no more contexts are held than allowed, and the least recently used goes first', async () => {
  const store = await openStore(ca, temporaryFolder(), { maxContexts: 2 });
  const first = await store.secureContext('www.one.com');
  await store.secureContext('www.two.com');
  assert.equal(store.secureContext('www.one.com'), first);
  await store.secureContext('www.three.com');
  assert.equal(store.size, 2);
  assert.equal(store.secureContext('www.one.com'), first);
  const two = store.secureContext('www.two.com');
  assert.ok(two instanceof Promise);
  await two;
  assert.equal(store.size, 2);
  await store.close();
});

test('after a restart the kept certificates and their key are used again', async () => {
  const dir = temporaryFolder();
  const hosts = ['www.example.com', 'localhost', '127.0.0.1', '::1', 'a_b.example.com', `x_y.${'a.'.repeat(121)}example`];
  for (const host of hosts) assert.equal(await visit(dir, host), await visit(dir, host), host);
  assert.equal(readdirSync(dir).length, hosts.length + 1);
});

test('files are for their owner only, and so is a folder that was made for them', async () => {
  const dir = join(temporaryFolder(), 'new', 'certs');
  await visit(dir, 'www.example.com');
  assert.equal((statSync(dir).mode & 0o777).toString(8), '700');
  for (const name of readdirSync(dir)) assert.equal((statSync(join(dir, name)).mode & 0o777).toString(8), '600', name);
});

test('a kept certificate with less than a week to go is made anew, one with more is not', async () => {
  const old = await newCa(temporaryFolder(), () => Date.now() - 500 * DAY_MS);
  for (const [ageDays, isReused] of [
    [387, true],
    [389, false],
  ] as const) {
    const dir = temporaryFolder();
    const past = await openStore(old, dir, { now: () => Date.now() - ageDays * DAY_MS }); // valid for 395 days from then on
    await past.secureContext('www.example.com');
    await past.close();
    const kept = keptCertificate(dir, 'example.com').fingerprint256;
    const shown = await visit(dir, 'www.example.com', {}, old);
    assert.equal(shown === kept, isReused, `${ageDays} days old`);
    assert.equal(keptCertificate(dir, 'example.com').fingerprint256, shown);
  }
});

test('a running proxy makes a certificate anew when its last week begins', async () => {
  const startMs = Date.now();
  let nowMs = startMs;
  const store = await openStore(ca, temporaryFolder(), { now: () => nowMs });
  const first = await store.secureContext('www.example.com');
  nowMs = startMs + 387 * DAY_MS;
  assert.equal(store.secureContext('www.example.com'), first);
  nowMs = startMs + 389 * DAY_MS;
  const second = await store.secureContext('www.example.com');
  assert.notEqual(second, first);
  assert.equal(store.secureContext('www.example.com'), second);
  await store.close();
});

test('a certificate from a clock that was ahead is made anew', async () => {
  const dir = temporaryFolder();
  const ahead = await openStore(ca, dir, { now: () => Date.now() + 30 * DAY_MS });
  await ahead.secureContext('www.example.com');
  await ahead.close();
  const kept = keptCertificate(dir, 'example.com').fingerprint256;
  assert.notEqual(await visit(dir, 'www.example.com'), kept);
});

test('no certificate outlives its authority, and one that ends with it is not made anew again and again', async () => {
  const dir = temporaryFolder();
  const endMs = Date.parse(ca.certificate.validTo);
  const now = (): number => endMs - 3 * DAY_MS;
  const store = await openStore(ca, dir, { now });
  const context = await store.secureContext('www.example.com');
  assert.equal(store.secureContext('www.example.com'), context);
  await store.close();
  const kept = keptCertificate(dir, 'example.com');
  assert.equal(kept.validTo, ca.certificate.validTo);
  const again = await openStore(ca, dir, { now });
  await again.secureContext('www.example.com');
  await again.close();
  assert.equal(keptCertificate(dir, 'example.com').fingerprint256, kept.fingerprint256);
});

test('when the authority changed, kept certificates are made anew', async () => {
  const dir = temporaryFolder();
  const first = await visit(dir, 'www.example.com');
  const other = await newCa(temporaryFolder()); // the same name, another key
  assert.equal(other.certificate.subject, ca.certificate.subject);
  assert.notEqual(await visit(dir, 'www.example.com', {}, other), first);
  assert.ok(keptCertificate(dir, 'example.com').verify(other.certificate.publicKey));
});

test('when the leaf key changed, kept certificates are made anew', async () => {
  const dir = temporaryFolder();
  const first = await visit(dir, 'www.example.com');
  writeFileSync(join(dir, 'leaf.key'), ecKey().export({ type: 'pkcs8', format: 'pem' }));
  assert.notEqual(await visit(dir, 'www.example.com'), first);
});

test('broken files are replaced: a certificate, one for other names, a forged one, the key', async () => {
  const dir = temporaryFolder();
  await visit(dir, 'www.other.com');
  const other = readFileSync(join(dir, 'other.com.pem'), 'utf8');
  const good = await visit(dir, 'www.example.com');
  const file = join(dir, 'example.com.pem');
  const pem = readFileSync(file, 'utf8');
  const { raw } = keptCertificate(dir, 'example.com');
  raw[raw.length - 1]! ^= 1; // the signature's last bit
  const forged = `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`;
  for (const text of ['', 'garbage', pem.slice(0, 300), other, forged]) {
    writeFileSync(file, text);
    const { log, lines } = recordingLog();
    assert.notEqual(await visit(dir, 'www.example.com', { log }), good);
    assert.deepEqual(lines, [
      { level: 'debug', fields: { name: 'example.com' }, message: 'the kept leaf certificate is no good any more and is replaced' },
    ]);
    assert.notEqual(readFileSync(file, 'utf8'), text);
  }
  for (const text of ['', 'garbage', ecKey('P-384').export({ type: 'pkcs8', format: 'pem' }).toString()]) {
    writeFileSync(join(dir, 'leaf.key'), text);
    assert.equal(await visit(dir, 'www.example.com'), await visit(dir, 'www.example.com'));
  }
});

test('what follows a kept certificate in its file is not shown to clients', async () => {
  const dir = temporaryFolder();
  const first = await visit(dir, 'www.example.com');
  await visit(dir, 'www.other.com');
  const file = join(dir, 'example.com.pem');
  writeFileSync(file, readFileSync(file, 'utf8') + readFileSync(join(dir, 'other.com.pem'), 'utf8'));
  assert.equal(await visit(dir, 'www.example.com'), first);
});

test('a folder that cannot be written costs one warning and nothing else', async () => {
  const dir = join(temporaryFolder(), 'file');
  writeFileSync(dir, '');
  const { log, lines } = recordingLog();
  const store = await openStore(ca, dir, { log });
  for (const host of ['www.one.com', 'www.two.com', 'www.three.com'])
    await handshake(await store.secureContext(host), ca.certificatePem, host);
  await store.close();
  const warnings = lines.filter(({ level }) => level !== 'debug');
  assert.equal(warnings.length, 1);
  assert.equal(warnings[0]?.message, 'leaf certificates cannot be kept; they are made anew at the next start');
});

test('a folder that goes bad while running costs one warning and nothing else', async () => {
  const dir = temporaryFolder();
  const { log, lines } = recordingLog();
  const store = await openStore(ca, dir, { log });
  mkdirSync(join(dir, 'one.com.pem', 'in-the-way'), { recursive: true });
  mkdirSync(join(dir, 'two.com.pem', 'in-the-way'), { recursive: true });
  for (const host of ['www.one.com', 'www.two.com']) await handshake(await store.secureContext(host), ca.certificatePem, host);
  await store.close();
  assert.equal(lines.filter(({ level }) => level === 'warn').length, 1);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('no name leads out of the folder', async () => {
  const parent = temporaryFolder();
  const dir = join(parent, 'certs');
  const store = await openStore(ca, dir);
  for (const host of [
    '../evil',
    '..',
    '/etc/passwd',
    'a/../../evil.com',
    '..\\evil.com',
    'leaf.key/../x',
    '%2e%2e/evil',
    'fe80::1%../../evil',
  ]) {
    assert.throws(() => store.secureContext(host), CertificateNameError, host);
  }
  await store.secureContext('leaf.key'); // a host of this name does not take the key's place
  await store.secureContext('fe80::1%eth0');
  await store.close();
  assert.deepEqual(readdirSync(parent), ['certs']);
  assert.deepEqual(readdirSync(dir).sort(), ['fe80--1.pem', 'leaf.key', 'leaf.key.pem']);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a connection that was begun with a context goes on when that has left the cache and was freed (${version})`, async (t) => {
    const store = await openStore(ca, temporaryFolder(), { maxContexts: 1 });
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const tcp = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    const context = await store.secureContext('www.one.com');
    const secured = new TLSSocket(socket, { isServer: true, secureContext: context });
    await store.secureContext('www.two.com');
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    secured.on('data', (bytes: Buffer) => secured.write(bytes));
    const client = connectTls({ socket: tcp, ca: ca.certificatePem, host: 'www.one.com', minVersion: version, maxVersion: version });
    client.write('hello');
    const [echo] = (await once(client, 'data')) as [Buffer];
    assert.equal(echo.toString(), 'hello');
    assert.equal(client.authorized, true);
    client.destroy();
    secured.destroy();
    await store.close();
  });
}
