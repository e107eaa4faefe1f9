/**
 * The origin's side of an exchange, in whatever version of HTTP: connections, and the requests on them.
 *
 * HTTP/1 carries one request at a time and is its own stream (`Http1Origin`). A version that carries many has a stream for each. The pool
 * and the exchange know only what stands here.
 */
import type { Truncation } from '../capture/capture.ts';
import type { Fields } from '../http/fields.ts';
import type { FetchError } from '../http/fetch-error.ts';
import type { Imitation } from '../http/imitation.ts';
import type { BodyPiece, Framing, ResponseHead } from '../http/message.ts';
import type { Upgraded } from '../http/sides.ts';
import type { Target } from '../http/target.ts';
import type { TlsFacts } from '../tls/facts.ts';
import type { Upstream } from './upstream.ts';

/** A request as it is to be sent on, in no version's form yet. */
export interface OutgoingRequest {
  readonly method: string;
  readonly target: Target;
  /** name the client asked for in TLS, when it is not the host's */
  readonly servername: string | undefined;
  /** what the client has said, to be said again */
  readonly imitation?: Imitation | undefined;
  /** a proxy of its own for this request */
  readonly upstream?: Upstream | undefined;
  /** connect also to what could not be reached a moment ago */
  readonly afresh?: boolean | undefined;
  /** as the client sent them */
  readonly fields: Fields;
  /** sent instead of the client's Host, or where it sent none; undefined leaves it */
  readonly host: string | undefined;
  /** added to Via; undefined adds nothing */
  readonly via: string | undefined;
  /** it asks for a WebSocket (RFC 6455 §4.1) */
  readonly webSocket?: boolean;
  /** of the client's HTTP/1: 0 asks the origin to close after its answer */
  readonly minor: 0 | 1;
  /** the client speaks HTTP/2, and so may the origin: every other is asked by HTTP/1.1 alone */
  readonly http2?: boolean | undefined;
  /** false when nothing follows the head */
  readonly hasBody: boolean;
  /** the client waits for 100 (Continue) or a final answer before it sends the body */
  readonly expectsContinue: boolean;
}

/** What the one who asked is told. Nothing more comes after `onLost`, or after it has let go of the stream. */
export interface AnswerEvents {
  /** an answer that is not the final one (RFC 9110 §15.2) */
  onInterim(head: ResponseHead): void;
  /** @param bytes the head as a record has it */
  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void;
  /** @param payload the slices of the piece that are not transfer-coding */
  onBody(piece: Buffer, payload: readonly Buffer[]): void;
  /**
   * Everything that came in one read has been told.
   *
   * @param received its bytes
   * @param whole the answer is complete
   * @param exact false when another reader could see another end of the body
   */
  onRead(received: number, whole: boolean, exact: boolean): void;
  /**
   * There will be no answer, or no more of it.
   *
   * @param error for whoever has no head yet
   * @param truncated for whoever has one
   * @param unanswered the origin may never have seen the request: it may be sent again where that is safe (RFC 9110 §9.2.2)
   * @param unseen it has said that it did nothing about the request: whatever it is, it may be sent again (RFC 9113 §8.7)
   */
  onLost(error: FetchError, truncated: Truncation, unanswered: boolean, unseen?: boolean): void;
  /** Fields behind the body, which has come whole but for its end. @param inBody they are a part of its bytes, as in HTTP/1 */
  onTrailers(fields: Fields, inBody: boolean): void;
  /** what was written has gone out */
  onDrain(): void;
  /** The WebSocket that was asked for begins: the connection is for whoever is told. @param bytes the head as a record has it */
  onSwitched?(head: ResponseHead, bytes: Buffer, connection: Upgraded): void;
}

/** One request that was sent, and its answer. */
export interface OriginStream {
  /** the head of the request as a record has it: for HTTP/1 the very bytes that were sent */
  readonly sentHead: Buffer;
  /** what the answer came in, as in WARC-Protocol: `http/1.1` */
  readonly protocol: string;
  /** what was written has not gone out yet: `onDrain` tells when it has */
  readonly full: boolean;
  /** A piece of the request's body as it goes out, and as a record has it. */
  framed(bytes: Buffer): Buffer;
  /** A piece as `framed`. @returns false when the origin is behind */
  write(framed: Buffer): boolean;
  /**
   * The request is complete.
   *
   * @param trailers fields behind its body, which go out where there is a place for them
   * @returns what that has added to its body, and the fields that went out and are no part of it
   */
  endRequest(trailers?: Fields): { readonly bytes?: Buffer; readonly trailers?: Fields | undefined } | undefined;
  pause(): void;
  resume(): void;
  /** All is said and heard: the connection may be used again, if it can be. */
  release(): void;
  /** Give up. */
  reset(): void;
}

/** A connection to an origin. Connections with the same key are interchangeable. */
export interface OriginConnection {
  readonly key: string;
  /** undefined behind another proxy */
  readonly ipAddress: string | undefined;
  /** of TLS with the origin; undefined without */
  readonly tls: TlsFacts | undefined;
  /** requests that it can carry at a time */
  readonly capacity: number;
  /** it carries so many already */
  readonly busy: boolean;
  readonly usable: boolean;
  /** Send a request. @param body what there is of its body already */
  request(request: OutgoingRequest, body: readonly BodyPiece[], events: AnswerEvents): OriginStream;
  /** Nobody uses it; `onUnusable` is called once if it ends or cannot be used any more in the meantime. */
  park(onUnusable: (connection: OriginConnection) => void): void;
  /** It was made for a request that is not wanted any more. */
  unwanted(): void;
  /** Carry nothing new. Who has it for himself is told nothing any more; who shares it goes on. */
  destroy(): void;
}
