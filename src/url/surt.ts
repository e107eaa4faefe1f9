/**
 * SURT and SSURT: URLs with the host turned around, so that one prefix covers a domain and all below it.
 *
 * Nothing is canonicalised here. Source: spec/warcprox.md §5 (URL match rules); the examples published by the urlcanon project.
 */
import type { UrlParts } from './url-parts.ts';

export interface SurtForm {
  /** `http://(org,example,)`, not `http://(org,example)` */
  readonly trailingComma?: boolean;
  readonly withScheme?: boolean;
}

/** `http://foo.example.org:81/path?query` → `http://(org,example,foo,:81)/path?query`; userinfo is left out. */
export function surt(url: UrlParts, { trailingComma = true, withScheme = true }: SurtForm = {}): string {
  const { scheme, slashes, host, port, path, query, fragment } = url;
  const prefix = withScheme ? `${colon(scheme)}${slashes}` : '';
  const where = host === '' ? '' : `${withScheme ? '(' : ''}${ssurtHost(host, trailingComma)}${port})`;
  return `${prefix}${where}${path}${query}${fragment}`;
}

/** `scheme://userinfo@domain.tld:port/path?query#fragment` → `tld,domain,//port:scheme@userinfo:/path?query#fragment`. */
export function ssurt({ scheme, slashes, userinfo, host, port, path, query, fragment }: UrlParts): string {
  const number = port === '' ? '' : `${port.slice(1)}:`;
  const user = userinfo === '' ? '' : `@${userinfo.slice(0, -1)}`;
  return `${ssurtHost(host)}${slashes}${number}${scheme}${user}${scheme === '' ? '' : ':'}${path}${query}${fragment}`;
}

/** The host turned around; addresses stay as they are. */
export function ssurtHost(host: string, trailingComma = true): string {
  return host === '' || isAddress(host) ? host : reverseHost(host, trailingComma);
}

/** `x.y.z` → `z,y,x,`; a comma within a label becomes a dot, so that the way back is clear. */
export function reverseHost(host: string, trailingComma = true): string {
  const labels = host.split('.').map((label) => label.replaceAll(',', '.'));
  return `${labels.reverse().join(',')}${trailingComma ? ',' : ''}`;
}

/** IPv6 in brackets, or what the WHATWG URL standard reads as an IPv4 address: one to four numbers, also octal or hexadecimal ones. */
export function isAddress(host: string): boolean {
  if (host.startsWith('[')) return true;
  if (!/^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}$/i.test(host)) return false;
  return URL.canParse(`http://${host}/`);
}

function colon(scheme: string): string {
  return scheme === '' ? '' : `${scheme}:`;
}
