/**
 * Answers to one request of HTTP/2: head, body, trailers, and an end that cannot be taken for another.
 *
 * Source: RFC 9113 §8.1.
 */
import type { Fields } from '../http/fields.ts';
import type { Framing, ResponseHead } from '../http/message.ts';
import type { AnswerForm } from '../http/sides.ts';
import { CODE } from '../http2/frames.ts';
import { responseHeaders, trailerHeaders } from '../http2/headers.ts';
import type { SessionStream } from '../http2/stream.ts';

const CONTINUE = [':status', '100'];

export class Http2Answer {
  readonly #stream: SessionStream;
  #begun = false;
  /** all that there is to say has been said */
  #over = false;
  #trailers: Fields | undefined;

  constructor(stream: SessionStream) {
    this.#stream = stream;
  }

  /** The final head has been sent. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Nothing more can be said. */
  get over(): boolean {
    return this.#over || this.#stream.closed;
  }

  /** Bytes that wait for the client. */
  get waitingBytes(): number {
    return this.#stream.queued;
  }

  askForBody(): void {
    if (!this.#begun && !this.over) this.#stream.headers(CONTINUE, false);
  }

  interim(head: ResponseHead, form: AnswerForm): void {
    if (!this.#begun && !this.over) this.#stream.headers(responseHeaders(head, { kind: 'none' }, form), false);
  }

  head(head: ResponseHead, framing: Framing, form: AnswerForm): void {
    if (this.over) return;
    this.#begun = true;
    const ended = framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0);
    this.#stream.headers(responseHeaders(head, framing, form), ended);
  }

  /** @returns false when the client is behind */
  body(payload: readonly Buffer[]): boolean {
    if (this.over) return true;
    let flowing = true;
    for (const slice of payload) flowing = this.#stream.write(slice);
    return flowing;
  }

  trailers(fields: Fields): void {
    this.#trailers = fields;
  }

  /** It is whole. */
  finish(): void {
    if (this.over) return;
    this.#over = true;
    const trailers = this.#trailers && trailerHeaders(this.#trailers);
    this.#stream.end(trailers?.length === 0 ? undefined : trailers);
  }

  /** Break off, once what there is of it has gone out. */
  breakOff(): void {
    this.#over = true;
    this.#stream.breakOff(CODE.internal);
  }

  /** By RST_STREAM at once. */
  reset(): void {
    this.#stream.reset(CODE.internal);
  }
}
