/** What the tests of the authority share: folders, authorities, and a real TLS handshake as the proxy does it. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { connect, TLSSocket, type SecureContext } from 'node:tls';
import { loadOrCreateCa, type CertificateAuthority } from '../../src/ca/authority.ts';
import { openLeafStore, type LeafStore, type LeafStoreOptions } from '../../src/ca/contexts.ts';
import type { Asn1 } from '../../src/ca/der.ts';
import {
  basicConstraintsCa,
  buildCertificate,
  certificatePem,
  distinguishedName,
  publicKeyInfo,
  signerOf,
  type Signer,
} from '../../src/ca/x509.ts';
import { silentLog, type Log } from '../../src/util/log.ts';
import { checkIdentity } from '../support/identity.ts';
import { tool } from '../support/tools.ts';

export const DAY_MS = 86_400_000;

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-ca-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function newCa(dir: string, now: () => number = Date.now): Promise<CertificateAuthority> {
  return loadOrCreateCa({ file: join(dir, 'ca.pem'), hostname: 'test.host', log: silentLog, now });
}

/** A store as a proxy has it which reaches every origin. */
export async function openStore(ca: CertificateAuthority, dir: string, more: Partial<LeafStoreOptions> = {}): Promise<LeafStore> {
  const store = await openLeafStore({ ca, dir, log: silentLog, ...more });
  const secureContext = store.secureContext.bind(store);
  store.secureContext = (host) => {
    const context = secureContext(host);
    if (context instanceof Promise) context.then(() => store.keep(host)).catch(() => undefined);
    return context;
  };
  return store;
}

export interface Logged {
  readonly level: keyof Log;
  readonly fields: object;
  readonly message: string;
}

export function recordingLog(): { readonly log: Log; readonly lines: Logged[] } {
  const lines: Logged[] = [];
  const at =
    (level: keyof Log) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields, message });
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

/**
 * Shake hands with a server that shows this context, as a client that trusts only `trusted` and looks for `host`.
 *
 * @returns the certificate that the server showed
 * @throws the client's error when it does not trust the server
 */
export async function handshake(context: SecureContext, trusted: string, host: string): Promise<X509Certificate> {
  const server = createServer((socket) => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext: context });
    secured.on('error', () => undefined); // the client's refusal, seen from here
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({
    port,
    host: '127.0.0.1',
    ca: trusted,
    checkServerIdentity: (_, certificate) => checkIdentity(host, certificate),
  });
  try {
    await once(client, 'secureConnect');
    return client.getPeerX509Certificate()!;
  } finally {
    client.destroy();
    server.close();
  }
}

export function keptCertificate(dir: string, name: string): X509Certificate {
  return new X509Certificate(readFileSync(join(dir, `${name}.pem`)));
}

export function rsaKey(bits = 2048): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
}

export function ecKey(namedCurve = 'P-256'): KeyObject {
  return generateKeyPairSync('ec', { namedCurve }).privateKey;
}

export interface CertificateWish {
  readonly name?: string;
  readonly extensions?: readonly Asn1[];
  readonly signer?: Signer;
  readonly issuer?: Asn1;
  readonly notAfterMs?: number;
}

/** A certificate such as other tools make: an authority's, with basicConstraints only, unless told otherwise. */
export async function certificateFor(privateKey: KeyObject, publicKey: KeyObject, wish: CertificateWish = {}): Promise<string> {
  const subject = distinguishedName({ CN: wish.name ?? 'Somebody else' });
  const fields = {
    notBeforeMs: Date.now() - DAY_MS,
    notAfterMs: wish.notAfterMs ?? Date.now() + 1000 * DAY_MS,
    issuer: wish.issuer ?? subject,
    subject,
    publicKey: publicKeyInfo(publicKey),
    extensions: wish.extensions ?? [basicConstraintsCa()],
  };
  return certificatePem(await buildCertificate(fields, wish.signer ?? signerOf(privateKey)!));
}

const OPENSSL = tool('openssl');

/** For the `skip` option of a test. */
export const opensslIsMissing = OPENSSL.skip;

/** @returns what openssl printed, errors included; its exit code must be 0 */
export function openssl(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(OPENSSL.command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout + stderr;
}
