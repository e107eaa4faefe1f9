/**
 * Heads as they are sent on by HTTP/2: as the objects that Node's `http2` takes, names in lower case, without what belongs to one connection.
 *
 * Fields of one name stand together, in their order, where the first of them stood: an object has no other place for them (their order among
 * others means nothing, RFC 9110 §5.3). Of those that may stand once only Node sends one; it is the first.
 * Source: RFC 9113 §8.2.2, §8.3; RFC 9110 §7.6.3.
 */
import { fieldOf, trimOws, type Field, type Fields } from '../http/fields.ts';
import { hopByHop } from '../http/hop-by-hop.ts';
import type { Framing, ResponseHead } from '../http/message.ts';
import type { AnswerForm } from '../http/sides.ts';
import type { Target } from '../http/target.ts';

export type Headers = Record<string, string | string[] | number>;

/** Node throws for a second one. Source: Node's lib/internal/http2/util.js. */
const ONCE = new Set(
  (
    'access-control-allow-credentials access-control-max-age access-control-request-method age authorization content-encoding ' +
    'content-language content-length content-location content-md5 content-range content-type date dnt etag expires from host if-match ' +
    'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards proxy-authorization range referer ' +
    'retry-after tk upgrade-insecure-requests user-agent x-content-type-options'
  ).split(' '),
);
/** For the proxy alone. */
const OURS = new Set(['warcprox-meta', 'warcprox-meta-secret']);

export interface SentRequest {
  readonly method: string;
  readonly target: Target;
  readonly fields: Fields;
  /** instead of the Host that came; undefined leaves it */
  readonly host: string | undefined;
  /** added to Via; undefined adds nothing */
  readonly via: string | undefined;
}

/**
 * A request as its origin gets it, and its fields as a record has them: `host` stands for `:authority`.
 *
 * @param pseudoOrder the names of its four pseudo-header fields
 */
export function requestHeaders(
  { method, target, fields, host, via }: SentRequest,
  pseudoOrder: readonly string[],
): {
  readonly headers: Headers;
  readonly recorded: readonly Field[];
} {
  const authority = host ?? fields.get('host') ?? '';
  const dropped = hopByHop(fields);
  const list = fields.list.filter((field) => field.key !== 'host' && !OURS.has(field.key) && !dropped(field));
  if (via !== undefined) list.push(fieldOf('via', via));
  const sent = together(list);
  const said: Record<string, string> = { ':method': method, ':authority': authority, ':scheme': target.scheme, ':path': target.path };
  const headers = headersOf(Object.fromEntries(pseudoOrder.map((name) => [name, said[name] ?? ''])), sent);
  return { headers, recorded: [fieldOf('host', authority), ...sent] };
}

/** The head of an answer as an HTTP/2 client gets it. */
export function responseHeaders(head: ResponseHead, framing: Framing, { via, added }: AnswerForm): Headers {
  const { status, fields } = head;
  const dropped = hopByHop(fields);
  const list = fields.list.filter((field) => !dropped(field) && isSent(field, status, framing)).map(clean);
  if (via !== undefined && status >= 200) {
    const last = list.findLastIndex(({ key }) => key === 'via');
    if (last === -1) list.push(fieldOf('via', via));
    else list[last] = fieldOf('via', `${list[last]?.value}, ${via}`);
  }
  for (const [name, value] of added) list.push(fieldOf(name.toLowerCase(), value));
  return headersOf({ ':status': status }, together(list));
}

export function trailerHeaders(fields: Fields): Headers {
  return headersOf({}, together(fields.list.map(clean)));
}

function isSent({ key, value }: Field, status: number, framing: Framing): boolean {
  switch (key) {
    case 'strict-transport-security':
    case 'transfer-encoding':
      return false;
    // Only the one that we went by: what frames contradict is malformed (RFC 9113 §8.1.1).
    case 'content-length':
      return framing.kind === 'length'
        ? value === String(framing.length)
        : framing.kind === 'none' && status >= 200 && status !== 204 && /^\d+$/.test(value);
    default:
      return true;
  }
}

/** What HTTP/1 lets through in a value, and HTTP/2 does not (RFC 9113 §8.2.1), as spaces. */
function clean(field: Field): Field {
  const name = field.key;
  return field.exact && name === field.name ? field : fieldOf(name, trimOws(field.value.replace(/[\0-\x08\x0a-\x1f\x7f]/g, ' ')));
}

function together(list: readonly Field[]): readonly Field[] {
  if (new Set(list.map(keyOf)).size === list.length) return list;
  const byKey = new Map<string, Field[]>();
  for (const field of list) {
    const before = byKey.get(field.key);
    if (before === undefined) byKey.set(field.key, [field]);
    else if (!ONCE.has(field.key)) before.push(field);
  }
  return [...byKey.values()].flat();
}

function keyOf({ key }: Field): string {
  return key;
}

/** @param fields those of one name together */
function headersOf(pseudo: Headers, fields: readonly Field[]): Headers {
  // Without a prototype: `__proto__` is a name like any other.
  const headers = Object.assign(Object.create(null) as Headers, pseudo);
  for (const { key, value } of fields) {
    const before = headers[key];
    if (before === undefined) headers[key] = value;
    else headers[key] = [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  return headers;
}
