/**
 * Reads the authority's PEM file, whoever made it: warctap, warcprox, openssl. Pure.
 *
 * One unencrypted private key (PKCS#1, SEC 1 or PKCS#8) and its certificate, in any order; other blocks and text between them are passed over.
 * Source: RFC 7468 §2.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { reasonOf } from '../util/thrown.ts';
import { CaError } from './errors.ts';
import { signerOf } from './x509.ts';

export interface KeyAndCertificate {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----[\s\S]*?-----END \1-----/g;
const CERTIFICATE_LABELS: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE']);
/** OpenSSL's security level 2, which Node 24 has by default, takes no shorter one. */
const MIN_RSA_BITS = 2048;

/**
 * @param file only named in errors
 * @throws CaError `CA_INVALID`, in one line: the file, what is wrong with it, what was expected
 */
export function readCaPem(file: string, pem: string, nowMs: number): KeyAndCertificate {
  const refuse = (wrong: string, expected: string, cause?: unknown): never => {
    throw new CaError('CA_INVALID', `CA file ${file}: ${wrong}; expected ${expected}`, cause);
  };
  const attempt = <T>(what: string, expected: string, parse: () => T): T => {
    try {
      return parse();
    } catch (error) {
      return refuse(`${what} cannot be read (${reasonOf(error)})`, expected, error);
    }
  };

  const blocks = [...pem.matchAll(BLOCK)].map(([text, label = '']) => ({ text, label }));
  const keyBlock = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  const certificateBlocks = blocks.filter(({ label }) => CERTIFICATE_LABELS.has(label));
  if (blocks.length === 0) return refuse('it holds nothing in PEM form', 'a private key and a CA certificate in PEM form');
  if (keyBlock === undefined) return refuse('it has no private key', 'the key of its certificate beside it, in PEM form');
  if (certificateBlocks.length === 0) return refuse('it has no certificate', 'the CA certificate of its key beside it, in PEM form');

  const encrypted = keyBlock.label.startsWith('ENCRYPTED') || keyBlock.text.includes('ENCRYPTED');
  if (encrypted) return refuse('its private key is encrypted', 'a private key without a passphrase');
  const key = attempt('its private key', 'an RSA or EC key in PEM form', () => createPrivateKey(keyBlock.text));
  const certificates = certificateBlocks.map(({ text }) =>
    attempt('its certificate', 'an X.509 certificate', () => new X509Certificate(text)),
  );

  const certificate = certificates.find((one) => one.checkPrivateKey(key));
  if (certificate === undefined)
    return refuse('its private key does not belong to its certificate', 'a key and a certificate that belong together');
  if (!certificate.ca) {
    return refuse(
      'its certificate is not that of a certificate authority',
      'basicConstraints CA:TRUE and a keyUsage that allows signing certificates',
    );
  }
  const rsaBits = key.asymmetricKeyDetails?.modulusLength;
  const short = rsaBits !== undefined && rsaBits < MIN_RSA_BITS;
  if (short || signerOf(key) === undefined) {
    const kind = `${key.asymmetricKeyType ?? 'unknown'} ${rsaBits ?? key.asymmetricKeyDetails?.namedCurve ?? ''}`.trim();
    return refuse(
      `its private key (${kind}) is not one that clients trust`,
      `RSA of ${MIN_RSA_BITS} bits or more, or EC on P-256, P-384 or P-521`,
    );
  }
  const today = new Date(nowMs).toISOString();
  if (nowMs < Date.parse(certificate.validFrom))
    return refuse(`its certificate is not valid before ${certificate.validFrom}`, `one valid at ${today}`);
  if (nowMs > Date.parse(certificate.validTo)) return refuse(`its certificate expired at ${certificate.validTo}`, `one valid at ${today}`);
  return { key, certificate };
}
