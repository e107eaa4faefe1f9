/**
 * Chains of certificates as text.
 *
 * Source: RFC 7468 §5.1 (certificates as PEM); RFC 8555 §9.1 (a chain is one behind the other, and nothing between them).
 */

const LINE = /.{1,64}/g;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;

/** @param chain DER, the first certificate first */
export function pemOf(chain: readonly Buffer[]): string {
  return chain
    .map((der) => `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(LINE, '$&\n')}-----END CERTIFICATE-----\n`)
    .join('');
}

/** The certificates in a text, as DER. */
export function derOf(pem: string): readonly Buffer[] {
  return Array.from(pem.matchAll(CERTIFICATE), ([, base64 = '']) => Buffer.from(base64, 'base64'));
}
