/**
 * What is said to an origin as a client has said it to the proxy.
 *
 * Source: RFC 9113 §3.4, §6.5, §6.9 (what a connection begins with), §8.3.1 (pseudo-header fields, in no order of their own).
 */
import type { TlsImitation } from '../tls/imitation.ts';

/** How a session of HTTP/2 begins, and how its requests do: what servers tell clients by. */
export interface Http2Manner {
  /** two that are equal have the same */
  readonly key: string;
  /** sent in this order */
  readonly settings: Http2Settings;
  /** bytes of the whole session that may come unasked, at least 65,535 */
  readonly sessionWindow: number;
  /** the four pseudo-header fields of a request, in this order */
  readonly pseudoOrder: readonly string[];
}

/** By the names of Node's `http2`, which are those of src/http2; what is left out is not sent. */
export interface Http2Settings {
  readonly headerTableSize?: number;
  readonly enablePush: false;
  readonly maxConcurrentStreams?: number;
  readonly initialWindowSize?: number;
  readonly maxFrameSize?: number;
  readonly maxHeaderListSize?: number;
}

export interface Imitation {
  readonly tls: TlsImitation;
  /** of a client that speaks HTTP/2 */
  readonly http2?: Http2Manner;
}

/** Origins hear the same of two that have the same. */
export function imitationKey({ tls, http2 }: Imitation): string {
  return http2 === undefined ? tls.key : `${tls.key}|${http2.key}`;
}
