/**
 * The authority's certificate as PKCS#12, for clients that don't import PEM (`ca.certificatePem`). Never the key.
 *
 * node-forge's own PKCS#12 writer takes RSA certificates only and has no mark for trusted ones, so the (short) structure is built here.
 * Source: RFC 7292 §4, §4.2.3, Appendix B (key derivation).
 */
import { createHmac, randomBytes } from 'node:crypto';
import forge from 'node-forge';
import type { CertificateAuthority } from './authority.ts';
import type { Asn1 } from './der.ts';
import { bmpString, explicit, integer, nothing, octets, oid, sequence, set, toDer } from './der.ts';

const DATA = '1.2.840.113549.1.7.1';
const CERT_BAG = '1.2.840.113549.1.12.10.1.3';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
/** Oracle's trustedKeyUsage: without it Java passes over a certificate that has no key. Others pass over the attribute. */
const TRUSTED_KEY_USAGE = '2.16.840.1.113894.746875.1.1';
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';
const SHA1 = '1.3.14.3.2.26';
/** What every importer knows. It guards a public certificate against accidents, no more. */
const MAC_ITERATIONS = 2048;
const MAC_SALT_BYTES = 16;
const MAC_KEY_ID = 3;
const MAC_KEY_BYTES = 20;

export interface Pkcs12Options {
  /** asked for at import; may be empty, which some importers refuse */
  readonly password?: string;
  /** shown by importers */
  readonly friendlyName?: string;
}

/** @returns DER of a PKCS#12 trust store that holds the certificate and no key */
export function exportCaPkcs12(ca: CertificateAuthority, { password = '', friendlyName = 'warctap CA' }: Pkcs12Options = {}): Buffer {
  const attributes = set(
    sequence(oid(FRIENDLY_NAME), set(bmpString(friendlyName))),
    sequence(oid(TRUSTED_KEY_USAGE), set(oid(ANY_EXTENDED_KEY_USAGE))),
  );
  const certificate = sequence(oid(X509_CERTIFICATE), explicit(0, octets(ca.certificate.raw)));
  const bags = sequence(sequence(oid(CERT_BAG), explicit(0, certificate), attributes));
  const content = toDer(sequence(dataOf(bags)));
  const salt = randomBytes(MAC_SALT_BYTES);
  const mac = sequence(
    sequence(sequence(oid(SHA1), nothing()), octets(macOf(content, password, salt))),
    octets(salt),
    integer(Buffer.from([MAC_ITERATIONS >> 8, MAC_ITERATIONS & 0xff])),
  );
  return toDer(sequence(integer(Buffer.from([3])), sequence(oid(DATA), explicit(0, octets(content))), mac));
}

function dataOf(content: Asn1): Asn1 {
  return sequence(oid(DATA), explicit(0, octets(toDer(content))));
}

function macOf(content: Buffer, password: string, salt: Buffer): Buffer {
  const derived = forge.pkcs12.generateKey(
    password,
    forge.util.createBuffer(salt.toString('latin1')),
    MAC_KEY_ID,
    MAC_ITERATIONS,
    MAC_KEY_BYTES,
  );
  return createHmac('sha1', Buffer.from(derived.getBytes(), 'latin1')).update(content).digest();
}
