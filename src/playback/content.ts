/**
 * What of a representation a request gets: all of it, its head, a range, or the word that the client has it already.
 *
 * ```
 * GET, HEAD, 2xx ─ If-None-Match, If-Modified-Since ─► 304
 * GET, 200       ─ Range, If-Range ─► 206, 416; more ranges than one: 200
 * HEAD           ─► the head
 * anything else  ─► as it is archived
 * ```
 *
 * Ranges are of the body as it is archived, content-coding included. Never waits for a whole body.
 * Source: RFC 9110 §13.2.2, §14.2, §15.3.7, §15.4.5, §15.5.17.
 */
import { isNotModified, rangeApplies } from '../http/conditions.ts';
import { fieldOf, Fields, type Field } from '../http/fields.ts';
import type { BodyPiece, Framing, ResponseHead } from '../http/message.ts';
import { rangeSpecs, spanIn, spanOf } from '../http/range.ts';
import { exactly, nothing, pieces, type Representation } from './representation.ts';

export interface Content {
  readonly head: ResponseHead;
  readonly framing: Framing;
  /** nothing may follow on the connection: less is archived than the head says */
  readonly last: boolean;
  /**
   * framed as `framing` says; can be read once
   *
   * @throws IncompleteError when no more is archived: the client should see that something is missing
   */
  readonly body: AsyncIterable<BodyPiece>;
}

const NO_BODY: Framing = { kind: 'none' };
/** They tell of the body that is not sent with a 304, or not as it is with a 206. */
const OF_ANOTHER_BODY = new Set(['content-length', 'transfer-encoding', 'trailer', 'content-range', 'content-digest', 'content-md5']);
const OF_THE_CONTENT = new Set(['content-type', 'content-encoding', 'content-language']);

export function contentOf(representation: Representation, method: string, request: Fields): Content {
  const { head, framing, last, wire } = representation;
  const { status, fields } = head;
  const isRead = method === 'GET' || method === 'HEAD';
  if (isRead && status >= 200 && status < 300 && isNotModified(request, fields)) return notModified(head);
  if (method === 'HEAD') return headOnly(head, framing);
  return (method === 'GET' ? rangeOf(representation, request) : undefined) ?? { head, framing, last, body: wire() };
}

function notModified(head: ResponseHead): Content {
  const kept = head.fields.list.filter(({ key }) => !OF_ANOTHER_BODY.has(key) && !OF_THE_CONTENT.has(key));
  return bodiless({ ...head, status: 304, reason: 'Not Modified', fields: new Fields(kept) });
}

/** @returns undefined where the whole is the answer */
function rangeOf({ head, size, payload }: Representation, request: Fields): Content | undefined {
  const value = request.get('range');
  if (head.status !== 200 || size === undefined || value === undefined || !rangeApplies(request, head.fields)) return undefined;
  const [spec, more] = rangeSpecs(value) ?? [];
  if (spec === undefined || more !== undefined) return undefined;
  const span = spanOf(spec, size);
  if (span === undefined) {
    const fields = [fieldOf('Content-Range', `bytes */${size}`), fieldOf('Content-Length', '0')];
    return bodiless({ status: 416, reason: 'Range Not Satisfiable', minor: 1, fields: new Fields(fields) }, { kind: 'length', length: 0 });
  }
  const length = span.last - span.first + 1;
  const kept = head.fields.list.filter(({ key }) => !OF_ANOTHER_BODY.has(key));
  const own: Field[] = [fieldOf('Content-Range', `bytes ${span.first}-${span.last}/${size}`), fieldOf('Content-Length', String(length))];
  return {
    head: { ...head, status: 206, reason: 'Partial Content', fields: new Fields([...kept, ...own]) },
    framing: { kind: 'length', length },
    last: false,
    body: pieces(exactly(spanIn(payload(), span), length)),
  };
}

/** The answer to HEAD says of its body what the answer to GET would go by. */
function headOnly(head: ResponseHead, framing: Framing): Content {
  const first = head.fields.list.find(({ key }) => key === 'content-length');
  const list = head.fields.list.flatMap((field) => {
    if (framing.kind === 'none') return [field];
    if (field.key === 'transfer-encoding') return framing.kind === 'length' ? [] : [field];
    if (field.key !== 'content-length') return [field];
    return framing.kind === 'length' && field === first ? [fieldOf(field.name, String(framing.length))] : [];
  });
  return bodiless({ ...head, fields: new Fields(list) });
}

function bodiless(head: ResponseHead, framing: Framing = NO_BODY): Content {
  return { head, framing, last: false, body: nothing() };
}
