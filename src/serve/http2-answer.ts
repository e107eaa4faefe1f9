/**
 * Answers to one request of HTTP/2: head, body, trailers, and an end that cannot be taken for another.
 *
 * The last piece of a body waits for its end, so that both are one frame; no longer than a turn of the event loop.
 * Source: RFC 9113 §8.1; NO_ERROR where no more of a request is wanted.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { Fields } from '../http/fields.ts';
import type { Framing, ResponseHead } from '../http/message.ts';
import type { AnswerForm } from '../http/sides.ts';
import { responseHeaders, trailerHeaders } from '../http2/headers.ts';

const NOTHING = Buffer.alloc(0);
const CONTINUE = { ':status': 100 };
const NO_TRAILERS = new Fields([]);

export class Http2Answer {
  readonly #stream: ServerHttp2Stream;
  #begun = false;
  /** all that there is to say has been said */
  #over = false;
  /** there is more of it than its client is to get */
  #cut = false;
  /** of the body, where that is known; NaN where trailers may follow it */
  #left = NaN;
  /** the last piece of the body, which waits for its end */
  #last: Buffer | undefined;
  #trailers = NO_TRAILERS;
  /** its end is on its way */
  #trailed = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** The final head has been sent. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Nothing more can be said. */
  get over(): boolean {
    return this.#over || this.#stream.closed || this.#stream.destroyed;
  }

  /** Bytes that wait for the client. */
  get waitingBytes(): number {
    return this.#stream.destroyed ? 0 : this.#stream.bufferSize;
  }

  askForBody(): void {
    if (!this.#begun && !this.over) this.#stream.additionalHeaders(CONTINUE);
  }

  interim(head: ResponseHead, form: AnswerForm): void {
    if (!this.#begun && !this.over) this.#stream.additionalHeaders(responseHeaders(head, { kind: 'none' }, form));
  }

  head(head: ResponseHead, framing: Framing, form: AnswerForm): void {
    if (this.over) return;
    this.#begun = true;
    const endStream = framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0);
    // Trailers of HTTP/1 are a part of its chunks, and are not passed on.
    const waitForTrailers = !endStream && (framing.kind === 'close' || head.fields.has('trailer'));
    if (waitForTrailers) this.#stream.on('wantTrailers', () => this.#sendTrailers());
    else if (framing.kind === 'length') this.#left = framing.length;
    // Node would add a date.
    const options = { endStream, waitForTrailers, sendDate: false };
    this.#stream.respond(responseHeaders(head, framing, form), options);
  }

  /** @returns false when the client is behind */
  body(payload: readonly Buffer[]): boolean {
    if (this.over || this.#stream.writableEnded) return true;
    for (const slice of payload) {
      if (slice.length === 0) continue;
      this.#left -= slice.length;
      if (this.#left === 0) this.#hold(slice);
      else this.#stream.write(slice);
    }
    return !this.#stream.writableNeedDrain;
  }

  trailers(fields: Fields): void {
    this.#trailers = fields;
  }

  /** It is whole. @param moreOfRequest whether the client is still to send some of its request, which nobody reads; asked once it has gone out, too */
  finish(moreOfRequest: () => boolean): void {
    if (this.over) return;
    this.#over = true;
    const stream = this.#stream;
    const close = () => moreOfRequest() && stream.close(constants.NGHTTP2_NO_ERROR);
    this.#writeLast();
    if (moreOfRequest()) stream.end(close);
    else stream.end();
  }

  /** Break off, once what there is of it has gone out. */
  breakOff(): void {
    this.#over = true;
    this.#cut = true;
    if (this.#stream.writable) this.#stream.write(this.#takeLast() ?? NOTHING, () => this.reset('answer cut short'));
    else this.reset('answer cut short');
  }

  /** By RST_STREAM at once. Node's `close` would end it first, so that a part of an answer looked like all of it. */
  reset(why: string): void {
    this.#cut = true;
    this.#stream.destroy(new Error(why));
  }

  #hold(last: Buffer): void {
    this.#last = last;
    setImmediate(() => this.#writeLast());
  }

  #writeLast(): void {
    const last = this.#takeLast();
    if (last !== undefined && this.#stream.writable) this.#stream.write(last);
  }

  #takeLast(): Buffer | undefined {
    const last = this.#last;
    this.#last = undefined;
    return last;
  }

  #sendTrailers(): void {
    // Without them the stream ends by a frame of its own; one that is cut must not end. Node asks again where it was slow to send them.
    if (this.#cut || this.#trailed || this.#stream.closed) return;
    this.#trailed = true;
    this.#stream.sendTrailers(trailerHeaders(this.#trailers));
  }
}
