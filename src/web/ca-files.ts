/**
 * The certificate of the authority in the forms that systems import, at `/ca/…`. Never the key.
 *
 * The types are those by which browsers and telephones offer to import what they are given.
 */
import { APPLE_PROFILE_TYPE, appleProfile } from '../ca/apple-profile.ts';
import type { CertificateAuthority } from '../ca/authority.ts';
import { exportCaPkcs12 } from '../ca/export.ts';
import type { FetchHandler } from './pages.ts';

const X509_TYPE = 'application/x-x509-ca-cert';
/** What is shown beside it: some importers take none that is empty. It guards nothing, the certificate is public. */
export const PKCS12_PASSWORD = 'changeit';

/** By path. */
export function caFiles(ca: CertificateAuthority): Readonly<Record<string, FetchHandler>> {
  // The mark of a PKCS#12 is drawn anew each time, and takes some milliseconds.
  let pkcs12: Buffer | undefined;
  return {
    '/ca/warctap-ca.pem': file('warctap-ca.pem', X509_TYPE, () => Buffer.from(ca.certificatePem)),
    '/ca/warctap-ca.cer': file('warctap-ca.cer', X509_TYPE, () => ca.certificate.raw),
    '/ca/warctap-ca.p12': file(
      'warctap-ca.p12',
      'application/x-pkcs12',
      () => (pkcs12 ??= exportCaPkcs12(ca, { password: PKCS12_PASSWORD })),
    ),
    '/ca/warctap-ca.mobileconfig': file('warctap-ca.mobileconfig', APPLE_PROFILE_TYPE, () => Buffer.from(appleProfile(ca))),
  };
}

function file(name: string, type: string, content: () => Buffer): FetchHandler {
  return () => {
    const bytes = content();
    const headers = {
      'content-type': type,
      'content-disposition': `inline; filename=${name}`,
      'content-length': String(bytes.length),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    };
    return new Response(new Uint8Array(bytes), { headers });
  };
}
