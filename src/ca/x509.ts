/**
 * Builds X.509 certificates with node-forge's ASN.1 and node's signatures: forge's own signature takes 30 ms of the main thread, and it knows no EC keys.
 *
 * Knows nothing of hosts, files or clocks.
 * Source: RFC 5280 §4.1, §4.2; RFC 4055 §5 and RFC 5758 §3.2 (signature algorithms).
 */
import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto';
import type { Asn1 } from './der.ts';
import {
  bits,
  bytesOf,
  explicit,
  fromDer,
  implicit,
  integer,
  isOid,
  isTagged,
  itemsOf,
  nothing,
  octets,
  oid,
  sequence,
  set,
  time,
  toDer,
  utf8,
  yes,
} from './der.ts';
import { ipOctets, type LeafNames } from './names.ts';

export interface CertificateFields {
  /** whole seconds count */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly issuer: Asn1;
  readonly subject: Asn1;
  /** SubjectPublicKeyInfo */
  readonly publicKey: Asn1;
  readonly extensions: readonly Asn1[];
}

export interface Signer {
  /** AlgorithmIdentifier */
  readonly algorithm: Asn1;
  /** Runs in the thread pool. */
  sign(bytes: Buffer): Promise<Buffer>;
}

/** 127 bits, the highest of them set, so that the number is positive and of one length. RFC 5280 §4.1.2.2. */
const SERIAL_BYTES = 16;

const HASH_OF_CURVE: ReadonlyMap<string, readonly [hash: string, oid: string]> = new Map([
  ['prime256v1', ['sha256', '1.2.840.10045.4.3.2']],
  ['secp384r1', ['sha384', '1.2.840.10045.4.3.3']],
  ['secp521r1', ['sha512', '1.2.840.10045.4.3.4']],
]);

/** @returns DER */
export async function buildCertificate(fields: CertificateFields, signer: Signer): Promise<Buffer> {
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    signer.algorithm,
    fields.issuer,
    sequence(time(fields.notBeforeMs), time(fields.notAfterMs)),
    fields.subject,
    fields.publicKey,
    explicit(3, sequence(...fields.extensions)),
  );
  const signature = await signer.sign(toDer(body));
  return toDer(sequence(body, signer.algorithm, bits(signature)));
}

/** @returns nothing for a key that clients take no signatures of: neither RSA nor EC on a NIST curve */
export function signerOf(privateKey: KeyObject): Signer | undefined {
  if (privateKey.asymmetricKeyType === 'rsa') {
    return { algorithm: sequence(oid('1.2.840.113549.1.1.11'), nothing()), sign: (bytes) => signInPool('sha256', bytes, privateKey) };
  }
  const known = HASH_OF_CURVE.get(privateKey.asymmetricKeyDetails?.namedCurve ?? '');
  if (known === undefined) return undefined;
  const [hash, algorithm] = known;
  return { algorithm: sequence(oid(algorithm)), sign: (bytes) => signInPool(hash, bytes, privateKey) };
}

function signInPool(hash: string, bytes: Buffer, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign(hash, bytes, key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
  });
}

export function publicKeyInfo(publicKey: KeyObject): Asn1 {
  return fromDer(publicKey.export({ type: 'spki', format: 'der' }));
}

/** SHA-1 of the public key's bits. RFC 5280 §4.2.1.2, method 1. */
export function keyIdOf(publicKey: Asn1): Buffer {
  const keyBits = bytesOf(itemsOf(publicKey)[1]).subarray(1);
  return createHash('sha1').update(keyBits).digest();
}

/** A name of one attribute or more: `CN` commonName, `O` organizationName. At most 64 characters each (RFC 5280 Appendix A.1). */
export function distinguishedName(attributes: { readonly CN?: string; readonly O?: string }): Asn1 {
  const one = (dotted: string, text: string | undefined): Asn1[] => (text === undefined ? [] : [set(sequence(oid(dotted), utf8(text)))]);
  return sequence(...one('2.5.4.10', attributes.O), ...one('2.5.4.3', attributes.CN));
}

/** The subject's name and key identifier of a certificate, byte for byte: what its leaves must name as their issuer. */
export function subjectOf(certificate: Buffer, publicKey: Asn1): { readonly name: Asn1; readonly keyId: Buffer } {
  const body = itemsOf(itemsOf(fromDer(certificate))[0]);
  const name = body[5];
  if (name === undefined) throw new Error('the certificate has no subject');
  const extensions = itemsOf(itemsOf(body.find((item) => isTagged(item, 3)))[0]);
  const keyId = extensions.find((extension) => isOid(itemsOf(extension)[0], '2.5.29.14'));
  return { name, keyId: keyId === undefined ? keyIdOf(publicKey) : bytesOf(fromDer(bytesOf(itemsOf(keyId).at(-1)))) };
}

function extension(dotted: string, value: Asn1, critical = false): Asn1 {
  return sequence(oid(dotted), ...(critical ? [yes()] : []), octets(toDer(value)));
}

/** RFC 5280 §4.2.1.9, critical as §4.2.1.9 asks of authorities. */
export const basicConstraintsCa = (): Asn1 => extension('2.5.29.19', sequence(yes()), true);
/** RFC 5280 §4.2.1.3: bits 5 and 6. */
export const usageSignsCertificates = (): Asn1 => extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true);
/** RFC 5280 §4.2.1.3: bit 0. */
export const usageDigitalSignature = (): Asn1 => extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true);
/** RFC 5280 §4.2.1.12. */
export const usageServer = (): Asn1 => extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1')));
/** RFC 5280 §4.2.1.2. */
export const subjectKeyId = (keyId: Buffer): Asn1 => extension('2.5.29.14', octets(keyId));
/** RFC 5280 §4.2.1.1. */
export const authorityKeyId = (keyId: Buffer): Asn1 => extension('2.5.29.35', sequence(implicit(0, keyId)));

/** RFC 5280 §4.2.1.6: dNSName is [2], iPAddress is [7]. */
export function subjectAltName({ names, kind }: LeafNames): Asn1 {
  return extension(
    '2.5.29.17',
    sequence(...names.map((name) => (kind === 'ip' ? implicit(7, ipOctets(name)) : implicit(2, Buffer.from(name))))),
  );
}

/** @returns the PEM form, with a final line feed. RFC 7468 §5. */
export function certificatePem(certificate: Buffer): string {
  const lines = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
