/**
 * Heads as they are sent on by HTTP/2: lists of names and values by turns, names in lower case, without what belongs to one connection.
 *
 * Source: RFC 9113 §8.2.2, §8.3; RFC 9110 §7.6.3.
 */
import { fieldOf, trimOws, type Field, type Fields } from '../http/fields.ts';
import { hopByHop } from '../http/hop-by-hop.ts';
import type { Framing, ResponseHead } from '../http/message.ts';
import type { AnswerForm } from '../http/sides.ts';
import type { Target } from '../http/target.ts';
import { withNeverIndexed, type FieldList } from './field-list.ts';

/** For the proxy alone. */
const OURS = new Set(['warcprox-meta', 'warcprox-meta-secret']);
/** What frames or routes a message, and the list of trailers, which stands in front. */
const NOT_BEHIND = new Set(['content-length', 'transfer-encoding', 'host', 'te', 'trailer']);

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
  readonly list: FieldList;
  readonly recorded: readonly Field[];
} {
  const authority = host ?? fields.get('host') ?? '';
  const dropped = hopByHop(fields);
  const sent = fields.list.filter((field) => field.key !== 'host' && !OURS.has(field.key) && !dropped(field));
  if (via !== undefined) sent.push(fieldOf('via', via));
  const said: Record<string, string> = { ':method': method, ':authority': authority, ':scheme': target.scheme, ':path': target.path };
  const list: string[] = [];
  for (const name of pseudoOrder) list.push(name, said[name] ?? '');
  return { list: addTo(list, sent), recorded: [fieldOf('host', authority), ...sent] };
}

/** The head of an answer as an HTTP/2 client gets it. */
export function responseHeaders(head: ResponseHead, framing: Framing, { via, added }: AnswerForm): FieldList {
  const { status, fields } = head;
  const dropped = hopByHop(fields);
  let lengths = 0;
  const list = fields.list
    .filter((field) => !dropped(field) && isSent(field, status, framing) && (field.key !== 'content-length' || lengths++ === 0))
    .map(clean);
  if (via !== undefined && status >= 200) {
    const last = list.findLastIndex(({ key }) => key === 'via');
    if (last === -1) list.push(fieldOf('via', via));
    else list[last] = fieldOf('via', `${list[last]?.value}, ${via}`);
  }
  for (const [name, value] of added) list.push(fieldOf(name.toLowerCase(), value));
  return addTo([':status', String(status)], list);
}

/** Behind a body: without what is for HTTP/1 or its connection alone, or must not stand there (RFC 9110 §6.5.1). */
export function trailerHeaders(fields: Fields): FieldList {
  const dropped = hopByHop(fields);
  return addTo([], fields.list.filter((field) => !dropped(field) && !NOT_BEHIND.has(field.key)).map(clean));
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
  if (field.exact && name === field.name) return field;
  return fieldOf(name, trimOws(field.value.replace(/[\0-\x08\x0a-\x1f\x7f]/g, ' ')));
}

function addTo(list: string[], fields: readonly Field[]): FieldList {
  let never: Set<string> | undefined;
  for (const { key, value, neverIndexed } of fields) {
    list.push(key, value);
    if (neverIndexed) (never ??= new Set()).add(key);
  }
  return withNeverIndexed(list, never);
}
