/**
 * The body of a request as a query of its URL, as indexers of web archives write it, so that two bodies that say the same are found as one:
 * `__wb_method=POST&name=value`.
 *
 * ```
 * form            its pairs
 * multipart       name and value of each part, whatever the boundary
 * JSON            each string, number, boolean or null with the name it stands under; a name that comes again is `name.2_`, `name.3_` …
 * text/plain      as JSON if it is an object or a list
 * anything else   __wb_post_data=BASE64
 * ```
 *
 * Pairs stand in the order of their names. Unlike others it keeps empty values: with and without them are different questions.
 * Source: the indexers of pywb and warcio (`__wb_method`, `__wb_post_data`); application/x-www-form-urlencoded of the URL standard; RFC 7578.
 */
const REPLACED = '\ufffd';
/** Deeper JSON is taken as bytes. */
const MAX_DEPTH = 100;

type Pair = [name: string, value: string];

/** @param contentType of the request, undefined without one */
export function bodyQuery(method: string, contentType: string | undefined, body: Buffer): string {
  const pairs: readonly Pair[] = pairsIn(contentType ?? '', body) ?? [['__wb_post_data', body.toString('base64')]];
  const sorted = [...pairs].sort(byName);
  return `__wb_method=${method}&${new URLSearchParams(sorted).toString()}`;
}

function pairsIn(contentType: string, body: Buffer): readonly Pair[] | undefined {
  const type = /^[^;\s]*/.exec(contentType)?.[0].toLowerCase() ?? '';
  if (type === 'application/x-www-form-urlencoded') return formPairs(body);
  if (type.startsWith('multipart/')) return multipartPairs(contentType, body);
  if (/^(?:application|text)\/(?:.+\+)?json$/.test(type)) return jsonPairs(body);
  if (type === 'text/plain') return jsonPairs(body);
  return undefined;
}

function formPairs(body: Buffer): readonly Pair[] | undefined {
  const text = body.toString();
  const pairs = [...new URLSearchParams(`?${text}`)];
  // Bytes that are no UTF-8 would all look the same.
  return pairs.some((pair) => pair.join('').includes(REPLACED)) ? undefined : pairs;
}

/** @returns names and values with a character for each byte; undefined where that is no multipart body */
export function multipartPairs(contentType: string, body: Buffer): readonly Pair[] | undefined {
  const [, quoted, token] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? token;
  if (boundary === undefined) return undefined;
  // A character for each byte: values may be files.
  const parts = `\r\n${body.toString('latin1')}`.split(`\r\n--${boundary}`).slice(1, -1);
  const pairs: Pair[] = [];
  for (const part of parts) {
    const end = part.indexOf('\r\n\r\n');
    const name = /^content-disposition:.*?;\s*name=(?:"([^"]*)"|([^\s;]+))/im.exec(part.slice(0, Math.max(end, 0)));
    if (name === null) return undefined;
    pairs.push([name[1] ?? name[2] ?? '', part.slice(end + 4)]);
  }
  return pairs.length === 0 ? undefined : pairs;
}

function jsonPairs(body: Buffer): readonly Pair[] | undefined {
  const text = body.toString();
  if (text.includes(REPLACED)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // no JSON, whatever its type says
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const pairs: Pair[] = [];
  const times = new Map<string, number>();
  const add = (name: string, leaf: string) => {
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    pairs.push([time === 1 ? name : `${name}.${time}_`, leaf]);
  };
  return flatten(value, '', 0, add) ? pairs : undefined;
}

/** @returns false when it is too deep */
function flatten(value: unknown, name: string, depth: number, add: (name: string, leaf: string) => void): boolean {
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((each) => flatten(each, name, depth + 1, add));
  if (typeof value !== 'object' || value === null) {
    add(name, String(value));
    return true;
  }
  // The order of members says nothing, but which of two equal names comes first must not depend on it.
  const members = Object.entries(value).sort(byName);
  return members.every(([key, each]) => flatten(each, key, depth + 1, add));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
