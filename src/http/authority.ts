/**
 * Host and port as they are written in targets, in Host and in CONNECT.
 *
 * Source: RFC 9110 §4.2; hosts are normalised as in the WHATWG URL standard §3.5.
 */
import { isIPv4 } from 'node:net';
import { ownText } from '../util/own-text.ts';
import { MessageError } from './errors.ts';

export interface Authority {
  /** normalised: lower-case ASCII (IDNA), IPv4 in dotted form, IPv6 compressed and without brackets */
  readonly host: string;
  readonly port: number;
}

/** Characters of a name, without a final dot (RFC 1035 §3.1: 255 octets on the wire). */
const MAX_HOST = 253;
/** Each of them may be written as four octets of UTF-8, each of those percent-encoded. */
const MAX_WRITTEN_HOST = 12 * MAX_HOST;

/** Host, or address in brackets, and a port that may be empty. */
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]@\\/?#\0-\x20\x7f]+)(?::\d*)?$/;

/**
 * @param authority Latin-1, as it came: `host`, `host:port`, `[v6]:port`
 * @throws MessageError for userinfo (RFC 9110 §4.2.4), a bad host or a bad port
 */
export function parseAuthority(authority: string, defaultPort: number): Authority {
  if (!AUTHORITY.test(authority)) throw new MessageError('syntax', 'host not understood, expected host or host:port', authority);
  const colon = authority.indexOf(':', authority.lastIndexOf(']') + 1);
  const host = colon === -1 ? authority : authority.slice(0, colon);
  const port = colon === -1 || colon + 1 === authority.length ? defaultPort : Number(authority.slice(colon + 1));
  if (port < 1 || port > 65535) throw new MessageError('syntax', 'port not understood, expected 1 to 65535', authority);
  if (host.length > MAX_WRITTEN_HOST) throw new MessageError('syntax', `host longer than ${MAX_HOST} bytes`, host);
  const normalised = isNormalised(host) ? host : normalise(host);
  if (normalised.length - (normalised.endsWith('.') ? 1 : 0) > MAX_HOST)
    throw new MessageError('syntax', `host longer than ${MAX_HOST} bytes`, host);
  return { host: normalised, port };
}

const PLAIN_NAME = /^(?:[a-z0-9_-]+\.)*[a-z][a-z0-9-]*$/;

/** Most hosts are, and asking URL costs microseconds. */
function isNormalised(host: string): boolean {
  return PLAIN_NAME.test(host) || isIPv4(host);
}

function normalise(host: string): string {
  const url = `http://${Buffer.from(host, 'latin1').toString('utf8')}/`;
  if (!URL.canParse(url)) throw new MessageError('syntax', 'host not understood, expected a name or an address', host);
  const { hostname } = new URL(url);
  if (hostname.startsWith('.') || hostname.includes('..')) throw new MessageError('syntax', 'host with an empty label', host);
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** As many hosts are remembered, and names no longer than these. */
const MAX_KNOWN = 1000;
const MAX_KNOWN_CHARS = 255;
const known = new Map<string, Authority>();

/** Of a URL of `http`, where each request names its host anew: mostly one that was named before. @throws MessageError as `parseAuthority` */
export function httpAuthority(authority: string): Authority {
  const before = known.get(authority);
  if (before !== undefined) return before;
  const { host, port } = parseAuthority(authority, 80);
  const found = { host: ownText(host), port };
  if (authority.length > MAX_KNOWN_CHARS) return found;
  if (known.size === MAX_KNOWN) known.clear();
  known.set(ownText(authority), found);
  return found;
}
