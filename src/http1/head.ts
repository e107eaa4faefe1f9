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
import { parseFields, parseFieldsLeniently } from './fields.ts';

export const MAX_HEAD_BYTES = 4 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

/** Finds the end of a head: the first empty line, ended by CRLF or by a bare LF. */
export class HeadReader {
  #kept: Buffer = NOTHING;
  #size = 0;

  /** Bytes of a head that has begun and is not complete. */
  get pending(): number {
    return this.#size;
  }

  /**
   * Take the next bytes of the stream.
   *
   * @returns head (empty line included) and the bytes after it, or undefined while it is not complete
   * @throws MessageError `too-large` past 4 MiB
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
    if ((end === -1 ? bytes.length : end) > MAX_HEAD_BYTES) {
      throw new MessageError('too-large', `header block larger than ${MAX_HEAD_BYTES} bytes`);
    }
    if (end === -1) {
      if (before === 0) this.#keep(chunk);
      return undefined;
    }
    this.#kept = NOTHING;
    this.#size = 0;
    return { head: bytes.subarray(0, end), rest: chunk.subarray(end - before) };
  }

  #keep(chunk: Buffer): void {
    const size = this.#size + chunk.length;
    if (size > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(size, 2 * this.#kept.length));
      this.#kept.copy(grown, 0, 0, this.#size);
      this.#kept = grown;
    }
    chunk.copy(this.#kept, this.#size);
    this.#size = size;
  }
}

/** Offset after the first empty line, looking for its line feeds from `from` on; -1 without one. */
function headEnd(bytes: Buffer, from: number): number {
  const crlf = bytes.indexOf('\n\r\n', from, 'latin1');
  const searched = crlf === -1 ? bytes : bytes.subarray(0, crlf + 1);
  const lf = searched.indexOf('\n\n', from, 'latin1');
  if (lf !== -1) return lf + 2;
  return crlf === -1 ? -1 : crlf + 3;
}

/** Number of CR and LF octets in front of a message; they are ignored (RFC 9112 §2.2). */
export function leadingEmptyLines(bytes: Buffer): number {
  let count = 0;
  while (bytes[count] === 0x0d || bytes[count] === 0x0a) count++;
  return count;
}

/**
 * The URL of a record that a client writes may hold spaces: it is never sent on, so nobody else reads that line. The method stands first and
 * the version last.
 */
const RECORD_LINE = new RegExp(
  `(${RECORD_METHOD}|${METADATA_METHOD}) ([^\\0-\\x20\\x7f](?:[^\\0-\\x1f\\x7f]*[^\\0-\\x20\\x7f])?) HTTP/(\\d)\\.(\\d)\\r\\n`,
  'y',
);
const REQUEST_LINE = /([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\0-\x20\x7f]+) HTTP\/(\d)\.(\d)\r\n/y;

/** @throws MessageError for anything that is not exactly a request head */
export function parseRequestHead(bytes: Buffer): RequestHead {
  const text = bytes.toString('latin1');
  const match = atStart(REQUEST_LINE, text) ?? atStart(RECORD_LINE, text);
  if (match === null) throw new MessageError('syntax', 'malformed request line', firstLine(text));
  const [line, method = '', target = '', major, minor] = match;
  if (major !== '1')
    throw new MessageError('version', 'HTTP version not supported, expected HTTP/1.1', `HTTP/${major ?? ''}.${minor ?? ''}`);
  const fields = parseFields(text, line.length);
  const hosts = fields.all('host');
  if (hosts.length > 1) throw new MessageError('syntax', 'more than one Host', hosts.join(', '));
  return { method, target, minor: minor === '0' ? 0 : 1, fields };
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
  const match = atStart(STATUS_LINE, text);
  if (match === null) throw new MessageError('syntax', 'malformed status line', firstLine(text));
  const [line, junk = '', version = '', digits = '', rest = ''] = match;
  // Text with HTTP in its first words is no head.
  const status = digits === '' && junk === '' ? ASSUMED_STATUS : digits;
  if (!STATUS.test(status)) throw new MessageError('syntax', 'malformed status line', firstLine(text));
  const fields = parseFieldsLeniently(text, line.length);
  return { status: Number(status), reason: digits === '' ? '' : reasonIn(rest), minor: KEEPS_ALIVE.test(version) ? 1 : 0, fields };
}

/** @param rest what follows the status; the space before the reason may be missing */
function reasonIn(rest: string): string {
  return rest
    .replace(/^[ \t]/, '')
    .replace(/\r$/, '')
    .replace(/[\0\r]/g, ' ');
}

function atStart(sticky: RegExp, text: string): RegExpExecArray | null {
  sticky.lastIndex = 0;
  return sticky.exec(text);
}

function firstLine(text: string): string {
  const lf = text.indexOf('\n');
  return trimOws((lf === -1 ? text : text.slice(0, lf)).replace(/\r$/, ''));
}
