/**
 * The chunked transfer-coding: finds the data between sizes, extensions and trailers, and changes nothing.
 *
 * Source: RFC 9112 §7.1.
 */
import { trimOws, type Fields } from '../http/fields.ts';
import type { BodyReader } from './body.ts';
import { MessageError } from '../http/errors.ts';
import { isField, parseFields } from './fields.ts';
import { MAX_HEAD_BYTES } from './head.ts';

/** A size with its extensions; senders have no reason for more. */
const MAX_SIZE_LINE = 16 * 1024;

/** chunk-size [ chunk-ext ] CRLF; extensions begin with a semicolon. */
const STRICT_SIZE = /^([0-9A-Fa-f]{1,13})(?:[ \t]*;[^\0-\x08\x0a-\x1f\x7f]*)?\r\n$/;
/** White space around the size, more leading zeros, control characters but CR in extensions and a bare LF, too. */
const LENIENT_SIZE = /^[ \t]*0*([0-9A-Fa-f]{1,13})[ \t]*(?:;[^\r\n]*)?\r?\n$/;

/** Of trailers, for whoever gets them in another form than their bytes. Only checksums, signatures and times are known to stand there. */
const MAX_KEPT_TRAILERS = 16 * 1024;

/** They must not be in a trailer (RFC 9110 §6.5.1); some recipients go by them there, too, for this message or the next. */
const FRAMING = /^(?:content-length|transfer-encoding):/i;

const enum State {
  Size,
  Data,
  DataEnd,
  Trailer,
  Done,
}

export class ChunkedBody implements BodyReader {
  exact = true;
  readonly #strict: boolean;
  readonly #maxTrailerBytes: number;
  #state = State.Size;
  /** a line that has begun in an earlier piece */
  #line = '';
  /** that line ends in a CR so far */
  #cr = false;
  #left = 0;
  #trailerBytes = 0;
  #trailers = '';

  constructor(strict: boolean, maxTrailerBytes = MAX_HEAD_BYTES) {
    this.#strict = strict;
    this.#maxTrailerBytes = maxTrailerBytes;
  }

  get trailers(): string {
    return this.exact ? this.#trailers : '';
  }

  get done(): boolean {
    return this.#state === State.Done;
  }

  read(bytes: Buffer, start: number, payload: Buffer[]): number {
    let at = start;
    while (at < bytes.length && this.#state !== State.Done) {
      if (this.#state === State.Data) {
        const end = Math.min(at + this.#left, bytes.length);
        payload.push(bytes.subarray(at, end));
        this.#left -= end - at;
        if (this.#left === 0) this.#state = State.DataEnd;
        at = end;
      } else {
        const lf = bytes.indexOf(0x0a, at);
        const end = lf === -1 ? bytes.length : lf + 1;
        if (this.#strict) this.#checkCr(bytes, at, end);
        this.#checkLength(end - at);
        this.#line += bytes.toString('latin1', at, end);
        at = end;
        if (lf !== -1) this.#endOfLine();
      }
    }
    return at;
  }

  /**
   * What came of a line may be sent on before its end has come, and some recipients end lines at a CR (RFC 9112 §2.2): so it is refused at
   * once, with the same words however it is split.
   */
  #checkCr(bytes: Buffer, start: number, end: number): void {
    const cr = bytes.indexOf(0x0d, start);
    const last = cr !== -1 && cr + 1 === end;
    // Offset of what stands behind a CR.
    const next = this.#cr ? start : cr === -1 || cr + 1 >= end ? end : cr + 1;
    this.#cr = last;
    if (next === end || bytes[next] === 0x0a) return;
    this.#checkLength(next + 1 - start);
    const found = this.#line + bytes.toString('latin1', start, bytes[next] === 0x0d ? next : next + 1);
    if (this.#state === State.Size) throw new MessageError('syntax', 'malformed chunk size', found);
    if (this.#state === State.DataEnd) throw new MessageError('syntax', 'chunk data longer than its size');
    throw new MessageError('syntax', 'CR without LF in header field', found);
  }

  #checkLength(more: number): void {
    const length = this.#line.length + more;
    if (this.#state === State.Size && length > MAX_SIZE_LINE)
      throw new MessageError('too-large', `chunk size line larger than ${MAX_SIZE_LINE} bytes`);
    if (this.#state === State.DataEnd && length > 2) throw new MessageError('syntax', 'chunk data longer than its size');
    if (this.#state === State.Trailer && this.#trailerBytes + length > this.#maxTrailerBytes) {
      const what = this.#maxTrailerBytes === MAX_HEAD_BYTES ? 'trailer section' : 'heads and trailers together';
      throw new MessageError('too-large', `${what} larger than ${MAX_HEAD_BYTES} bytes`);
    }
  }

  #endOfLine(): void {
    const line = this.#line;
    this.#line = '';
    if (this.#state === State.Size) {
      const strict = STRICT_SIZE.exec(line);
      const size = strict ?? (this.#strict ? null : LENIENT_SIZE.exec(line));
      if (size?.[1] === undefined) throw new MessageError('syntax', 'malformed chunk size', trimOws(line.replace(/\r?\n$/, '')));
      this.exact &&= strict !== null;
      this.#left = parseInt(size[1], 16);
      this.#state = this.#left === 0 ? State.Trailer : State.Data;
    } else if (this.#state === State.DataEnd) {
      if (!this.#isEmpty(line)) throw new MessageError('syntax', 'chunk data not followed by CRLF');
      this.#state = State.Size;
    } else if (this.#isEmpty(line)) {
      this.#state = State.Done;
    } else {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes <= MAX_KEPT_TRAILERS) this.#trailers += line;
      else this.#trailers = '';
      const framing = FRAMING.test(line);
      if (this.#strict) parseFields(line, 0);
      if (this.#strict && framing) throw new MessageError('syntax', 'framing field in the trailer', line.slice(0, -2));
      this.exact &&= !framing && isField(line);
    }
  }

  #isEmpty(line: string): boolean {
    if (line === '\r\n') return true;
    if (this.#strict || line !== '\n') return false;
    this.exact = false;
    return true;
  }
}

const CRLF = Buffer.from('\r\n');

/** What ends a body of chunks without trailers. */
export const LAST_CHUNK: Buffer = Buffer.from('0\r\n\r\n');

/** The last chunk with fields behind it (RFC 9112 §7.1.2). */
export function lastChunk({ list }: Fields): Buffer {
  return Buffer.from(`0\r\n${list.map(({ line }) => line).join('')}\r\n`, 'latin1');
}

/** @param piece not empty: an empty chunk is the last one */
export function chunkOf(piece: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, CRLF]);
}
