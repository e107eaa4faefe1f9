/**
 * Which names a certificate for a host lists, and which hosts share it. Pure.
 *
 * As warcprox: hosts below one parent domain share `parent` + `*.parent`. But clients do not take every wildcard, and which they refuse differs:
 *   - `*.com`, `*.co.uk`, i.e. below a public suffix: Chromium (net/cert/x509_certificate.cc, VerifyHostname);
 *   - labels with an underscore, on either side of the match: OpenSSL (crypto/x509/v3_utl.c, valid_star, wildcard_match);
 *   - IP addresses: everyone (RFC 6125 §6.4.3, RFC 9525 §6.5).
 * A host that a client might not find behind the wildcard is listed by itself and gets a certificate of its own.
 */
import { isIP } from 'node:net';
import { CertificateNameError } from './errors.ts';

export interface LeafNames {
  /** The hosts with the same key share one certificate. Lower case; letters, digits and `-_.:` only, and no empty label. */
  readonly key: string;
  /** What the certificate lists, the most specific first. */
  readonly names: readonly string[];
  readonly kind: 'dns' | 'ip';
}

/**
 * Top-level domains of three letters or more below which two labels may be a public suffix (`airport.aero`).
 * Source: the ICANN section of publicsuffix.org, 2026; all others are country codes or internationalised.
 */
const SUFFIX_HAS_TWO_LABELS: ReadonlySet<string> = new Set(['aero', 'arpa', 'int', 'pro']);

/** RFC 1035 §2.3.4, without the root's dot. */
const MAX_NAME_CHARS = 253;
const HOST_NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const PLAIN_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * @param host a name in its ASCII form (final dot allowed) or an IP address (brackets allowed)
 * @throws CertificateNameError
 */
export function leafNames(host: string): LeafNames {
  const ip = canonicalIp(host);
  if (ip !== undefined) return { key: ip, names: [ip], kind: 'ip' };
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name.length > MAX_NAME_CHARS || !HOST_NAME.test(name)) throw new CertificateNameError(host);
  const labels = name.split('.');
  if (labels.length === 1) return { key: name, names: [name], kind: 'dns' };
  if (labels.length === 2) return { key: name, names: [name, `*.${name}`], kind: 'dns' };
  const parent = labels.slice(1).join('.');
  if (wildcardIsTaken(labels)) return { key: parent, names: [parent, `*.${parent}`], kind: 'dns' };
  return { key: name, names: [name, parent, `*.${parent}`], kind: 'dns' };
}

/** Whether every client finds this name, of three labels or more, behind the wildcard of its parent. Without the public suffix list, hence careful. */
function wildcardIsTaken(labels: readonly string[]): boolean {
  const top = labels.at(-1) ?? '';
  const plainTop = top.length > 2 && !top.startsWith('xn--') && !SUFFIX_HAS_TWO_LABELS.has(top);
  return plainTop && labels.every((label) => PLAIN_LABEL.test(label));
}

/** The one way that we write an address: as WHATWG URLs do, without brackets or zone. */
function canonicalIp(host: string): string | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const version = isIP(bare);
  if (version === 4) return bare;
  if (version === 6) return new URL(`http://[${bare.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  return undefined;
}

/** The octets of an address as `leafNames` writes it: 4 or 16. RFC 5280 §4.2.1.6, iPAddress. */
export function ipOctets(ip: string): Buffer {
  if (!ip.includes(':')) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail] = ip.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
