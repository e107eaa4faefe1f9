/** TLS to the store, to a real server: whom it is trusted by, and what is told where it is not. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadOrCreateCa } from '../../../src/ca/authority.ts';
import { mintLeaf } from '../../../src/ca/leaf.ts';
import { leafNames } from '../../../src/ca/names.ts';
import { publicKeyInfo } from '../../../src/ca/x509.ts';
import { silentLog } from '../../../src/util/log.ts';
import { runToEnd, type Ended } from '../../cli/child.ts';
import { tempDir } from '../level/support.ts';
import { addressOf, freePort, NO_SERVER, startServer } from './server.ts';
import { machine } from './support.ts';

/** A server with a certificate for 127.0.0.1. @returns undefined where it was built without TLS */
async function startSecureServer(t: { after: (close: () => Promise<void>) => void }, dir: string) {
  const authority = await loadOrCreateCa({ file: join(dir, 'ca.pem'), hostname: 'store', log: silentLog });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const leaf = await mintLeaf(authority.issuer, leafNames('127.0.0.1'), publicKeyInfo(createPublicKey(privateKey)), Date.now());
  const [key, certificate, trusted] = [join(dir, 'key.pem'), join(dir, 'certificate.pem'), join(dir, 'trusted.pem')];
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(certificate, leaf.pem);
  writeFileSync(trusted, authority.certificatePem);
  const tlsPort = await freePort();
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', trusted, '--tls-auth-clients', 'no'];
  try {
    const server = await startServer(t, { port: await freePort(), flags: ['--tls-port', String(tlsPort), ...files] });
    return { server, tlsPort, trusted };
  } catch (error) {
    if (/Bad directive|tls/i.test(String(error))) return undefined;
    throw error;
  }
}

describe('TLS to the store', { skip: NO_SERVER, concurrency: 6, timeout: 60_000 }, () => {
  const closing: (() => Promise<void> | void)[] = [];
  const suite = { after: (close: () => Promise<void> | void) => void closing.push(close) };
  let secure: Awaited<ReturnType<typeof startSecureServer>>;
  let other = '';
  before(async () => {
    secure = await startSecureServer(suite, tempDir(suite));
    const authority = await loadOrCreateCa({ file: join(tempDir(suite), 'ca.pem'), hostname: 'other', log: silentLog });
    other = join(tempDir(suite), 'other.pem');
    writeFileSync(other, authority.certificatePem);
  });
  after(async () => {
    for (const close of closing) await close();
  });

  /** By a program of its own, as Node reads whom it trusts when it starts. */
  const info = (url: string, trusted: string): Promise<Ended> =>
    runToEnd(['store', 'info', url], { env: { NODE_EXTRA_CA_CERTS: trusted } });
  const cases: readonly (readonly [what: string, scheme: string, host: string, ca: 'right' | 'other', line: RegExp | undefined])[] = [
    ['the authority of the server is named: it is used', 'rediss', '127.0.0.1', 'right', undefined],
    ['another authority is named', 'valkeys', '127.0.0.1', 'other', /is not trusted: .*; name the file of its authority in NODE_EXTRA_CA_CERTS$/],
    ['its certificate is for another name', 'rediss', 'localhost', 'right', /has a certificate for another name: .*127\.0\.0\.1/],
  ]; // prettier-ignore
  for (const [what, scheme, host, ca, line] of cases) {
    test(what, async (t) => {
      if (secure === undefined) return t.skip('the server was built without TLS');
      const url = `${scheme}://${host}:${secure.tlsPort}/0`;
      const { code, stdout, stderr } = await info(url, ca === 'right' ? secure.trusted : other);
      if (line === undefined) {
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(stdout, /^server .*\n(?:.*\n)*entries {3}0/);
      } else {
        assert.equal(code, 1);
        assert.match(stderr, /^warctap: store \S+ [^\n]+\n$/);
        assert.match(stderr.trimEnd(), line);
      }
    });
  }

  test('nobody is named who is to be trusted', async (t) => {
    if (secure === undefined) return t.skip('the server was built without TLS');
    const address = addressOf(`rediss://127.0.0.1:${secure.tlsPort}/0`);
    await assert.rejects(machine(t, { address }), { message: /^store \S+ is not trusted: .* NODE_EXTRA_CA_CERTS$/ });
  });

  test('a server is asked for TLS that does not speak it, which waits for the end of a command', async (t) => {
    if (secure === undefined) return t.skip('the server was built without TLS');
    const address = addressOf(`rediss://127.0.0.1:${secure.server.port}/0`);
    await assert.rejects(machine(t, { address, timeoutMs: 200 }), { message: `store ${address.shown} does not answer in time` });
  });

  test('a server wants TLS and is not asked for it', async (t) => {
    if (secure === undefined) return t.skip('the server was built without TLS');
    const address = addressOf(`valkey://127.0.0.1:${secure.tlsPort}/0`);
    await assert.rejects(machine(t, { address }), { message: /^store \S+ cannot be reached: / });
  });
});
