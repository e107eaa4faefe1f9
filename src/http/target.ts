/**
 * Request targets: which host, port and path a request means, and the URL under which it is archived.
 *
 * Source: RFC 9112 §3.2 and §3.3, RFC 9110 §4.2; hosts are normalised as in the WHATWG URL standard §3.5.
 */
import { isIPv4 } from 'node:net';
import { encode, utf8Bytes } from '../url/percent.ts';
import { MessageError } from './errors.ts';

export interface Authority {
  /** normalised: lower-case ASCII (IDNA), IPv4 in dotted form, IPv6 compressed and without brackets */
  readonly host: string;
  readonly port: number;
}

export interface Target extends Authority {
  readonly scheme: 'http' | 'https';
  /** in origin-form or `*`, as it is sent to the origin; Latin-1 */
  readonly path: string;
  /** what is archived: as requested, non-ASCII percent-encoded */
  readonly url: string;
}

/** Where a tunnel leads, and which scheme is spoken in it. */
export interface Tunnel extends Authority {
  readonly scheme: 'http' | 'https';
}

/** Characters of a name, without a final dot (RFC 1035 §3.1: 255 octets on the wire). */
const MAX_HOST = 253;
/** Each of them may be written as four octets of UTF-8, each of those percent-encoded. */
const MAX_WRITTEN_HOST = 12 * MAX_HOST;

const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** `http://host[:port]…` as a proxy gets it (RFC 9112 §3.2.2). @throws MessageError for any other scheme or form */
export function absoluteTarget(method: string, target: string): Target {
  const match = /^http:\/\/([^/?#]*)([^#]*)$/i.exec(target);
  if (match === null) throw new MessageError('syntax', 'request target not understood, expected http://host[:port]/path', target);
  const [, authority = '', rest = ''] = match;
  const { host, port } = parseAuthority(authority, DEFAULT_PORT.http);
  const path = originForm(method, rest);
  const written = /^[\0-\x7f]*$/.test(authority) ? authority : writtenAuthority(host, port, 'http');
  return { scheme: 'http', host, port, path, url: `${target.slice(0, 7)}${written}${percentEncoded(rest)}` };
}

/**
 * The target of a URL as people and pages write it: without its fragment and user info, and with what is no URI character percent-encoded.
 *
 * @throws MessageError for another scheme than http and https, and for a bad host
 */
export function urlTarget(method: string, url: string): Target {
  const [, scheme = '', authority = '', rest = ''] = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(url.trim()) ?? [];
  if (scheme === '') throw new MessageError('syntax', 'URL not understood, expected one that begins with http:// or https://', url);
  const written = authority.slice(authority.lastIndexOf('@') + 1);
  const named = scheme.toLowerCase() === 'https' ? 'https' : 'http';
  const { host, port } = parseAuthority(utf8Bytes(written), DEFAULT_PORT[named]);
  return tunnelTarget({ scheme: named, host, port }, method, originForm(method, encode(utf8Bytes(rest), /[^!-~]|["<>]/g)));
}

/** A target inside of a tunnel: a path, `*`, or the absolute form of the same origin. */
export function tunnelTarget(tunnel: Tunnel, method: string, target: string): Target {
  const { scheme, host, port } = tunnel;
  let path = target;
  if (!target.startsWith('/') && !(target === '*' && method === 'OPTIONS')) {
    const match = /^(https?):\/\/([^/?#]*)([^#]*)$/i.exec(target);
    const inside = match?.[1]?.toLowerCase() === scheme ? parseAuthority(match[2] ?? '', DEFAULT_PORT[scheme]) : undefined;
    if (inside?.host !== host || inside.port !== port) {
      throw new MessageError(
        'syntax',
        `request target not understood, expected a path on ${scheme}://${writtenAuthority(host, port, scheme)}`,
        target,
      );
    }
    path = originForm(method, match?.[3] ?? '');
  } else if (target.includes('#')) {
    throw new MessageError('syntax', 'fragment in the request target', target);
  }
  return {
    scheme,
    host,
    port,
    path,
    url: `${scheme}://${writtenAuthority(host, port, scheme)}${path === '*' ? '' : percentEncoded(path)}`,
  };
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

/** Bytes beyond ASCII as `%XX`. @param text Latin-1 */
export function percentEncoded(text: string): string {
  return encode(text, /[\x80-\xff]/g);
}

/**
 * @param authority Latin-1, as it came: `host`, `host:port`, `[v6]:port`
 * @throws MessageError for userinfo (RFC 9110 §4.2.4), a bad host or a bad port
 */
export function parseAuthority(authority: string, defaultPort: number): Authority {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]@\\/?#\0-\x20\x7f]+)(?::(\d*))?$/.exec(authority);
  if (match === null) throw new MessageError('syntax', 'host not understood, expected host or host:port', authority);
  const [, host = '', digits = ''] = match;
  const port = digits === '' ? defaultPort : Number(digits);
  if (port < 1 || port > 65535) throw new MessageError('syntax', 'port not understood, expected 1 to 65535', authority);
  if (host.length > MAX_WRITTEN_HOST) throw new MessageError('syntax', `host longer than ${MAX_HOST} bytes`, host);
  const normalised = isNormalised(host) ? host : normalise(host);
  if (normalised.replace(/\.$/, '').length > MAX_HOST) throw new MessageError('syntax', `host longer than ${MAX_HOST} bytes`, host);
  return { host: normalised, port };
}

/** Most hosts are, and asking URL costs microseconds. */
function isNormalised(host: string): boolean {
  return /^(?:[a-z0-9_-]+\.)*[a-z][a-z0-9-]*$/.test(host) || isIPv4(host);
}

function normalise(host: string): string {
  const url = `http://${Buffer.from(host, 'latin1').toString('utf8')}/`;
  if (!URL.canParse(url)) throw new MessageError('syntax', 'host not understood, expected a name or an address', host);
  const { hostname } = new URL(url);
  if (hostname.startsWith('.') || hostname.includes('..')) throw new MessageError('syntax', 'host with an empty label', host);
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
