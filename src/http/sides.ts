/**
 * What the two sides of a request know of each other: whoever serves it, and its client in whatever version of HTTP.
 *
 * A `Handler` is given one request of a client and gives one answer. Connections of clients call it (serve/); the proxy's road, playback and
 * our own pages are handlers. What a handler throws, or refuses, becomes an answer in one place: the client's side.
 *
 * ```
 * client's side          handler
 *   request  ─────────►  decides
 *            ◄─────────  serve(body)         from now on the body of the request goes there
 *   write, endRequest ►
 *            ◄─────────  interim … head, body …, end or fail        or: answer, refuse, openTunnel, upgrade
 * ```
 */
import type { Socket } from 'node:net';
import type { Answer } from './answer.ts';
import type { Authority } from './authority.ts';
import type { FetchError } from './fetch-error.ts';
import type { Fields } from './fields.ts';
import type { Imitation } from './imitation.ts';
import type { Framing, RequestHead, ResponseHead } from './message.ts';
import type { Tunnel } from './target.ts';

/** Where a client's connection leads, if it came through CONNECT. */
export interface ClientTunnel extends Tunnel {
  /** name the client asked for in TLS, when it is not the host's */
  readonly servername: string | undefined;
  /** what it has said is to be said again to origins, where that is asked for */
  readonly imitation?: Imitation | undefined;
}

export interface ClientRequest {
  readonly head: RequestHead;
  /** of the body; `none` when nothing follows the head */
  readonly framing: Framing;
  /** false when nothing follows the head: a length of 0 is none, too */
  readonly hasBody: boolean;
  /** the client waits for 100 (Continue) or a final answer before it sends the body (RFC 9110 §10.1.1) */
  readonly expectsContinue: boolean;
  readonly tunnel: ClientTunnel | undefined;
  /** it came by HTTP/2 */
  readonly http2?: boolean;
}

/** Serves one request. @throws MessageError for one that is refused; anything else is a fault, and costs the client its connection */
export type Handler = (request: ClientRequest, client: ClientSide) => void;

/** What takes the body of a request, and hears of its client. */
export interface RequestBody {
  /**
   * @param bytes a piece of the body as it came over the wire
   * @param payload the slices of it that are not transfer-coding
   * @returns false to be given no more before the client is told to `resumeRequest`
   */
  write(bytes: Buffer, payload: readonly Buffer[]): boolean;
  /** The request is complete. @param trailers fields behind its body, where they are no part of its bytes */
  endRequest(trailers?: Fields): void;
  /** nobody waits for the answer any more */
  clientGone(): void;
  /** Nobody wants the answer any more, not even to be archived whole: what has come of it is kept. Not all can be cut off. */
  cutOff?(): void;
  /** the client takes more of the answer again */
  resumeResponse(): void;
}

/** How an answer differs from the head that is passed on. */
export interface AnswerForm {
  /** added to Via, as RFC 9110 §7.6.3 asks of what passes a proxy; undefined leaves Via alone */
  readonly via: string | undefined;
  /** fields of our own */
  readonly added: readonly (readonly [name: string, value: string])[];
  /** the connection has to end after this answer */
  readonly last: boolean;
}

/** An answer that is told as it stands. */
export const AS_IT_IS: AnswerForm = { via: undefined, added: [], last: false };

/** The client's side of one request. After `end`, `fail`, `answer`, `refuse`, `openTunnel` or `upgrade` nothing more is called. */
export interface ClientSide {
  /** the client has left: whatever is called has no effect */
  readonly gone: boolean;
  /** where the client connects from, if that is known */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** A signal that is aborted when the client has left. */
  readonly untilGone: () => AbortSignal;

  /** From now on this is given the body of the request; before, none of it is read. */
  serve(body: RequestBody): void;
  /** Ask for the body where the client waits to be asked. */
  askForBody(): void;
  /** Go on with the body of the request. */
  resumeRequest(): void;

  /**
   * An answer that is not the final one (RFC 9110 §15.2).
   *
   * @returns false to be given no more before `RequestBody.resumeResponse()`
   */
  interim(head: ResponseHead, form: AnswerForm): boolean;
  head(head: ResponseHead, framing: Framing, form: AnswerForm): void;
  /**
   * @param bytes a piece of the body, framed as `head` was told
   * @param payload the slices of it that are not transfer-coding
   * @returns false to be given no more before `RequestBody.resumeResponse()`
   */
  body(bytes: Buffer, payload: readonly Buffer[]): boolean;
  /** Fields behind the body, whose last piece has been handed over. Absent where there is no place for them. */
  trailers?(fields: Fields): void;
  /** everything that can be had at the moment has been handed over */
  flush(): void;
  /**
   * The answer is whole, and no more of the request is wanted.
   *
   * @param accepted settled, it lets the client's next request begin
   * @param exact false when another reader could see another end of the body, so that nothing may follow it
   */
  end(accepted: Promise<void> | undefined, exact: boolean): void;
  /** There will be no answer, or no more of the one that has begun. */
  fail(error: FetchError, accepted: Promise<void> | undefined): void;

  /** A whole answer of our own. @param last the connection ends after it */
  answer(answer: Answer, last?: boolean): void;
  /** What a handler has thrown, or would have: a MessageError is answered, anything else is a fault of ours. */
  refuse(thrown: unknown): void;
  /** CONNECT is answered, and what comes from now on is served as a connection to this host. */
  openTunnel(authority: Authority): void;
  /**
   * The connection speaks another protocol from now on, and belongs to whoever calls this (RFC 9110 §7.8).
   *
   * @param answer the 101, which is written first; without one it is for the caller to write it
   * @returns undefined when there is no connection, or the client has left
   */
  upgrade(answer?: Switching): Upgraded | undefined;
}

/** An answer of 101, as it is passed on. */
export interface Switching {
  readonly head: ResponseHead;
  readonly form: AnswerForm;
}

export interface Upgraded {
  readonly socket: Socket;
  /** bytes that came after the head, or the request */
  readonly first: Buffer;
}
