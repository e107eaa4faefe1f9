/**
 * Reads the fields of HTTP/1 heads: strictly, or as browsers do.
 *
 * Source: RFC 9112 §5.
 */
import { MessageError } from '../http/errors.ts';
import { Fields, isOws, TOKEN, trimOws, type Field } from '../http/fields.ts';
import { FieldLine } from './field-line.ts';

export const MAX_FIELDS = 7000;

/** field-name ":" OWS field-value OWS CRLF, with values of any octet but controls (RFC 9112 §5, RFC 9110 §5.5). */
const FIELD_LINE = /[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\0-\x08\x0a-\x1f\x7f]*\r\n/y;

/**
 * Fields from `start` up to the empty line that ends the text.
 *
 * @throws MessageError for the first line that is not exactly a field
 */
export function parseFields(text: string, start: number): Fields {
  return new Fields(scan(text, start, refuse));
}

/**
 * Fields as browsers read them: bare LF, folded lines and white space before the colon are accepted,
 * lines whose name is not a token are skipped, CR and NUL inside of a value count as spaces (RFC 9110 §5.5).
 */
export function parseFieldsLeniently(text: string, start: number): Fields {
  return new Fields(scan(text, start, lenientLine));
}

/** Whether a line, its end included, is exactly a field. */
export function isField(line: string): boolean {
  FIELD_LINE.lastIndex = 0;
  return FIELD_LINE.test(line) && FIELD_LINE.lastIndex === line.length;
}

/** @param other reads the line that is not exactly a field, adds what it finds to the list and returns where the next begins */
function scan(text: string, start: number, other: (text: string, at: number, list: Field[]) => number): Field[] {
  const list: Field[] = [];
  let at = start;
  while (!endsHere(text, at)) {
    FIELD_LINE.lastIndex = at;
    if (FIELD_LINE.test(text)) {
      const end = FIELD_LINE.lastIndex;
      list.push(fieldLine(text, at, end));
      at = end;
    } else {
      at = other(text, at, list);
    }
    if (list.length > MAX_FIELDS) throw new MessageError('too-large', `more than ${MAX_FIELDS} header fields`);
  }
  return list;
}

/** Slices of a text keep all of it in memory. */
const LARGE_CHARS = 16 * 1024;

function fieldLine(head: string, start: number, end: number): FieldLine {
  return head.length > LARGE_CHARS ? new FieldLine(copied(head.slice(start, end), head), 0, end - start) : new FieldLine(head, start, end);
}

/** A part of a head that may outlive it, on its own where the head is large. @param part Latin-1 */
export function copied(part: string, head: string): string {
  return head.length > LARGE_CHARS ? Buffer.from(part, 'latin1').toString('latin1') : part;
}

function endsHere(text: string, at: number): boolean {
  const left = text.length - at;
  return left === 0 || (left === 2 && text[at] === '\r' && text[at + 1] === '\n');
}

/** Says what is wrong with the line at `at`, which is known not to be a field. */
function refuse(text: string, at: number): never {
  const line = text.slice(at, lineEnd(text, at));
  throw new MessageError('syntax', problemOf(line), line.replace(/\r?\n$/, ''));
}

function problemOf(line: string): string {
  if (isOws(line.charCodeAt(0))) return 'folded header field';
  if (!line.endsWith('\r\n')) return 'LF without CR at the end of a header field';
  if (line.indexOf('\r') < line.length - 2) return 'CR without LF in header field';
  const colon = line.indexOf(':');
  if (colon === -1) return 'header field without a colon';
  if (isOws(line.charCodeAt(colon - 1))) return 'white space before the colon of a header field';
  return /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(line) ? 'control character in header field' : 'invalid name of a header field';
}

/** One line, or a run of folded ones: a run is joined at once, because line by line would cost the square of its length. */
function lenientLine(text: string, at: number, list: Field[]): number {
  const folded = isOws(text.charCodeAt(at));
  const end = folded ? afterFolds(text, at) : lineEnd(text, at);
  const line = copied(text.slice(at, end), text);
  if (folded) {
    const previous = list.pop();
    if (previous !== undefined) {
      const { name, key, value } = previous;
      const values = [value, ...line.split('\n').map(lenientValue)].filter((each) => each !== '');
      list.push({ name, key, value: values.join(' '), line: previous.line + line, exact: false });
    }
    return end;
  }
  const colon = line.indexOf(':');
  const name = trimOws(line.slice(0, Math.max(colon, 0)));
  // What continues a skipped line is skipped with it.
  if (!TOKEN.test(name)) return afterFolds(text, end);
  list.push({ name, key: name.toLowerCase(), value: lenientValue(line.slice(colon + 1)), line, exact: false });
  return end;
}

function lenientValue(text: string): string {
  return trimOws(text.replace(/[\0\r\n]/g, ' '));
}

/** Offset of the line after the one at `at`. */
function lineEnd(text: string, at: number): number {
  const lf = text.indexOf('\n', at);
  return lf === -1 ? text.length : lf + 1;
}

/** Offset of the first line from `at` on that does not begin with white space. */
function afterFolds(text: string, at: number): number {
  let next = at;
  while (isOws(text.charCodeAt(next))) next = lineEnd(text, next);
  return next;
}
