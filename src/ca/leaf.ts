/**
 * One leaf certificate: make it, and tell whether a kept one still serves.
 *
 * Source: RFC 5280 §4.2; CA/Browser Forum Baseline Requirements §6.3.2 (398 days at most), §7.1.2.7 (extensions of a server's certificate).
 */
import { X509Certificate } from 'node:crypto';
import type { Issuer } from './authority.ts';
import type { Asn1 } from './der.ts';
import { toDer } from './der.ts';
import type { LeafNames } from './names.ts';
import {
  authorityKeyId,
  buildCertificate,
  certificatePem,
  distinguishedName,
  keyIdOf,
  subjectAltName,
  subjectKeyId,
  usageDigitalSignature,
  usageServer,
} from './x509.ts';

export interface Leaf {
  readonly pem: string;
  /** from this time on it is to be made anew; milliseconds since 1970 */
  readonly renewAtMs: number;
}

const DAY_MS = 86_400_000;
const BACKDATED_MS = 2 * DAY_MS;
const LIFETIME_MS = 397 * DAY_MS;
const RENEW_BEFORE_MS = 7 * DAY_MS;
/** RFC 5280 Appendix A.1, ub-common-name. Clients read the alternative names; the common name is for people. */
const MAX_COMMON_NAME = 64;

/** @param publicKey SubjectPublicKeyInfo of the leaf key */
export async function mintLeaf(issuer: Issuer, names: LeafNames, publicKey: Asn1, nowMs: number): Promise<Leaf> {
  const first = names.names[0] ?? names.key;
  const fromMs = nowMs - BACKDATED_MS;
  const untilMs = Math.min(fromMs + LIFETIME_MS, issuer.notAfterMs);
  const certificate = await buildCertificate(
    {
      notBeforeMs: Math.max(fromMs, issuer.notBeforeMs),
      notAfterMs: untilMs,
      issuer: issuer.name,
      // Never empty: the alternative names would have to be critical then (RFC 5280 §4.2.1.6).
      subject: distinguishedName(first.length <= MAX_COMMON_NAME ? { CN: first } : { O: 'warctap' }),
      publicKey,
      extensions: [
        usageDigitalSignature(),
        usageServer(),
        subjectAltName(names),
        subjectKeyId(keyIdOf(publicKey)),
        authorityKeyId(issuer.keyId),
      ],
    },
    issuer.signer,
  );
  return { pem: certificatePem(certificate), renewAtMs: renewalOf(untilMs, issuer) };
}

/**
 * A kept certificate, if it is what `mintLeaf` would make: for these names and this key, from this authority, valid now and for a week to come.
 *
 * @returns nothing for any other text, also for one that is no certificate
 */
export function keptLeaf(pem: string, issuer: Issuer, names: LeafNames, publicKey: Asn1, nowMs: number): Leaf | undefined {
  const certificate = parsed(pem);
  if (certificate === undefined) return undefined;
  const renewAtMs = renewalOf(Date.parse(certificate.validTo), issuer);
  const inTime = Date.parse(certificate.validFrom) <= nowMs && nowMs < renewAtMs;
  const same = certificate.raw.includes(toDer(subjectAltName(names))) && certificate.raw.includes(toDer(publicKey));
  const ours = certificate.raw.includes(toDer(issuer.name)) && certificate.raw.includes(toDer(authorityKeyId(issuer.keyId)));
  // The signature last: it is the dear one. What follows the certificate in the file is left behind.
  return inTime && same && ours && certificate.verify(issuer.publicKey) ? { pem: certificatePem(certificate.raw), renewAtMs } : undefined;
}

/** A certificate and nothing else, issued by this authority to a host. */
export function isLeafOf(issuer: Issuer, pem: string): boolean {
  const certificate = pem.includes('PRIVATE KEY') ? undefined : parsed(pem);
  if (certificate === undefined || certificate.ca) return false;
  return certificate.raw.includes(toDer(issuer.name)) && certificate.raw.includes(toDer(authorityKeyId(issuer.keyId)));
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined; // no certificate: the caller makes a new one and logs it
  }
}

/** A certificate that ends with its authority cannot be bettered by a new one. */
function renewalOf(untilMs: number, issuer: Issuer): number {
  return untilMs >= issuer.notAfterMs ? Infinity : untilMs - RENEW_BEFORE_MS;
}
