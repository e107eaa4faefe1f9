/**
 * A proxy that one request goes through on its way to the origin, as its URL says: `http`, `https`, `socks4`, `socks4a`, `socks5`.
 *
 * `socks4` is given addresses, which are looked up here; `socks4a` and `socks5` are given names.
 */
import { encode } from '../url/percent.ts';

export interface Upstream {
  readonly kind: 'http' | 'https' | 'socks4' | 'socks4a' | 'socks5';
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const PORTS: Readonly<Record<Upstream['kind'], number>> = { http: 80, https: 443, socks4: 1080, socks4a: 1080, socks5: 1080 };

/** @throws TypeError for what is no URL of such a proxy */
export function upstreamOf(url: string): Upstream {
  const { protocol, hostname, port, username, password } = new URL(url);
  const kind = protocol.slice(0, -1);
  if (!isKind(kind) || hostname === '') throw new TypeError(`not the URL of a proxy: ${url}`);
  return {
    kind,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? PORTS[kind] : Number(port),
    ...(username === '' ? {} : { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
  };
}

function isKind(text: string): text is Upstream['kind'] {
  return Object.hasOwn(PORTS, text);
}

export function isHttpProxy({ kind }: Upstream): boolean {
  return kind === 'http' || kind === 'https';
}

/** Connections with the same key have gone the same way. */
export function upstreamKey({ kind, host, port, username = '', password = '' }: Upstream): string {
  return `${kind}|${host}|${port}|${escaped(username)}|${escaped(password)}`;
}

function escaped(text: string): string {
  return encode(Buffer.from(text).toString('latin1'), /[%|]/g);
}

/** Line of the field that logs in at an HTTP proxy, if there is to be one. Source: RFC 9110 §11.7.1, RFC 7617. */
export function proxyAuthorization({ username, password = '' }: Upstream): string {
  return username === undefined ? '' : `Proxy-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}\r\n`;
}
