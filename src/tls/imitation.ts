/**
 * A client's hello in the words in which OpenSSL can be told to say the same.
 *
 * What OpenSSL has no word for is left out: suites, groups and algorithms that it does not know, GREASE, the order of extensions.
 * Source: IANA "TLS Parameters"; ciphers(1), SSL_CTX_set1_groups_list(3), SSL_CTX_set1_sigalgs_list(3).
 */
import { createHash } from 'node:crypto';
import type { SecureVersion } from 'node:tls';
import type { ClientHello } from './client-hello.ts';

export interface TlsImitation {
  /** 22 characters; two that are equal have the same */
  readonly key: string;
  /** joined by `:`, in the client's order; never empty */
  readonly ciphers: string;
  /** in the client's order; not every OpenSSL knows each */
  readonly groups: readonly string[];
  /** likewise */
  readonly signatures: readonly string[];
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly alpn: readonly string[];
}

const table = (text: string): ReadonlyMap<number, string> =>
  new Map(
    text
      .trim()
      .split(/\s+/)
      .map((entry) => [parseInt(entry.slice(0, 4), 16), entry.slice(5)]),
  );

const CIPHERS = table(`
  1301:TLS_AES_128_GCM_SHA256 1302:TLS_AES_256_GCM_SHA384 1303:TLS_CHACHA20_POLY1305_SHA256 1304:TLS_AES_128_CCM_SHA256 1305:TLS_AES_128_CCM_8_SHA256
  c02b:ECDHE-ECDSA-AES128-GCM-SHA256 c02c:ECDHE-ECDSA-AES256-GCM-SHA384 c02f:ECDHE-RSA-AES128-GCM-SHA256 c030:ECDHE-RSA-AES256-GCM-SHA384
  cca8:ECDHE-RSA-CHACHA20-POLY1305 cca9:ECDHE-ECDSA-CHACHA20-POLY1305 ccaa:DHE-RSA-CHACHA20-POLY1305
  c009:ECDHE-ECDSA-AES128-SHA c00a:ECDHE-ECDSA-AES256-SHA c013:ECDHE-RSA-AES128-SHA c014:ECDHE-RSA-AES256-SHA
  c023:ECDHE-ECDSA-AES128-SHA256 c024:ECDHE-ECDSA-AES256-SHA384 c027:ECDHE-RSA-AES128-SHA256 c028:ECDHE-RSA-AES256-SHA384
  c0ac:ECDHE-ECDSA-AES128-CCM c0ad:ECDHE-ECDSA-AES256-CCM
  009c:AES128-GCM-SHA256 009d:AES256-GCM-SHA384 002f:AES128-SHA 0035:AES256-SHA 003c:AES128-SHA256 003d:AES256-SHA256
  009e:DHE-RSA-AES128-GCM-SHA256 009f:DHE-RSA-AES256-GCM-SHA384 0033:DHE-RSA-AES128-SHA 0039:DHE-RSA-AES256-SHA
  0067:DHE-RSA-AES128-SHA256 006b:DHE-RSA-AES256-SHA256
  0032:DHE-DSS-AES128-SHA 0038:DHE-DSS-AES256-SHA 0040:DHE-DSS-AES128-SHA256 006a:DHE-DSS-AES256-SHA256
  00a2:DHE-DSS-AES128-GCM-SHA256 00a3:DHE-DSS-AES256-GCM-SHA384
  c09c:AES128-CCM c09d:AES256-CCM c09e:DHE-RSA-AES128-CCM c09f:DHE-RSA-AES256-CCM
  c0a0:AES128-CCM8 c0a1:AES256-CCM8 c0a2:DHE-RSA-AES128-CCM8 c0a3:DHE-RSA-AES256-CCM8
  c0ae:ECDHE-ECDSA-AES128-CCM8 c0af:ECDHE-ECDSA-AES256-CCM8
  c050:ARIA128-GCM-SHA256 c051:ARIA256-GCM-SHA384 c052:DHE-RSA-ARIA128-GCM-SHA256 c053:DHE-RSA-ARIA256-GCM-SHA384
  c056:DHE-DSS-ARIA128-GCM-SHA256 c057:DHE-DSS-ARIA256-GCM-SHA384 c05c:ECDHE-ECDSA-ARIA128-GCM-SHA256 c05d:ECDHE-ECDSA-ARIA256-GCM-SHA384
  c060:ECDHE-ARIA128-GCM-SHA256 c061:ECDHE-ARIA256-GCM-SHA384
`);

const GROUPS = table(`
  001d:X25519 0017:P-256 0018:P-384 0019:P-521 001e:X448 11ec:X25519MLKEM768
  11eb:SecP256r1MLKEM768 11ed:SecP384r1MLKEM1024 0200:MLKEM512 0201:MLKEM768 0202:MLKEM1024
  0100:ffdhe2048 0101:ffdhe3072 0102:ffdhe4096 0103:ffdhe6144 0104:ffdhe8192
`);

const SIGNATURES = table(`
  0403:ecdsa_secp256r1_sha256 0503:ecdsa_secp384r1_sha384 0603:ecdsa_secp521r1_sha512 0807:ed25519 0808:ed448
  0804:rsa_pss_rsae_sha256 0805:rsa_pss_rsae_sha384 0806:rsa_pss_rsae_sha512 0809:rsa_pss_pss_sha256 080a:rsa_pss_pss_sha384 080b:rsa_pss_pss_sha512
  0904:mldsa44 0905:mldsa65 0906:mldsa87
  081a:ecdsa_brainpoolP256r1tls13_sha256 081b:ecdsa_brainpoolP384r1tls13_sha384 081c:ecdsa_brainpoolP512r1tls13_sha512
  0401:rsa_pkcs1_sha256 0501:rsa_pkcs1_sha384 0601:rsa_pkcs1_sha512
  0201:RSA+SHA1 0202:DSA+SHA1 0203:ECDSA+SHA1 0301:RSA+SHA224 0302:DSA+SHA224 0303:ECDSA+SHA224
  0402:DSA+SHA256 0502:DSA+SHA384 0602:DSA+SHA512
`);

const VERSIONS: ReadonlyMap<number, SecureVersion> = new Map([
  [0x0301, 'TLSv1'],
  [0x0302, 'TLSv1.1'],
  [0x0303, 'TLSv1.2'],
  [0x0304, 'TLSv1.3'],
]);

/** @returns undefined when nothing of it could be imitated */
export function imitationOf(hello: ClientHello): TlsImitation | undefined {
  const ciphers = named(hello.ciphers, CIPHERS).join(':');
  const offered = hello.versions.length > 0 ? hello.versions : upTo(hello.legacyVersion);
  const versions = named(offered.toSorted(), VERSIONS);
  const [minVersion] = versions;
  const maxVersion = versions.at(-1);
  if (ciphers === '' || minVersion === undefined || maxVersion === undefined) return undefined;
  const groups = named(hello.groups, GROUPS);
  const signatures = named(hello.signatures, SIGNATURES);
  const said = { ciphers, groups, signatures, minVersion, maxVersion, alpn: hello.alpn };
  return { key: createHash('sha256').update(JSON.stringify(said)).digest('base64url').slice(0, 22), ...said };
}

/** Each once, in the client's order. */
function named<Name>(ids: readonly number[], names: ReadonlyMap<number, Name>): readonly Name[] {
  return [...new Set(ids.flatMap((id) => names.get(id) ?? []))];
}

/** A client without `supported_versions` takes everything up to what it says (RFC 5246 §E.1). */
function upTo(version: number): readonly number[] {
  return [...VERSIONS.keys()].filter((each) => each <= Math.min(version, 0x0303));
}
