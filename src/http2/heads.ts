/**
 * Heads of HTTP/2 messages as they are understood here, and as a record has them: in the form of HTTP/1.1, which every reader knows.
 *
 * What is malformed has ended its stream before (`validity.ts`). What is not, and HTTP/1.1 could read in another way, is refused here,
 * whatever the origin speaks.
 * Source: RFC 9113 §8.2 and §8.3, §8.2.3 (cookies), §10.3 (intermediaries).
 */
import { STATUS_CODES } from 'node:http';
import { MessageError } from '../http/errors.ts';
import { fieldOf, Fields, TOKEN, type Field } from '../http/fields.ts';
import type { Framing, RequestHead, ResponseHead } from '../http/message.ts';
import { parseAuthority } from '../http/authority.ts';
import type { FieldList } from './field-list.ts';

export interface RequestOfFrame {
  readonly head: RequestHead;
  readonly framing: Framing;
  /** of names and values, before any compression */
  readonly bytes: number;
}

const OWN_OF_HTTP1 = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

/**
 * A request: `host` first, from `:authority`, then all fields in their order, cookies joined.
 *
 * @param hasBody frames of data follow
 * @throws MessageError for what another reader could take for something else
 */
export function requestOf(list: FieldList, hasBody: boolean): RequestOfFrame {
  const pseudo = new Map<string, string>();
  const fields: Field[] = [];
  let bytes = 0;
  for (let at = 0; at + 1 < list.length; at += 2) {
    const [name, value] = [list[at] ?? '', list[at + 1] ?? ''];
    bytes += name.length + value.length;
    if (name.startsWith(':')) pseudo.set(name, checkedValue(name, value));
    else fields.push(marked(checkedField(name, value), list));
  }
  const method = pseudo.get(':method') ?? '';
  if (!TOKEN.test(method)) throw new MessageError('syntax', 'method not understood, expected one such as GET', method);
  const head: RequestHead = {
    method,
    target: method === 'CONNECT' ? (pseudo.get(':authority') ?? '') : targetOf(method, pseudo),
    minor: 1,
    fields: new Fields([fieldOf('host', hostOf(pseudo.get(':authority'), fields)), ...joinedCookies(fields.filter(isNoHost))]),
  };
  return { head, framing: framingOf(head.fields, hasBody), bytes };
}

/** Where the body ends: HTTP/2 says so by its frames, HTTP/1.1 needs chunks where no length was said. */
function framingOf(fields: Fields, hasBody: boolean): Framing {
  const lengths = fields.all('content-length');
  const [length] = lengths;
  if (lengths.length > 1 || (length !== undefined && !/^\d{1,15}$/.test(length))) {
    throw new MessageError('syntax', 'malformed Content-Length, expected decimal digits', lengths.join(', '));
  }
  if (!hasBody) {
    if (length !== undefined && Number(length) > 0)
      throw new MessageError('syntax', 'no body, but a Content-Length of more than 0', length);
    return { kind: 'none' };
  }
  return length === undefined ? { kind: 'chunked' } : { kind: 'length', length: Number(length) };
}

function targetOf(method: string, pseudo: ReadonlyMap<string, string>): string {
  const scheme = pseudo.get(':scheme') ?? '';
  if (scheme !== 'https') throw new MessageError('syntax', ':scheme not understood, expected https', scheme);
  const path = pseudo.get(':path') ?? '';
  const isPath = /^\/[^\0-\x20\x7f]*$/.test(path) || (path === '*' && method === 'OPTIONS');
  if (!isPath) throw new MessageError('syntax', ':path not understood, expected one that begins with a slash, without spaces', path);
  return path;
}

/** @throws MessageError when host and :authority say different things, or nothing */
function hostOf(authority: string | undefined, fields: readonly Field[]): string {
  const hosts = fields.filter((field) => !isNoHost(field)).map(({ value }) => value);
  const host = authority ?? hosts[0];
  if (host === undefined || host === '') throw new MessageError('syntax', 'neither :authority nor host');
  if (!hosts.every((each) => isSameAuthority(each, host)))
    throw new MessageError('syntax', ':authority and host that differ', [host, ...hosts].join(', '));
  return host;
}

function isSameAuthority(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [parseAuthority(one, 443), parseAuthority(other, 443)];
  return a.host === b.host && a.port === b.port;
}

function isNoHost({ key }: Field): boolean {
  return key !== 'host';
}

function checkedField(name: string, value: string): Field {
  if (!TOKEN.test(name) || name !== name.toLowerCase())
    throw new MessageError('syntax', 'invalid name of a header field, expected lower-case letters and no colon', name);
  if (OWN_OF_HTTP1.has(name)) throw new MessageError('syntax', 'field of HTTP/1.1 in a request of HTTP/2', name);
  if (name === 'te' && value.toLowerCase() !== 'trailers') throw new MessageError('syntax', 'te not understood, expected trailers', value);
  return fieldOf(name, checkedValue(name, value));
}

/** @throws MessageError for a control character, and for white space that would be lost (RFC 9113 §8.2.1) */
function checkedValue(name: string, value: string): string {
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw new MessageError('syntax', `control character in ${name}`, value);
  if (/^[ \t]|[ \t]$/.test(value)) throw new MessageError('syntax', `white space around the value of ${name}`, value);
  return value;
}

function marked(field: Field, { neverIndexed }: FieldList): Field {
  return neverIndexed?.has(field.name) === true ? { ...field, neverIndexed: true } : field;
}

function isCookie({ key }: Field): boolean {
  return key === 'cookie';
}

/** One field, where the first of them stood (RFC 9113 §8.2.3). */
function joinedCookies(fields: readonly Field[]): readonly Field[] {
  if (!fields.some(isCookie)) return fields;
  const cookies = fields.filter(isCookie);
  const [first] = cookies;
  if (first === undefined || cookies.length === 1) return fields;
  const text = fieldOf('cookie', cookies.map(({ value }) => value).join('; '));
  const joined: Field = cookies.some(({ neverIndexed }) => neverIndexed) ? { ...text, neverIndexed: true } : text;
  return fields.flatMap((field) => (field === first ? [joined] : field.key === 'cookie' ? [] : [field]));
}

/** An answer; never throws, as an archive wants it anyway. */
export function responseOf(list: FieldList): ResponseHead {
  let status = 0;
  const fields: Field[] = [];
  for (let at = 0; at + 1 < list.length; at += 2) {
    const [name, value] = [list[at] ?? '', list[at + 1] ?? ''];
    if (name === ':status') status = Number(value);
    else fields.push(marked(fieldOf(name, value), list));
  }
  return { status, reason: STATUS_CODES[status] ?? '', minor: 1, fields: new Fields(fields) };
}

/** @param ended no frames of data follow */
export function responseFraming({ status, fields }: ResponseHead, method: string, ended: boolean): Framing {
  if (ended || method === 'HEAD' || status === 204 || status === 304) return { kind: 'none' };
  const length = fields.get('content-length') ?? '';
  return /^\d{1,15}$/.test(length) ? { kind: 'length', length: Number(length) } : { kind: 'close' };
}

/** Fields behind a body, without what can be none. */
export function trailersOf(list: FieldList): Fields {
  return new Fields([...pairs(list)].filter(([name]) => !name.startsWith(':')).map(([name, value]) => marked(fieldOf(name, value), list)));
}

/** What frames, routes or lets in must not stand behind a body (RFC 9110 §6.5.1). */
const ONLY_IN_HEADS = new Set(['authorization', 'content-length', 'cookie', 'host', 'te', 'trailer', 'warcprox-meta']);

/** Fields behind the body of a request. @throws MessageError for what another reader could take for something else */
export function requestTrailersOf(list: FieldList): Fields {
  const fields: Field[] = [];
  for (const [name, value] of pairs(list)) {
    const field = marked(checkedField(name, value), list);
    if (ONLY_IN_HEADS.has(field.key)) throw new MessageError('syntax', 'field that must not stand behind a body', name);
    fields.push(field);
  }
  return new Fields(fields);
}

/** The head of an answer as a record has it. */
export function responseBlock({ status, reason, fields }: ResponseHead): Buffer {
  return blockOf(`HTTP/1.1 ${status} ${reason}`, fields.list);
}

/** The head of a request as a record has it, of what is sent. */
export function requestBlock(method: string, path: string, fields: Iterable<Field>): Buffer {
  return blockOf(`${method} ${path} HTTP/1.1`, fields);
}

function blockOf(line: string, fields: Iterable<Field>): Buffer {
  let text = `${line}\r\n`;
  for (const field of fields) text += field.line;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

function* pairs(list: FieldList): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < list.length; at += 2) yield [list[at] ?? '', list[at + 1] ?? ''];
}
