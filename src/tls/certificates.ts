/**
 * The certificates that an origin has shown, and whether they are to be trusted. Judged, never acted upon.
 *
 * Source: RFC 8446 §4.4.2 (order of a chain); X509_verify_cert_error_string(3) (codes); RFC 9525 (names).
 */
import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

export interface OriginCertificates {
  /** `tls:host:port` */
  readonly origin: string;
  /** asked for in TLS, where that was not the host's name; the certificates are judged by it */
  readonly name: string | undefined;
  /** 44 characters for the chain and where it came from: two that are equal have the same */
  readonly key: string;
  /** DER, in the order in which they were sent: the origin's own first */
  readonly chain: readonly Buffer[];
  /** OpenSSL's code of what speaks against them, such as `CERT_HAS_EXPIRED`; undefined when nothing does */
  readonly error: string | undefined;
}

/** Node's code of a name that is not in the certificate; OpenSSL's own for the same. */
const [WRONG_NAME, HOSTNAME_MISMATCH] = ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'];

/**
 * What was shown in a handshake. To be called once for a connection: Node takes the chain out of OpenSSL's hands.
 *
 * @param socket of a whole handshake. One that goes on with an earlier session has no chain
 * @param origin `tls:host:port`
 * @param name asked for, where it was not the host's
 */
export function certificatesOf(socket: TLSSocket, origin: string, name: string | undefined): OriginCertificates {
  const chain: Buffer[] = [];
  // Each is followed by the one that was sent behind it, whoever has issued it.
  for (let each: X509Certificate | undefined = socket.getPeerX509Certificate(); each !== undefined; each = each.issuerCertificate)
    chain.push(each.raw);
  const hash = createHash('sha256').update(`${origin} ${name ?? ''}\n`);
  for (const der of chain) hash.update(der);
  return { origin, name, key: hash.digest('base64'), chain, error: verdictOf(socket) };
}

/** What speaks against the certificates, by Node's root store, by date and by name. */
export function verdictOf(socket: TLSSocket): string | undefined {
  if (socket.authorized) return undefined;
  // The code, though its type says that it is an error.
  const code = String(socket.authorizationError);
  return code === WRONG_NAME ? HOSTNAME_MISMATCH : code;
}

/** Bytes that the chain takes. */
export function chainSize({ chain }: OriginCertificates): number {
  return chain.reduce((size, der) => size + der.length, 0);
}
