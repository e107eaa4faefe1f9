/**
 * The key that indexes of web archives are sorted and searched by: the host turned around, and what mostly means the same made the same.
 *
 * `https://www.Example.com:443/A/?b&a#c` → `com,example)/a?a&b`. Unlike `canonicalise` it forgets the scheme, the case and session ids, as
 * those who look up in a CDX do: a key of another form would not be found. Never throws; linear in the length.
 * Source: `DefaultIAURLCanonicalizer` and `WaybackURLKeyMaker` of webarchive-commons (Apache-2.0), which pywb's and OpenWayback's follow.
 */
import { normalHost } from './host.ts';
import { decodeFully, encode, trimmed, utf8Bytes } from './percent.ts';
import { reverseHost } from './surt.ts';
import { splitUrl } from './url-parts.ts';

const STRAY = /[\0-\x20#%\x7f-\xff]/g;
const PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

export function cdxKey(url: string): string {
  const cleaned = trimmed(url, (c) => c <= ' ').replace(/[\t\n\r]/g, '');
  // As links on the web have it: http://https://example.com/
  const { scheme, host, port, path, query } = splitUrl(cleaned.replace(/^(?:https?:\/\/)+(?=https?:\/\/)/, ''), 'http');
  const bytes = decodeFully(utf8Bytes(path));
  const whole = encode(host === '' ? bytes : withoutDots(bytes), STRAY).toLowerCase();
  const withoutId = pathWithoutSession(whole);
  const shortened = withoutId.length > 1 && withoutId.endsWith('/') ? withoutId.slice(0, -1) : withoutId;
  const sorted = queryKey(query.slice(1));
  const where = host === '' ? `${scheme}:` : `${hostKey(host)}${portKey(scheme.toLowerCase(), port)})`;
  return `${where}${shortened}${sorted === '' ? '' : `?${sorted}`}`;
}

function hostKey(host: string): string {
  const name = normalHost(host).replace(/^www\d*\./, '');
  return reverseHost(name.startsWith('[') ? name.slice(1, -1) : name, false);
}

function portKey(scheme: string, port: string): string {
  const number = /^:0*(\d+)$/.exec(port)?.[1];
  return number === undefined || number === '0' || number === PORTS[scheme] ? '' : `:${number}`;
}

/** Empty segments go, but for the last one; `..` at the top stays. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '.') continue;
    if (segment === '..' && kept.length > 0) kept.pop();
    else kept.push(segment);
  }
  return `/${kept.filter((segment, index) => segment !== '' || index === kept.length - 1).join('/')}`;
}

/** `/(S(…))/page.aspx`, as ASP.NET writes it; the last of each kind. @param path in lower case */
function pathWithoutSession(path: string): string {
  const page = path.lastIndexOf('.aspx');
  if (page === -1) return path;
  let left = path;
  for (const id of [/\/(\((?:[a-z]\([0-9a-z]{24}\))+\)\/)/g, /\/(\([0-9a-z]{24}\)\/)/g]) {
    const last = [...left.matchAll(id)].filter(({ 0: text, index }) => index + text.length < left.lastIndexOf('.aspx')).at(-1);
    if (last !== undefined) left = left.slice(0, last.index + 1) + left.slice(last.index + last[0].length);
  }
  return left;
}

function queryKey(query: string): string {
  const text = encode(decodeFully(utf8Bytes(query)), STRAY).toLowerCase();
  const parameters = queryWithoutSessions(text).split('&');
  return parameters
    .map(nameAndValue)
    .sort(byNameAndValue)
    .map((pair) => pair.join('='))
    .join('&');
}

const SESSIONS = [/jsessionid=[0-9a-z]{32}$/, /phpsessid=[0-9a-z]{32}$/, /sid=[0-9a-z]{32}$/, /aspsessionid[a-z]{8}=[a-z]{24}$/];

/** The last of each kind is taken away, with the `&` behind it; it may begin in the middle of a name. */
function queryWithoutSessions(query: string): string {
  if (!/sid=|sessionid|cfid=/.test(query)) return query;
  let parameters = query.split('&');
  const cut = (at: number, keep: number, taken: number) => {
    const kept = (parameters[at] ?? '').slice(0, keep);
    const [next = '', ...more] = parameters.slice(at + taken);
    parameters = [...parameters.slice(0, at), kept + next, ...more];
  };
  for (const id of SESSIONS) {
    const at = parameters.findLastIndex((parameter) => id.test(parameter));
    if (at !== -1) cut(at, (parameters[at] ?? '').search(id), 1);
  }
  const at = parameters.findLastIndex((parameter, index) => /cfid=./.test(parameter) && /^cftoken=./.test(parameters[index + 1] ?? ''));
  if (at !== -1) cut(at, (parameters[at] ?? '').lastIndexOf('cfid=', (parameters[at] ?? '').length - 'cfid='.length - 1), 2);
  return parameters.join('&');
}

type Parameter = readonly [name: string, value?: string];

function nameAndValue(parameter: string): Parameter {
  const equals = parameter.indexOf('=');
  return equals === -1 ? [parameter] : [parameter.slice(0, equals), parameter.slice(equals + 1)];
}

/** A name alone comes before the same with a value. */
function byNameAndValue([a, x]: Parameter, [b, y]: Parameter): number {
  if (a !== b) return a < b ? -1 : 1;
  if (x === y) return 0;
  if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
  return x < y ? -1 : 1;
}
