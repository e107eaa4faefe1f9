/**
 * Fingerprints of ClientHellos by which servers tell clients apart.
 *
 * Source: JA3 (salesforce/ja3), without its hash; JA4 (FoxIO-LLC/ja4, technical_details/JA4.md), its three parts apart.
 */
import { createHash } from 'node:crypto';
import type { ClientHello } from '../../src/tls/client-hello.ts';

/** The five parts of JA3: version, ciphers, extensions, groups, point formats. */
export function ja3({ legacyVersion, ciphers, extensions, groups, pointFormats }: ClientHello): readonly string[] {
  return [String(legacyVersion), ...[ciphers, extensions, groups, pointFormats].map((values) => values.join('-'))];
}

const hex = (value: number) => value.toString(16).padStart(4, '0');
const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
const two = (count: number) => String(Math.min(count, 99)).padStart(2, '0');

/** The three parts of JA4: `t13d1516h2`, ciphers, extensions with signature algorithms. */
export function ja4({ versions, legacyVersion, ciphers, extensions, signatures, alpn }: ClientHello): readonly string[] {
  const version =
    { 0x0304: '13', 0x0303: '12', 0x0302: '11', 0x0301: '10' }[Math.max(...versions, versions.length === 0 ? legacyVersion : 0)] ?? '00';
  const [protocol = ''] = alpn;
  const ends = protocol === '' ? '00' : `${protocol[0]}${protocol.at(-1)}`;
  const named = extensions.includes(0) ? 'd' : 'i';
  const sorted = extensions
    .filter((type) => type !== 0 && type !== 16)
    .map(hex)
    .sort();
  return [
    `t${version}${named}${two(ciphers.length)}${two(extensions.length)}${ends}`,
    hash(ciphers.map(hex).sort().join()),
    hash(`${sorted.join()}_${signatures.map(hex).join()}`),
  ];
}
