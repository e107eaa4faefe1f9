/**
 * URLs that are the same page for a crawl, as the same text: query sorted, escapes made uniform, no fragment.
 *
 * Works on bytes, as strings of Latin-1. Linear in the length, but for sorting. Source: `canonicalize_url` of w3lib as published before 2.5,
 * query parameters separated by `&` alone.
 */
import { hash } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { encode, trimmed, utf8Bytes } from '../../url/percent.ts';

/** Most are their own canonical form. */
const USUAL = /^https?:\/\/[a-z0-9.-]+(?::\d+)?\/[A-Za-z0-9\-._~/]*$/;

/** Never throws: what is no URL stays what it is, but for its escapes. */
export function canonicalUrl(url: string): string {
  if (USUAL.test(url)) return url;
  const text = trimmed(url, (c) => c <= ' ').replace(/[\t\n\r]/g, '');
  const [, scheme = '', authority = '', path = '', query = ''] =
    /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)\??([^#]*)/.exec(text) ?? [];
  const begin = scheme === '' ? '' : `${scheme.toLowerCase()}://`;
  return `${begin}${canonicalAuthority(authority)}${canonicalPath(utf8Bytes(path))}${canonicalQuery(utf8Bytes(query))}`;
}

function canonicalAuthority(authority: string): string {
  const at = authority.lastIndexOf('@') + 1;
  const [, host = '', port = ''] = /^(.*?)(:\d*)?$/.exec(authority.slice(at)) ?? [];
  const ascii = /^[\0-\x7f]*$/.test(host) ? host : domainToASCII(host) || utf8Bytes(host);
  return `${encode(utf8Bytes(authority.slice(0, at)), /[^!-~]/g)}${encode(ascii.toLowerCase(), /[^!-~]/g)}${port === ':' ? '' : port}`;
}

const UNSAFE_IN_PATH = /[^A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=|%]/g;

function canonicalPath(path: string): string {
  const params = path.indexOf(';', path.lastIndexOf('/') + 1);
  const [main, rest] = params === -1 ? [path, ''] : [path.slice(0, params), path.slice(params)];
  const decoded = main.replace(/%([0-9A-Fa-f]{2})/g, (written, digits: string) =>
    /^(2f|3f)$/i.test(digits) ? written.toUpperCase() : charOf(digits),
  );
  return `${encode(decoded, UNSAFE_IN_PATH) || '/'}${encode(rest, UNSAFE_IN_PATH)}`;
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      const [name, value] = equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
      return [formDecoded(name), formDecoded(value)] as const;
    })
    .sort(([a, x], [b, y]) => order(a, b) || order(x, y))
    .map(([name, value]) => `${formEncoded(name)}=${formEncoded(value)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function formDecoded(text: string): string {
  return text.replace(/\+|%([0-9A-Fa-f]{2})/g, (_written, digits: string | undefined) => (digits === undefined ? ' ' : charOf(digits)));
}

function formEncoded(bytes: string): string {
  return encode(bytes, /[^A-Za-z0-9_.\-~ ]/g).replaceAll(' ', '+');
}

function charOf(digits: string): string {
  return String.fromCharCode(parseInt(digits, 16));
}

/** Without the query parameters of these names. Names are compared as they are written. */
export function withoutParameters(url: string, names: ReadonlySet<string>): string {
  const [, begin = '', query] = /^([^?#]*)(?:\?([^#]*))?/.exec(url) ?? [];
  const kept = (query ?? '').split('&').filter((part) => part !== '' && !names.has(part.split('=', 1)[0] ?? ''));
  return kept.length === 0 ? begin : `${begin}?${kept.join('&')}`;
}

const SEEN_BYTES = 16;

/** What a URL is known by in the set of those that were seen. */
export function seenKeyOf(url: string): Buffer {
  return Buffer.from(hash('sha256', url, 'buffer').subarray(0, SEEN_BYTES));
}
