/**
 * Reads a body out of a stream of bytes: where it ends, and which of its bytes are payload.
 *
 * Source: RFC 9112 §6.2, §7.1.
 */
import type { Framing } from '../http/message.ts';
import { ChunkedBody } from './chunked.ts';

export interface BodyReader {
  readonly done: boolean;
  /** false once framing was accepted that a strict reader refuses */
  readonly exact: boolean;
  /** lines of fields behind the chunks; empty where there are none, or some are not exactly fields */
  readonly trailers?: string;
  /**
   * Take what belongs to the body from `bytes`, from offset `start` on.
   *
   * @param payload gets the slices without transfer-coding
   * @returns offset after the last byte taken; less than the length only when the body is done
   * @throws MessageError for a malformed chunk
   */
  read(bytes: Buffer, start: number, payload: Buffer[]): number;
}

/**
 * @param strict what clients send is read strictly, what origins send leniently
 * @param maxTrailerBytes what the heads before it have left of their limit
 */
export function bodyReader(framing: Framing, strict: boolean, maxTrailerBytes?: number): BodyReader {
  switch (framing.kind) {
    case 'none':
      return NO_BODY;
    case 'length':
      return new LengthBody(framing.length);
    case 'chunked':
      return new ChunkedBody(strict, maxTrailerBytes);
    case 'close':
      return UNTIL_CLOSE;
  }
}

const NO_BODY: BodyReader = { done: true, exact: true, read: (_bytes, start) => start };

const UNTIL_CLOSE: BodyReader = {
  done: false,
  exact: true,
  read(bytes, start, payload) {
    if (start < bytes.length) payload.push(start === 0 ? bytes : bytes.subarray(start));
    return bytes.length;
  },
};

class LengthBody implements BodyReader {
  readonly exact = true;
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  read(bytes: Buffer, start: number, payload: Buffer[]): number {
    const end = Math.min(start + this.#left, bytes.length);
    if (end > start) payload.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    this.#left -= end - start;
    return end;
  }
}
