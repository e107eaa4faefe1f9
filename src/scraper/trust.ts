/** Certificates of authorities: those of the system, and what NODE_EXTRA_CA_CERTS names. */
import { readFileSync } from 'node:fs';
import tls from 'node:tls';

/** Where systems keep theirs in one file, for a Node that does not know. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem', '/etc/ssl/cert.pem'];

type GetCaCertificates = (type: 'default' | 'system') => string[];

/** PEM, in no order. */
export function trustedCertificates(environment: NodeJS.ProcessEnv = process.env): string[] {
  // Node 22.15 and newer.
  const { getCACertificates } = tls as unknown as { getCACertificates?: GetCaCertificates };
  if (getCACertificates !== undefined) return [...getCACertificates('default'), ...getCACertificates('system')];
  const { NODE_EXTRA_CA_CERTS: extra, SSL_CERT_FILE: system } = environment;
  const bundles = system === undefined ? BUNDLES : [system];
  return [...tls.rootCertificates, ...bundles.flatMap(contentOf), ...(extra === undefined ? [] : contentOf(extra))];
}

function contentOf(file: string): string[] {
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    return []; // not this system's place
  }
}
