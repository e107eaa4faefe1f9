/**
 * What a message says, whatever version of HTTP it came in: heads, and how the end of a body is known.
 *
 * Source: RFC 9110 §6; RFC 9112 §6.3 for the framing of HTTP/1.
 */
import type { Fields } from './fields.ts';

export interface RequestHead {
  readonly method: string;
  /** as sent (RFC 9112 §3.2), Latin-1 */
  readonly target: string;
  /** minor version: 0 for HTTP/1.0, 1 for everything later */
  readonly minor: 0 | 1;
  readonly fields: Fields;
}

export interface ResponseHead {
  readonly status: number;
  /** Latin-1, CR and NUL in it replaced by spaces; empty when it is missing */
  readonly reason: string;
  readonly minor: 0 | 1;
  readonly fields: Fields;
}

/** Where the body of a message ends. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** the body lasts as long as the connection */
  | { readonly kind: 'close' };

/** A piece of a body: as it came over the wire, and the slices of it that are not transfer-coding. */
export interface BodyPiece {
  readonly bytes: Buffer;
  readonly payload: readonly Buffer[];
}
