/**
 * Request targets: which host, port and path a request means, and the URL under which it is archived.
 *
 * Source: RFC 9112 §3.2 and §3.3, RFC 9110 §4.2; hosts are normalised as in the WHATWG URL standard §3.5.
 */
import { encode, utf8Bytes } from '../url/percent.ts';
import { httpAuthority, parseAuthority, type Authority } from './authority.ts';
import { MessageError } from './errors.ts';

export interface Target extends Authority {
  readonly scheme: 'http' | 'https';
  /** in origin-form or `*`, as it is sent to the origin; Latin-1 */
  readonly path: string;
  /** what is archived: as requested, without user info and fragment, and with what is no URI character percent-encoded */
  readonly url: string;
}

/** Where a tunnel leads, and which scheme is spoken in it. */
export interface Tunnel extends Authority {
  readonly scheme: 'http' | 'https';
}

/**
 * Of a request target: RFC 9110 §4.1 asks for 8,000 at least, warcprox takes 65,536. Making the canonical form of one takes milliseconds.
 */
export const MAX_URL_BYTES = 131_072;

/** @throws MessageError for one that is too long */
export function boundedTarget(target: string): string {
  if (target.length > MAX_URL_BYTES) throw new MessageError('uri-too-long', `request target longer than ${MAX_URL_BYTES} bytes`, target);
  return target;
}

const ASCII = /^[\0-\x7f]*$/;
const HTTP = /^http:\/\//i;
const HTTPS = /^https:\/\//i;
const DEFAULT_PORT = { http: 80, https: 443 } as const;

/**
 * `http://[user info@]host[:port]…[#fragment]` as a proxy gets it (RFC 9112 §3.2.2). wget, curl and the libraries of Python and Java leave in it
 * what is not for the origin; neither is looked at.
 *
 * @throws MessageError for any other scheme or form
 */
export function absoluteTarget(method: string, target: string): Target {
  const parts = absoluteParts(target);
  if (parts?.scheme !== 'http') throw new MessageError('syntax', 'request target not understood, expected http://host[:port]/path', target);
  const { begin, authority } = parts;
  const { host, port } = httpAuthority(authority);
  const path = originForm(method, parts.rest);
  const written = ASCII.test(authority) ? authority : writtenAuthority(host, port, 'http');
  return { scheme: 'http', host, port, path, url: `${begin}${written}${archivedPath(path)}` };
}

/**
 * The target of a URL as people and pages write it: without its fragment and user info, and with what is no URI character percent-encoded.
 *
 * @throws MessageError for another scheme than http and https, and for a bad host
 */
export function urlTarget(method: string, url: string): Target {
  const parts = absoluteParts(boundedTarget(url.trim()));
  if (parts === undefined) throw new MessageError('syntax', 'URL not understood, expected one that begins with http:// or https://', url);
  const { scheme, authority, rest } = parts;
  const { host, port } = parseAuthority(utf8Bytes(authority), DEFAULT_PORT[scheme]);
  return tunnelTarget({ scheme, host, port }, method, originForm(method, percentEncoded(utf8Bytes(rest))));
}

/** A target inside of a tunnel: a path, `*`, or the absolute form of the same origin. */
export function tunnelTarget(tunnel: Tunnel, method: string, target: string): Target {
  const { scheme, host, port } = tunnel;
  const path =
    target.startsWith('/') || (target === '*' && method === 'OPTIONS') ? withoutFragment(target) : pathOn(tunnel, method, target);
  return { scheme, host, port, path, url: `${scheme}://${writtenAuthority(host, port, scheme)}${archivedPath(path)}` };
}

function pathOn({ scheme, host, port }: Tunnel, method: string, target: string): string {
  const parts = absoluteParts(target);
  const inside = parts?.scheme === scheme ? parseAuthority(parts.authority, DEFAULT_PORT[scheme]) : undefined;
  if (parts === undefined || inside?.host !== host || inside.port !== port) {
    const expected = `expected a path on ${scheme}://${writtenAuthority(host, port, scheme)}`;
    throw new MessageError('syntax', `request target not understood, ${expected}`, target);
  }
  return originForm(method, parts.rest);
}

interface AbsoluteParts {
  readonly scheme: 'http' | 'https';
  /** scheme and slashes as written */
  readonly begin: string;
  /** host and port, without user info */
  readonly authority: string;
  /** path and query, without the fragment */
  readonly rest: string;
}

function absoluteParts(target: string): AbsoluteParts | undefined {
  const scheme = HTTP.test(target) ? 'http' : HTTPS.test(target) ? 'https' : undefined;
  if (scheme === undefined) return undefined;
  const start = scheme.length + '://'.length;
  let end = start;
  while (end < target.length && !endsAuthority(target.charCodeAt(end))) end++;
  const written = target.slice(start, end);
  const at = written.lastIndexOf('@') + 1;
  // Browsers take a backslash for a slash, and would see another host: what has one is left for parseAuthority to refuse.
  const authority = written.lastIndexOf('\\', at) === -1 ? written.slice(at) : written;
  return { scheme, begin: target.slice(0, start), authority, rest: withoutFragment(target.slice(end)) };
}

/** `/`, `?` and `#` (RFC 3986 §3.2). */
function endsAuthority(code: number): boolean {
  return code === 0x2f || code === 0x3f || code === 0x23;
}

/** Host and port of an absolute target as they were written, user info included; undefined for any other. */
export function writtenAuthorityOf(target: string): string | undefined {
  return /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
}

function withoutFragment(path: string): string {
  const hash = path.indexOf('#');
  return hash === -1 ? path : path.slice(0, hash);
}

/** A URI of any scheme, also of one that stands behind others (`screenshot:http://…`), without user info: it may hold a password. */
export function withoutUserInfo(uri: string): string {
  return uri.replace(/^((?:[A-Za-z0-9+.-]+:)+\/\/)[^/?#]*@/, '$1');
}

/** The URL that a request means, as it was written: for logs, whole inside of a tunnel, too. Without user info; never throws. */
export function writtenUrl(target: string, tunnel: Tunnel | undefined): string {
  if (tunnel === undefined || !/^(\/|\*$)/.test(target)) return withoutUserInfo(target);
  return `${tunnel.scheme}://${hostField(tunnel)}${target === '*' ? '' : target}`;
}

/** `host:port` of CONNECT; the port must be there (RFC 9110 §9.3.6). */
export function connectTarget(target: string): Authority {
  if (!/:\d+$/.test(target)) throw new MessageError('syntax', 'CONNECT target not understood, expected host:port', target);
  return parseAuthority(target, 0);
}

/** Value of the Host field for a target (RFC 9112 §3.2). */
export function hostField(target: Authority & { readonly scheme: 'http' | 'https' }): string {
  return writtenAuthority(target.host, target.port, target.scheme);
}

/** host, with its port unless it is the scheme's own */
function writtenAuthority(host: string, port: number, scheme: 'http' | 'https'): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return port === DEFAULT_PORT[scheme] ? bracketed : `${bracketed}:${port}`;
}

function originForm(method: string, rest: string): string {
  if (rest.startsWith('/')) return rest;
  return rest === '' && method === 'OPTIONS' ? '*' : `/${rest}`;
}

/** As it is archived: `*` stands for no path. */
function archivedPath(path: string): string {
  return path === '*' ? '' : percentEncoded(path);
}

/**
 * The rule by which every WARC-Target-URI is written: space, `"`, `<`, `>` and bytes beyond ASCII as `%XX`, everything else as it is.
 *
 * Browsers leave more in a URL than RFC 3986 §2 allows (WHATWG URL §4.3: \ ^ ` { | }), and so does this. @param text Latin-1
 */
export function percentEncoded(text: string): string {
  return NO_URI_CHARACTER.test(text) ? encode(text, NO_URI_CHARACTERS) : text;
}

const NO_URI_CHARACTER = /[^!-~]|["<>]/;
const NO_URI_CHARACTERS = new RegExp(NO_URI_CHARACTER, 'g');
