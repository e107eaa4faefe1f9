/**
 * A URL cut into its parts, without a judgement: joined again they are the same text.
 *
 * Source: WHATWG URL standard §4.4 for where the parts end (backslashes count as slashes after a special scheme), RFC 3986 §3.
 */

export interface UrlParts {
  /** without its colon; empty without any */
  readonly scheme: string;
  /** what stands before the authority; empty without an authority */
  readonly slashes: string;
  /** up to its `@`, which is part of it; empty without */
  readonly userinfo: string;
  /** IPv6 addresses in brackets */
  readonly host: string;
  /** with its colon; empty without */
  readonly port: string;
  readonly path: string;
  /** with its question mark; empty without */
  readonly query: string;
  /** with its hash sign; empty without */
  readonly fragment: string;
}

/** Schemes whose URLs have hosts, and their default ports (WHATWG URL standard §4.2; `gopher` was one, and urlcanon keeps it). */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
  ['ws', '80'],
  ['wss', '443'],
  ['ftp', '21'],
  ['gopher', '70'],
  ['file', ''],
]);

/** Port of a special scheme (empty: it has none); undefined for other schemes. */
export function defaultPort(scheme: string): string | undefined {
  return SPECIAL.get(scheme);
}

/** @param assumed scheme of a text that has none */
export function splitUrl(url: string, assumed = ''): UrlParts {
  const [, written = '', rest = '', query = '', fragment = ''] =
    /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?([^?#]*)(\?[^#]*)?(#[^]*)?$/.exec(url) ?? [];
  const scheme = written === '' ? assumed : written;
  const kind = scheme.toLowerCase();
  const cut = kind === 'file' ? /^([/\\]{2})([^/\\]*)([^]*)$/ : SPECIAL.has(kind) ? /^([/\\]*)([^/\\]*)([^]*)$/ : /^(\/\/)([^/]*)([^]*)$/;
  const [, slashes = '', authority = '', path = rest] = cut.exec(rest) ?? [];
  const at = authority.lastIndexOf('@') + 1;
  const [, host = '', port = ''] = /^(\[[^\]]*\](?=:|$)|[^:]*)([^]*)$/.exec(authority.slice(at)) ?? [];
  return { scheme, slashes, userinfo: authority.slice(0, at), host, port, path, query, fragment };
}

export function joinUrl({ scheme, slashes, userinfo, host, port, path, query, fragment }: UrlParts): string {
  return `${scheme === '' ? '' : `${scheme}:`}${slashes}${userinfo}${host}${port}${path}${query}${fragment}`;
}
