/**
 * Heads of HTTP/1 messages: where one ends in a stream of bytes, and what it says.
 *
 * Strict towards clients: a request that two parsers could read differently is refused (RFC 9112 §11.2).
 * Lenient towards origins: an archive wants what browsers accept; each leniency is listed in docs/http1.md.
 * Source: RFC 9112 §2 to §5.
 */
import { MessageError } from '../http/errors.ts';
import { trimOws } from '../http/fields.ts';
import type { RequestHead, ResponseHead } from '../http/message.ts';
import { METADATA_METHOD, RECORD_METHOD } from '../http/record-uri.ts';
import { freeBuffer } from '../util/free-buffer.ts';
import { copied, parseFields, parseFieldsLeniently } from './fields.ts';
import { NO_CEILING, type HeadKeeper, type HeadMemory, type HeadOwner } from './head-memory.ts';

export const MAX_HEAD_BYTES = 4 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);
const LF = 0x0a;
const CR = 0x0d;

const NOBODY: HeadOwner = { onGivenUp: () => undefined };

/** Finds the end of a head: the first empty line, ended by CRLF or by a bare LF. */
export class HeadReader implements HeadKeeper {
  readonly #memory: HeadMemory;
  readonly #owner: HeadOwner;
  readonly #together: boolean;
  #kept: Buffer = NOTHING;
  #size = 0;
  /** bytes of what came before this head and counts with it */
  #before = 0;

  /** @param together all heads read, and the empty lines between them, have to be as small as one */
  constructor(memory = NO_CEILING, owner = NOBODY, together = false) {
    this.#memory = memory;
    this.#owner = owner;
    this.#together = together;
  }

  /** Bytes of a head that has begun and is not complete. */
  get pending(): number {
    return this.#size;
  }

  /** What is held for it. */
  get keptBytes(): number {
    return this.#kept.length;
  }

  /** Bytes that heads and trailers may still have. */
  get left(): number {
    return MAX_HEAD_BYTES - this.#before;
  }

  /** Without the empty lines in front of a head; they are ignored, but counted. @throws MessageError `too-large` past 4 MiB */
  withoutEmptyLines(chunk: Buffer): Buffer {
    const empty = this.#size === 0 ? leadingEmptyLines(chunk) : 0;
    if (empty === 0) return chunk;
    this.#before += empty;
    if (this.left < 0) throw new MessageError('too-large', `heads and empty lines together larger than ${MAX_HEAD_BYTES} bytes`);
    return chunk.subarray(empty);
  }

  /**
   * Take the next bytes of the stream.
   *
   * @returns head (empty line included) and the bytes after it, or undefined while it is not complete
   * @throws MessageError `too-large` past 4 MiB, or when there is no room
   */
  push(chunk: Buffer): { readonly head: Buffer; readonly rest: Buffer } | undefined {
    const before = this.#size;
    let bytes = chunk;
    let scanned = 0;
    if (before > 0) {
      this.#keep(chunk);
      bytes = this.#kept.subarray(0, this.#size);
      scanned = Math.max(before - 2, 0);
    }
    const end = headEnd(bytes, scanned);
    const length = end === -1 ? bytes.length : end;
    if (length > this.left) {
      this.release();
      const what = length > MAX_HEAD_BYTES ? 'header block' : 'heads of an answer together';
      throw new MessageError('too-large', `${what} larger than ${MAX_HEAD_BYTES} bytes`);
    }
    if (end === -1) {
      if (before === 0) this.#keep(chunk);
      return undefined;
    }
    this.#letGo();
    this.#before = this.#together ? this.#before + length : 0;
    return {
      head: end === bytes.length ? bytes : bytes.subarray(0, end),
      rest: end === bytes.length ? NOTHING : chunk.subarray(end - before),
    };
  }

  giveUp(error: MessageError): void {
    this.release();
    this.#owner.onGivenUp(error);
  }

  /** Let go of a head that has begun. */
  release(): void {
    const kept = this.#letGo();
    if (kept !== undefined) freeBuffer(kept);
  }

  /** @returns what was kept, if there was a head */
  #letGo(): Buffer | undefined {
    if (this.#size === 0) return undefined;
    this.#memory.letGo(this);
    const kept = this.#kept;
    this.#kept = NOTHING;
    this.#size = 0;
    return kept;
  }

  #keep(chunk: Buffer): void {
    const size = this.#size + chunk.length;
    if (size > this.#kept.length) {
      const length = Math.max(size, 2 * this.#kept.length);
      this.#memory.keep(this, length - this.#kept.length);
      const grown = Buffer.allocUnsafe(length);
      this.#kept.copy(grown, 0, 0, this.#size);
      freeBuffer(this.#kept);
      this.#kept = grown;
    }
    chunk.copy(this.#kept, this.#size);
    this.#size = size;
  }
}

/** Offset after the first empty line, looking for its line feeds from `from` on; -1 without one. */
function headEnd(bytes: Buffer, from: number): number {
  const { length } = bytes;
  for (let at = from; at < length; at++) {
    if (bytes[at] !== LF) continue;
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/** Number of CR and LF octets in front of a message; they are ignored (RFC 9112 §2.2). */
export function leadingEmptyLines(bytes: Buffer): number {
  let count = 0;
  while (bytes[count] === CR || bytes[count] === LF) count++;
  return count;
}

/**
 * The URL of a record that a client writes may hold spaces: it is never sent on, so nobody else reads that line. The method stands first and
 * the version last.
 */
const RECORD_LINE = new RegExp(
  `(?:${RECORD_METHOD}|${METADATA_METHOD}) [^\\0-\\x20\\x7f](?:[^\\0-\\x1f\\x7f]*[^\\0-\\x20\\x7f])? HTTP/\\d\\.\\d\\r\\n`,
  'y',
);
const REQUEST_LINE = /[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\0-\x20\x7f]+ HTTP\/\d\.\d\r\n/y;
/** `HTTP/1.1` and the line end, as every request line has them. */
const VERSION_CHARS = 10;

/** One text stands for each of these: it is compared many times. */
const USUAL_METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'CONNECT'];

function methodIn(text: string, end: number): string {
  for (const usual of USUAL_METHODS) if (usual.length === end && text.startsWith(usual)) return usual;
  return text.slice(0, end);
}

/** @throws MessageError for anything that is not exactly a request head */
export function parseRequestHead(bytes: Buffer): RequestHead {
  const text = bytes.toString('latin1');
  const end = endOf(REQUEST_LINE, text) || endOf(RECORD_LINE, text);
  if (end === 0) throw new MessageError('syntax', 'malformed request line', firstLine(text));
  const targetAt = text.indexOf(' ') + 1;
  const versionAt = end - VERSION_CHARS;
  const minor = text[end - 3];
  if (text[end - 5] !== '1')
    throw new MessageError('version', 'HTTP version not supported, expected HTTP/1.1', text.slice(versionAt, end - 2));
  const fields = parseFields(text, end);
  if (fields.repeats('host')) throw new MessageError('syntax', 'more than one Host', fields.all('host').join(', '));
  const target = copied(text.slice(targetAt, versionAt - 1), text);
  return { method: methodIn(text, targetAt - 1), target, minor: minor === '0' ? 0 : 1, fields };
}

/**
 * As browsers read it: up to 4 octets in front, any version or none, digits, whatever follows them. SHOUTcast servers say ICY.
 *
 * Source: Chromium's HttpUtil::LocateStartOfStatusLine and HttpResponseHeaders::ParseStatusLine, Firefox's nsHttpResponseHead.
 */
const STATUS_LINE = /(?:([^]{0,4}?)HTTP(?:\/([^ \t\r\n]*))?|ICY)(?:[ \t]+(\d*)([^\n]*))?\r?\n/iy;
/** A line without a status means this one. */
const ASSUMED_STATUS = '200';
const STATUS = /^[1-9]\d\d$/;
const KEEPS_ALIVE = /^1\.\d*[1-9]/;

/** @throws MessageError when there is no status line or no status of three digits, or there are too many fields */
export function parseResponseHead(bytes: Buffer): ResponseHead {
  const text = bytes.toString('latin1');
  const plain = plainResponseHead(text);
  if (plain !== undefined) return plain;
  const match = atStart(STATUS_LINE, text);
  if (match === null) throw new MessageError('syntax', 'malformed status line', firstLine(text));
  const [line, junk = '', version = '', digits = '', rest = ''] = match;
  // Text with HTTP in its first words is no head.
  const status = digits === '' && junk === '' ? ASSUMED_STATUS : digits;
  if (!STATUS.test(status)) throw new MessageError('syntax', 'malformed status line', firstLine(text));
  const fields = parseFieldsLeniently(text, line.length);
  return { status: Number(status), reason: digits === '' ? '' : reasonIn(rest), minor: KEEPS_ALIVE.test(version) ? 1 : 0, fields };
}

/** With a status line as nearly all have; undefined for any other. The same is read by what calls it, at three times the cost. */
function plainResponseHead(text: string): ResponseHead | undefined {
  const lf = text.indexOf('\n');
  const first = text.charCodeAt(9);
  if (!text.startsWith('HTTP/1.1 ') || !text.startsWith('\r', lf - 1) || first === 0x30 || lf < 14 || text[12] !== ' ') return undefined;
  const status = 100 * (first - 0x30) + 10 * (text.charCodeAt(10) - 0x30) + (text.charCodeAt(11) - 0x30);
  for (let at = 9; at < 12; at++) if (!isDigit(text.charCodeAt(at))) return undefined;
  for (let at = 13; at < lf - 1; at++) if (text.charCodeAt(at) < 0x20) return undefined;
  return { status, reason: text.slice(13, lf - 1), minor: 1, fields: parseFieldsLeniently(text, lf + 1) };
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** @param rest what follows the status; the space before the reason may be missing */
function reasonIn(rest: string): string {
  return rest
    .replace(/^[ \t]/, '')
    .replace(/\r$/, '')
    .replace(/[\0\r]/g, ' ');
}

/** @returns where it ends that stands at the beginning; 0 where it does not */
function endOf(sticky: RegExp, text: string): number {
  sticky.lastIndex = 0;
  return sticky.test(text) ? sticky.lastIndex : 0;
}

function atStart(sticky: RegExp, text: string): RegExpExecArray | null {
  sticky.lastIndex = 0;
  return sticky.exec(text);
}

function firstLine(text: string): string {
  const lf = text.indexOf('\n');
  return trimOws((lf === -1 ? text : text.slice(0, lf)).replace(/\r$/, ''));
}
