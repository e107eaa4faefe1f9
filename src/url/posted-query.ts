/**
 * What a request other than GET adds to its URL in an index: `__wb_method=POST&…`, so that a player finds the answer to just this body.
 *
 * Written as players ask for it, not as we would (`body-query.ts`): cut at 4,096 characters, forms decoded, JSON in its own order.
 * ```
 * form                its text, decoded
 * multipart           its parts as a query
 * JSON, text of JSON  each string, number, boolean or null with the name it stands under; one that comes again is `name.2_`, `name.3_` …
 * anything else       __wb_post_data=BASE64
 * ```
 * Source: `MethodQueryCanonicalizer` of pywb, as documentation of its behaviour; JSON as warcio.js writes it, too.
 */
import { multipartPairs } from './body-query.ts';
import { encode, utf8Bytes } from './percent.ts';

const MAX_QUERY_CHARS = 4096;
/** Deeper JSON is taken as bytes. */
const MAX_DEPTH = 100;

/** The query of a body; empty for methods whose bodies are not looked at. */
export function postedQuery(method: string, contentType: string | undefined, body: Buffer): string {
  if ((method !== 'POST' && method !== 'PUT') || body.length === 0) return '';
  return queryOf(contentType ?? '', body).slice(0, MAX_QUERY_CHARS);
}

/** The URL that an index has for it. */
export function postedUrl(url: string, method: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}__wb_method=${method}${query === '' ? '' : `&${query}`}`;
}

function queryOf(contentType: string, body: Buffer): string {
  const bytes = `__wb_post_data=${body.toString('base64')}`;
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    const text = body.toString();
    // What is no UTF-8 is not a form.
    return Buffer.from(text).equals(body) ? unescaped(text.replaceAll('+', ' ')) : bytes;
  }
  if (contentType.startsWith('multipart/')) return multipartQuery(contentType, body) ?? bytes;
  if (contentType.startsWith('application/json')) return jsonQuery(body) ?? '';
  if (contentType.startsWith('text/plain')) return jsonQuery(body) ?? bytes;
  return bytes;
}

function multipartQuery(contentType: string, body: Buffer): string | undefined {
  return multipartPairs(contentType, body)
    ?.map(([name, value]) => `${quoted(name)}=${quoted(value)}`)
    .join('&');
}

function jsonQuery(body: Buffer): string | undefined {
  const found = new Map<string, string>();
  const times = new Map<string, number>();
  const walk = (value: unknown, name: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw new RangeError('too deep');
    if (Array.isArray(value)) for (const each of value) walk(each, name, depth + 1);
    else if (typeof value === 'object' && value !== null) for (const [key, each] of Object.entries(value)) walk(each, key, depth + 1);
    else if (name !== '') {
      const time = found.has(name) ? (times.get(name) ?? 1) + 1 : 1;
      if (time > 1) times.set(name, time);
      found.set(time === 1 ? name : `${name}.${time}_`, String(value));
    }
  };
  try {
    walk(JSON.parse(body.toString()), '', 0);
  } catch {
    return undefined; // no JSON, whatever its type says
  }
  return [...found].map(([name, value]) => `${quoted(utf8Bytes(name))}=${quoted(utf8Bytes(value))}`).join('&');
}

/** Once, and whatever it makes of the bytes. */
function unescaped(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}

/** As in a form. @param bytes a character per byte */
function quoted(bytes: string): string {
  return encode(bytes, /[^A-Za-z0-9_.~ -]/g).replaceAll(' ', '+');
}
