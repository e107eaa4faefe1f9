/**
 * Where the body of a message ends, decided by its head alone.
 *
 * Source: RFC 9112 §6.3; RFC 9110 §6.4.1 for answers without a body.
 */
import { hasTab, trimOws, type Fields } from '../http/fields.ts';
import { MessageError } from '../http/errors.ts';
import type { Framing, RequestHead, ResponseHead } from '../http/message.ts';

const NONE: Framing = { kind: 'none' };
const CHUNKED: Framing = { kind: 'chunked' };
const UNTIL_CLOSE: Framing = { kind: 'close' };

/** Codings that may stand before a final `chunked` (RFC 9112 §7). */
const CODINGS = new Set(['gzip', 'x-gzip', 'compress', 'x-compress', 'deflate']);

/** @throws MessageError when two recipients could disagree on the end of the request */
export function requestFraming({ fields, minor }: RequestHead): Framing {
  if (fields.has('transfer-encoding')) {
    const value = fields.all('transfer-encoding').join(', ');
    if (fields.has('content-length')) throw new MessageError('syntax', 'both Content-Length and Transfer-Encoding', value);
    if (minor === 0) throw new MessageError('syntax', 'Transfer-Encoding in an HTTP/1.0 request', value);
    const codings = value.split(',').map((coding) => trimOws(coding).toLowerCase());
    const tab = fields.list.some((field) => field.key === 'transfer-encoding' && hasTab(field));
    if (tab || codings.pop() !== 'chunked' || !codings.every((coding) => CODINGS.has(coding))) {
      throw new MessageError('syntax', 'Transfer-Encoding not understood, expected "chunked"', value);
    }
    return CHUNKED;
  }
  const value = fields.get('content-length');
  if (value === undefined) return NONE;
  if (fields.repeats('content-length'))
    throw new MessageError('syntax', 'more than one Content-Length', fields.all('content-length').join(', '));
  const length = parseLength(value);
  if (length === undefined) throw new MessageError('syntax', 'malformed Content-Length, expected decimal digits', value);
  return { kind: 'length', length };
}

/**
 * Transfer-Encoding wins over a length, in HTTP/1.0 too (as curl and Node read it; Chromium ignores it there); equal lengths count once;
 * a malformed one counts as none.
 *
 * @throws MessageError when lengths differ
 */
export function responseFraming(head: ResponseHead, requestMethod: string): Framing {
  const { status, fields } = head;
  if (requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304) return NONE;
  const coding = lastCoding(fields);
  if (coding !== undefined) return coding === 'chunked' ? CHUNKED : UNTIL_CLOSE;
  const value = fields.get('content-length');
  if (value === undefined) return UNTIL_CLOSE;
  // Nearly always it is one number.
  const only = fields.repeats('content-length') ? undefined : parseLength(value);
  if (only !== undefined) return { kind: 'length', length: only };
  const members = fields.members('content-length');
  const lengths = new Set(members.map(parseLength));
  if (lengths.size > 1) throw new MessageError('syntax', 'differing lengths in the response', members.join(', '));
  const [length] = lengths;
  if (length === undefined) return UNTIL_CLOSE;
  return { kind: 'length', length };
}

/** The transfer-coding that was applied last. */
export function lastCoding(fields: Fields): string | undefined {
  return fields.has('transfer-encoding') ? fields.members('transfer-encoding').findLast((coding) => coding !== 'identity') : undefined;
}

const DIGITS = /^\d+$/;

function parseLength(value: string): number | undefined {
  const length = DIGITS.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(length) ? length : undefined;
}

/**
 * Whether the sender of this head keeps the connection for another message (RFC 9112 §9.3).
 *
 * HTTP/1.0 counts as not persistent, keep-alive or not, as RFC 9112 appendix C.2.2 asks of proxies.
 */
export function keepsConnection(head: RequestHead | ResponseHead): boolean {
  if (head.minor === 0) return false;
  return !head.fields.hasMember('connection', 'close') && !head.fields.hasMember('proxy-connection', 'close');
}
