/**
 * One request on a session with an origin, and its answer.
 *
 * Nothing of a body is read before its head has been told of; what a slow client leaves holds this stream back and no other.
 * Source: RFC 9113 §8.1 (messages), §7 (error codes).
 */
import { MessageError } from '../http/errors.ts';
import { FetchError } from '../http/fetch-error.ts';
import type { Fields } from '../http/fields.ts';
import type { BodyPiece, Framing, ResponseHead } from '../http/message.ts';
import { MAX_HEAD_BYTES } from '../http1/head.ts';
import { CODE, codeName, Http2Error } from '../http2/frames.ts';
import { trailerHeaders } from '../http2/headers.ts';
import { responseBlock, responseFraming, responseOf, trailersOf } from '../http2/heads.ts';
import type { FieldList } from '../http2/field-list.ts';
import type { SessionStream } from '../http2/stream.ts';
import type { StreamEvents } from '../http2/stream-events.ts';
import type { Link } from '../util/linked.ts';
import { reasonOf } from '../util/thrown.ts';
import type { AnswerEvents, OriginStream } from './origin-connection.ts';

/** What it needs of its session. */
export interface StreamSession {
  /** the origin has not looked at the stream. @param refused it has said so of this one */
  isUnseen(id: number | undefined, refused: boolean): boolean;
  readonly error: Error | undefined;
  /** the stream is not in use any more */
  left(stream: Http2OriginStream): void;
  onHttp1Wanted(): void;
  onFault(error: unknown): void;
}

export interface SentHead {
  readonly method: string;
  readonly sentHead: Buffer;
  readonly hasBody: boolean;
  /** fields may stand behind its body */
  readonly mayTrail: boolean;
  /** its client waits for 100 (Continue) */
  readonly asks: boolean;
  /** the origin may have closed the session while the request was on its way */
  readonly mayBeUnanswered: boolean;
}

export class Http2OriginStream implements OriginStream, StreamEvents {
  readonly sentHead: Buffer;
  readonly protocol = 'h2';
  /** among those of its session */
  place: Link<Http2OriginStream> | undefined;
  readonly #session: StreamSession;
  readonly #sent: SentHead;
  #events: AnswerEvents | undefined;
  #stream: SessionStream | undefined;
  #framing: Framing | undefined;
  #headBytes = 0;
  #paused = false;
  /** the client waits to be asked for the body */
  #asks: boolean;
  /** something has happened since it was looked at last, and when that was seen */
  #stirred = true;
  #stirredMs = 0;
  /** the answer is complete */
  #whole = false;

  constructor(session: StreamSession, sent: SentHead, events: AnswerEvents) {
    this.#session = session;
    this.#sent = sent;
    this.#asks = sent.asks;
    this.sentHead = sent.sentHead;
    this.#events = events;
  }

  /**
   * Send it.
   *
   * @param request throws an Error when the session takes no more
   * @param body what there is of it already
   */
  begin(request: () => SessionStream, body: readonly BodyPiece[]): void {
    try {
      this.#stream = request();
    } catch (error) {
      // The session has ended since it was looked at: nothing was sent.
      process.nextTick(() => this.#lose('empty-response', `no answer: ${reasonOf(error)}`, 'disconnect', true));
      return;
    }
    for (const { bytes } of body) this.#stream.write(bytes);
  }

  get full(): boolean {
    return this.#stream?.behind === true;
  }

  framed(bytes: Buffer): Buffer {
    return bytes;
  }

  write(framed: Buffer): boolean {
    this.#stirred = true;
    this.#asks = false;
    // Who has answered may want no more of the request (RFC 9113 §8.1): it is read past.
    return this.#stream?.writable !== true || this.#stream.write(framed);
  }

  endRequest(trailers?: Fields): { readonly trailers: Fields | undefined } | undefined {
    this.#stirred = true;
    const stream = this.#stream;
    if (stream?.writable !== true) return undefined;
    const sent = this.#sent.mayTrail ? trailers : undefined;
    stream.end(sent && trailerHeaders(sent));
    return { trailers: sent };
  }

  pause(): void {
    this.#paused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stirred = true;
    this.#stream?.resume();
  }

  release(): void {
    this.#leave();
    this.#stream?.resume();
  }

  reset(): void {
    this.#leave();
    this.#giveUp();
  }

  onHead(list: FieldList, ended: boolean): void {
    this.#try(() => {
      const head = responseOf(list);
      if (head.status < 200) this.#onInterim(head);
      else this.#onFinal(head, ended);
    });
  }

  onData(piece: Buffer): void {
    this.#stirred = true;
    this.#try(() => {
      this.#events?.onBody(piece, [piece]);
      this.#events?.onRead(piece.length, false, true);
    });
  }

  onTrailers(list: FieldList): void {
    this.#try(() => this.#events?.onTrailers(trailersOf(list), false));
  }

  onEnd(): void {
    this.#whole = true;
    this.#try(() => this.#events?.onRead(0, true, true));
  }

  onDrain(): void {
    this.#stirred = true;
    this.#try(() => this.#events?.onDrain());
  }

  onClosed(code: number | undefined): void {
    this.#session.left(this);
    if (this.#events === undefined) return;
    if (this.#whole) return this.#lose('empty-response', 'origin wants no more of the request', 'disconnect', false);
    const broken = this.#session.error;
    if (broken instanceof FetchError) return this.#lose(broken.code, broken.message, 'time', false);
    if (code === CODE.http1Required) this.#session.onHttp1Wanted();
    const unseen = this.#session.isUnseen(this.#stream?.id, code === CODE.refused || code === CODE.http1Required);
    if (code === undefined && broken instanceof Http2Error)
      return this.#lose('invalid-response', `invalid response: ${broken.message}`, 'unspecified', unseen);
    const reset = code === undefined ? undefined : `stream reset (${codeName(code)})`;
    const reason = reset ?? (broken && reasonOf(broken));
    const message = reason === undefined ? 'origin closed the connection without an answer' : `no answer: ${reason}`;
    this.#lose('empty-response', message, 'disconnect', unseen);
  }

  #onInterim(head: ResponseHead): void {
    const events = this.#events;
    if (events === undefined) return;
    this.#stirred = true;
    if (head.status === 100) this.#asks = false;
    if (!this.#takeHead(responseBlock(head).length)) return;
    events.onInterim(head);
    events.onRead(0, false, true);
  }

  #onFinal(head: ResponseHead, ended: boolean): void {
    const events = this.#events;
    if (events === undefined) return;
    this.#stirred = true;
    const block = responseBlock(head);
    if (!this.#takeHead(block.length)) return;
    this.#framing = responseFraming(head, this.#sent.method, ended);
    events.onHead(head, this.#framing, block);
    this.#events?.onRead(block.length, false, true);
  }

  /** All heads of an answer together are as small as one of HTTP/1. */
  #takeHead(bytes: number): boolean {
    this.#headBytes += bytes;
    if (this.#headBytes <= MAX_HEAD_BYTES) return true;
    const error = new MessageError('too-large', `heads of an answer together larger than ${MAX_HEAD_BYTES} bytes`);
    this.#lose('invalid-response', `invalid response: ${error.message}`, 'unspecified', false);
    return false;
  }

  /**
   * To be called again and again, instead of a timer that would be set anew with each frame.
   *
   * @param movedMs when the session was last seen to move: a large piece of an upload is taken bit by bit
   */
  look(nowMs: number, movedMs: number, idleMs: number): void {
    // Who holds the origin back has no right to be impatient; who has not said all of its request is waited for elsewhere.
    const unsaid = this.#stream?.writable === true && !this.full && !this.#asks;
    if (this.#stirred || this.#paused || unsaid) this.#stirredMs = nowMs;
    this.#stirred = false;
    const sinceMs = this.full ? Math.max(this.#stirredMs, movedMs) : this.#stirredMs;
    if (this.#events === undefined || nowMs - sinceMs < idleMs) return;
    this.#lose('response-timeout', 'no answer from the origin within the idle time-out', 'time', false);
    this.#giveUp();
  }

  #giveUp(): void {
    this.#stream?.reset(CODE.cancel);
  }

  #lose(code: FetchError['code'], message: string, truncated: Parameters<AnswerEvents['onLost']>[1], unseen: boolean): void {
    const events = this.#events;
    this.#leave();
    const unanswered = code === 'empty-response' && this.#sent.mayBeUnanswered && this.#framing === undefined;
    events?.onLost(new FetchError(code, message, { cause: this.#session.error }), truncated, unanswered, unseen);
  }

  #leave(): void {
    this.#events = undefined;
    this.#session.left(this);
  }

  /** What a user throws is a fault of ours, and costs it this stream. */
  #try(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#session.onFault(error);
      this.#stream?.reset(CODE.internal);
    }
  }
}
