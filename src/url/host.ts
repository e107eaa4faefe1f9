/**
 * Hosts in the form in which they are compared: lower-case ASCII (IDNA), addresses in their usual form, no stray dots.
 *
 * Source: spec/warcprox.md §5 ("dots in the host cleaned"); WHATWG URL standard §3.5 for names and addresses.
 */
import { domainToASCII } from 'node:url';
import { decodeFully, encode, trimmed, utf8Bytes } from './percent.ts';
import { isAddress } from './surt.ts';

/** Most hosts are; the last label begins with a letter, so it is no address, and nothing is punycode that would need a check. */
const USUAL = /^(?!(?:.*\.)?xn--)(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*$/;
/** What would end a host, or could not stand in a URL. */
const UNSAFE = /[\0-\x20\x7f-\xff"#%/:<>?@[\\\]^`{|}]/g;
/** Not every one of them is refused by `domainToASCII`: at some it stops reading. */
const UNSAFE_TEXT = /[\0-\x20\x7f"#%/:<>?@[\\\]^`{|}\ufffd]/;

/** The full stop and what IDNA takes for one (UTS #46). */
const DOTS = '.。．｡';
/** A name has 253 characters (RFC 1035 §3.1), but IDNA takes some away; what Punycode costs grows with the square of the length. */
const MAX_HOST_CHARS = 2_000;

/** Of a URL with a special scheme, or of a rule's `domain`. What is no host at all is kept, percent-encoded. */
export function normalHost(host: string): string {
  if (USUAL.test(host)) return host;
  const bytes = decodeFully(utf8Bytes(host));
  const text = cleanDots(Buffer.from(bytes, 'latin1').toString('utf8'));
  const isV6 = /^\[[0-9a-fA-F:.]+\]$/.test(text);
  const ascii = text.length > MAX_HOST_CHARS || (UNSAFE_TEXT.test(text) && !isV6) ? '' : cleanDots(domainToASCII(text));
  // Only without its dots may it be seen to be an address.
  if (ascii !== '' && (isV6 || !UNSAFE_TEXT.test(ascii))) return isAddress(ascii) ? domainToASCII(ascii) : ascii;
  return encode(cleanDots(bytes).replace(/[A-Z]/g, lowerCase), UNSAFE);
}

/** Of a URL with another scheme: its host is no name of the DNS, so neither case nor numbers mean anything. */
export function opaqueHost(host: string): string {
  if (host.startsWith('[')) return normalHost(host);
  return encode(cleanDots(decodeFully(utf8Bytes(host))), UNSAFE);
}

/** Whether `host` is `domain` or below it; an address is only itself. Both normalised. */
export function isWithin(host: string, domain: string): boolean {
  if (host === domain) return true;
  const dot = host.length - domain.length - 1;
  return dot >= 0 && host.charAt(dot) === '.' && host.endsWith(domain) && !isAddress(domain);
}

function cleanDots(host: string): string {
  return trimmed(host, (c) => DOTS.includes(c)).replace(/[.。．｡]{2,}/g, '.');
}

function lowerCase(c: string): string {
  return c.toLowerCase();
}
