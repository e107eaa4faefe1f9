/**
 * "Semantic" canonicalisation: URLs that mean the same become the same text. Rules are matched against this form.
 *
 * Default port, userinfo and fragment removed, dots in the host and in the path cleaned, repeated slashes in the path collapsed,
 * percent-encodings made uniform, query parameters sorted. Linear in the length. A canonical URL with a host is its own canonical form.
 * Source: spec/warcprox.md §5; WHATWG URL standard §4.4; order of the steps as in urlcanon's `semantic`.
 */
import { normalHost, opaqueHost } from './host.ts';
import { decodeFully, encode, trimmed, utf8Bytes } from './percent.ts';
import { defaultPort, joinUrl, splitUrl, type UrlParts } from './url-parts.ts';

export interface CanonicalUrl extends UrlParts {
  /** the whole; ASCII, as long as the scheme's authority is */
  readonly href: string;
}

/** Never throws: what is no URL stays what it is, but for its encodings. */
export function canonicalise(url: string): CanonicalUrl {
  const cleaned = /[\0-\x20]/.test(url) ? trimmed(url, (c) => c <= ' ').replace(/[\t\n\r]/g, '') : url;
  const { scheme: writtenScheme, slashes, userinfo, host, port, path, query } = splitUrl(cleaned, 'http');
  const scheme = writtenScheme.toLowerCase();
  const special = defaultPort(scheme) !== undefined;
  const hasAuthority = slashes !== '' || userinfo !== '' || host !== '';
  const parts: UrlParts = {
    scheme,
    slashes: special || hasAuthority ? '//' : '',
    userinfo: '',
    host: special ? normalHost(host) : opaqueHost(host),
    port: canonicalPort(port, defaultPort(scheme)),
    path: special ? specialPath(path) : hasAuthority ? otherPath(path) : withoutAuthority(otherPath(path)),
    query: canonicalQuery(query),
    fragment: '',
  };
  return { ...parts, href: joinUrl(parts) };
}

function canonicalPort(port: string, usual: string | undefined): string {
  if (port === '') return '';
  if (!/^:\d*$/.test(port)) return `:${encode(decodeFully(utf8Bytes(port.slice(1))), /[\0-\x20\x7f-\xff#%/?@\\]/g)}`;
  const number = port.slice(1).replace(/^0+(?=\d)/, '');
  return number === '' || number === usual ? '' : `:${number}`;
}

function specialPath(path: string): string {
  const plain = otherPath(path.replaceAll('\\', '/'));
  // Decoding may have brought new ones.
  const slashed = plain.replaceAll('\\', '/');
  return withoutDots(slashed.startsWith('/') ? slashed : `/${slashed}`).replace(/\/{2,}/g, '/');
}

function otherPath(path: string): string {
  if (!/[^!-$&-~]/.test(path)) return path.startsWith('/') ? withoutDots(path) : path;
  const encoded = encode(decodeFully(utf8Bytes(path)), /[\0-\x20\x7f-\xff#%?]/g);
  return encoded.startsWith('/') ? withoutDots(encoded) : encoded;
}

/** Decoding must not make an authority of what was a path (WHATWG URL standard §4.5). */
function withoutAuthority(path: string): string {
  return path.startsWith('//') ? `/.${path}` : path;
}

/** `.` and `..` resolved (RFC 3986 §5.2.4), each empty segment counting as one. @param path begins with a slash */
function withoutDots(path: string): string {
  if (!path.includes('/.')) return path;
  const segments: string[] = [];
  const written = path.split('/').slice(1);
  for (const [i, segment] of written.entries()) {
    if (segment !== '.' && segment !== '..') {
      segments.push(segment);
      continue;
    }
    if (segment === '..') segments.pop();
    if (i === written.length - 1) segments.push('');
  }
  return `/${segments.join('/')}`;
}

function canonicalQuery(query: string): string {
  if (query.length < 2) return query;
  const uniform = /[^!-$&-~]|=[^&]*=/.test(query);
  if (!uniform && !query.includes('&')) return query;
  const parameters = utf8Bytes(query.slice(1)).split('&');
  return `?${(uniform ? parameters.map(canonicalParameter) : parameters).sort().join('&')}`;
}

/** Name and value apart, so that an encoded `=` or `&` is not taken for a real one. */
function canonicalParameter(parameter: string): string {
  const equals = parameter.indexOf('=');
  if (equals < 0) return canonicalToken(parameter);
  return `${canonicalToken(parameter.slice(0, equals))}=${canonicalToken(parameter.slice(equals + 1))}`;
}

function canonicalToken(token: string): string {
  return encode(decodeFully(token), /[\0-\x20\x7f-\xff#%&=]/g);
}
