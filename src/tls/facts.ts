/**
 * What was agreed upon in a TLS handshake, in the words of WARC records. Made once for each connection, and shared by all its captures.
 *
 * Source: proposals WARC-Protocol and WARC-Cipher-Suite (iipc/warc-specifications 42 and 86); IANA "TLS Cipher Suites".
 */
import type { TLSSocket } from 'node:tls';
import type { OriginCertificates } from './certificates.ts';

export interface TlsFacts {
  /** `tls/1.3` */
  readonly version: string;
  /** name by IANA, as `TLS_AES_128_GCM_SHA256`; undefined where it has none */
  readonly cipherSuite: string | undefined;
  /** what the origin has shown; undefined where that is not looked at */
  readonly certificates?: OriginCertificates | undefined;
}

/** OpenSSL's name of a suite that IANA does not know. */
const NO_NAME = '(NONE)';

/** @param socket once its handshake is over */
export function tlsFacts(socket: TLSSocket, certificates?: OriginCertificates): TlsFacts {
  const { standardName } = socket.getCipher();
  const cipherSuite = standardName === NO_NAME ? undefined : standardName;
  return { version: versionOf(socket.getProtocol() ?? ''), cipherSuite, certificates };
}

/** `TLSv1.3` → `tls/1.3`, `TLSv1` → `tls/1.0` */
function versionOf(protocol: string): string {
  const [, name = protocol, version = '1'] = /^(TLS|SSL)v([\d.]+)$/.exec(protocol) ?? [];
  return `${name.toLowerCase()}/${version === '1' ? '1.0' : version}`;
}
