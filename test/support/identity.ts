/** Whether a certificate is for a host, as a client of Node checks it. */
import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/**
 * IPv6 addresses go by OpenSSL's own rule: Node 22.23 has lost its rule for them, and takes such an address for a name.
 *
 * @returns the error when it is for another host
 */
export function checkIdentity(host: string, certificate: PeerCertificate): Error | undefined {
  if (!isIPv6(host)) return checkServerIdentity(host, certificate);
  const x509 = new X509Certificate(certificate.raw);
  if (x509.checkIP(host) !== undefined) return undefined;
  return Object.assign(new Error(`${host} is not in ${x509.subjectAltName}`), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}
