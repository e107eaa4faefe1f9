/**
 * TLS towards origins: as permissive as an archive needs, or looking like a certain browser.
 *
 * Origins' certificates are never verified: an archive wants the page anyway. So nothing is lost by servers that do not know secure
 * renegotiation (RFC 5746): connecting to them is always allowed, as browsers do. Renegotiating with them is not.
 */
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { ImitatedContexts } from './imitated-contexts.ts';

export type BrowserProfile = 'chrome' | 'firefox';

/** Level 0 takes the short keys and old hashes that old servers still have. */
const PERMISSIVE: SecureContextOptions = { ciphers: 'DEFAULT:@SECLEVEL=0', minVersion: 'TLSv1', maxVersion: 'TLSv1.3' };

const TLS13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

const PROFILES: Record<BrowserProfile, SecureContextOptions> = {
  chrome: {
    ciphers:
      `${TLS13}:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:` +
      'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA',
    ecdhCurve: 'X25519:P-256:P-384',
    sigalgs:
      'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha384:rsa_pkcs1_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha512',
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
  },
  firefox: {
    ciphers:
      'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:' +
      'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:' +
      'ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA',
    ecdhCurve: 'X25519:P-256:P-384:P-521',
    sigalgs:
      'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:' +
      'rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:ECDSA+SHA1:RSA+SHA1',
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
  },
};

/** One context for all connections to origins: making one costs more than a handshake. */
export function originSecureContext(profile: BrowserProfile | undefined, unsafeLegacyRenegotiation: boolean): SecureContext {
  return createSecureContext({
    ...(profile === undefined ? PERMISSIVE : PROFILES[profile]),
    ...connectingOptions(unsafeLegacyRenegotiation),
  });
}

/** Contexts that say what clients say. */
export function imitatedContexts(fallback: SecureContext, unsafeLegacyRenegotiation: boolean): ImitatedContexts {
  return new ImitatedContexts(connectingOptions(unsafeLegacyRenegotiation), fallback);
}

function connectingOptions(unsafeLegacyRenegotiation: boolean): SecureContextOptions {
  const renegotiation = unsafeLegacyRenegotiation ? constants.SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION : 0;
  return { secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT | renegotiation };
}
