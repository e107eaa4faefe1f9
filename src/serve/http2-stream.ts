/**
 * One request of a client that speaks HTTP/2: its stream, as the client's side of what serves it.
 *
 * Slow or gone, it is so for itself: other streams of its connection go on.
 * Source: RFC 9113 §8.1 (messages; NO_ERROR where no more of a request is wanted), §7 (error codes).
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { plainAnswer, type Answer } from '../http/answer.ts';
import { MessageError } from '../http/errors.ts';
import type { FetchError } from '../http/fetch-error.ts';
import { fieldOf, Fields } from '../http/fields.ts';
import type { Framing, RequestHead, ResponseHead } from '../http/message.ts';
import { AS_IT_IS, type AnswerForm, type ClientSide, type ClientTunnel, type Handler, type RequestBody } from '../http/sides.ts';
import { writtenUrl } from '../http/target.ts';
import { responseHeaders, trailerHeaders } from '../http2/headers.ts';
import { MESSAGE_ERRORS } from '../messages/answers.ts';
import type { Log } from '../util/log.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';

const { NGHTTP2_NO_ERROR } = constants;
const NOTHING = Buffer.alloc(0);
const CONTINUE = { ':status': 100 };
const REQUEST_TIMEOUT = 408;
/**
 * So many times `--socket-timeout` may nothing be taken of a stream whose connection moves: a page that shows a video lets it wait. Less where
 * others wait for their turn.
 */
const PATIENCE = 10;

export interface StreamClient {
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly tunnel: ClientTunnel;
  /** so many bytes of a body have come */
  readonly received: (bytes: number) => void;
}

export interface StreamServices {
  readonly handler: Handler;
  readonly minRate: MinimumRateOptions;
  /** between two pieces of a body */
  readonly socketTimeoutMs: number;
  readonly answerFields?: Answer['fields'];
  readonly log: Log;
}

export class Http2Stream implements ClientSide {
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #services: StreamServices;
  readonly #client: StreamClient;
  #request: RequestHead | undefined;
  #serving: RequestBody | undefined;
  /** all of the request has come */
  #complete: boolean;
  /** the client waits for 100 (Continue) before it sends its body */
  #expecting = false;
  #paused = false;
  #begun = false;
  /** all that there is to say has been said, or will be */
  #over = false;
  /** there is more of the answer than its client is to get */
  #cut = false;
  /** the end of the answer is on its way */
  #trailed = false;
  #trailers: Fields | undefined;
  readonly #rate: MinimumRate;
  /** when something of the body has come, or was asked for */
  #bodySinceMs = performance.now();
  /** bytes that wait for the client, and since when they are not fewer */
  #waiting = 0;
  #waitingSinceMs = 0;
  #left: AbortController | undefined;

  /** @param hasBody frames of data follow */
  constructor(stream: ServerHttp2Stream, services: StreamServices, client: StreamClient, hasBody: boolean) {
    this.#stream = stream;
    this.#services = services;
    this.#client = client;
    this.address = client.address;
    this.port = client.port;
    this.#complete = !hasBody;
    this.#rate = new MinimumRate(services.minRate);
    stream.on('error', (error) => services.log.debug({ reason: error.message }, 'a stream of a client broke'));
    stream.on('close', () => this.#onClose());
    stream.on('drain', () => this.#serving?.resumeResponse());
  }

  /** Let it be served. */
  begin(head: RequestHead, framing: Framing): void {
    this.#request = head;
    const expectsContinue = head.fields.members('expect').includes('100-continue');
    const hasBody = !this.#complete;
    this.#expecting = expectsContinue && hasBody;
    try {
      this.#services.handler({ head, framing, hasBody, expectsContinue, tunnel: this.#client.tunnel, http2: true }, this);
    } catch (error) {
      this.refuse(error);
    }
  }

  get gone(): boolean {
    return this.#stream.closed || this.#stream.destroyed || this.#over;
  }

  /** Bytes of its answer that wait for the client. */
  get waitingBytes(): number {
    return this.#stream.destroyed ? 0 : this.#stream.bufferSize;
  }

  /** Nothing is wanted of the client: the one who serves it is to do something. */
  get waitsForUs(): boolean {
    return this.#complete || this.#paused || this.#expecting || this.#serving === undefined;
  }

  /** To be called about once a second. @param crowded others wait for their turn */
  look(crowded: boolean): void {
    const { socketTimeoutMs, minRate, log } = this.#services;
    const nowMs = performance.now();
    const waiting = this.waitingBytes;
    if (waiting === 0 || waiting < this.#waiting || this.#waiting === 0) this.#waitingSinceMs = nowMs;
    this.#waiting = waiting;
    const patienceMs = minRate.bytesPerSecond === 0 ? Infinity : minRate.windowMs * (crowded ? 1 : PATIENCE);
    if (nowMs - this.#waitingSinceMs > patienceMs) {
      log.info({ client: this.address }, 'a client takes its answer too slowly: its stream was closed');
      this.#reset('too slow');
    } else if (!this.waitsForUs && nowMs - this.#bodySinceMs > socketTimeoutMs) {
      this.#tooSlow('request body not complete within the idle time-out');
    }
  }

  readonly untilGone = (): AbortSignal => (this.#left ??= new AbortController()).signal;

  serve(body: RequestBody): void {
    this.#serving = body;
    this.#bodySinceMs = performance.now();
    if (this.#complete) return body.endRequest();
    this.#stream.on('data', (piece: Buffer) => this.#try(() => this.#onData(piece)));
    this.#stream.on('end', () => this.#try(() => this.#onEnd()));
  }

  askForBody(): void {
    if (this.#expecting && !this.#begun && !this.gone) this.#stream.additionalHeaders(CONTINUE);
    this.#expecting = false;
  }

  resumeRequest(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#bodySinceMs = performance.now();
    this.#stream.resume();
  }

  interim(head: ResponseHead, form: AnswerForm): boolean {
    if (this.gone || this.#begun) return true;
    if (head.status === 100) this.#expecting = false;
    this.#stream.additionalHeaders(responseHeaders(head, { kind: 'none' }, form));
    return true;
  }

  head(head: ResponseHead, framing: Framing, form: AnswerForm): void {
    if (this.gone) return;
    this.#begun = true;
    const endStream = framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0);
    // Trailers of HTTP/1 are a part of its chunks, and are not passed on.
    const mayTrail = !endStream && (framing.kind === 'close' || head.fields.has('trailer'));
    if (mayTrail) this.#stream.on('wantTrailers', () => this.#sendTrailers());
    // Node would add a date.
    const options = { endStream, waitForTrailers: mayTrail, sendDate: false };
    this.#stream.respond(responseHeaders(head, framing, form), options);
  }

  body(_bytes: Buffer, payload: readonly Buffer[]): boolean {
    if (this.gone || this.#stream.writableEnded) return true;
    for (const slice of payload) if (slice.length > 0) this.#stream.write(slice);
    return !this.#stream.writableNeedDrain;
  }

  trailers(fields: Fields): void {
    this.#trailers = fields;
  }

  flush(): void {
    // Frames are gathered by the session.
  }

  end(accepted: Promise<void> | undefined): void {
    this.#unserve();
    if (this.gone) return;
    // A stream that has not ended counts: its client asks for no more than there may be (SETTINGS_MAX_CONCURRENT_STREAMS).
    if (accepted === undefined) this.#finish();
    else void accepted.then(() => this.#finish());
  }

  fail(error: FetchError, accepted: Promise<void> | undefined): void {
    this.#unserve();
    if (this.gone) return;
    if (this.#begun) return this.#cutAfterAll();
    const message = error.code === 'shutting-down' ? 'request refused' : error.message;
    this.#services.log.info(
      { code: error.code, status: error.status, url: this.#request && writtenUrl(this.#request.target, this.#client.tunnel) },
      message,
    );
    this.#answer(plainAnswer(error.status, error.message), accepted);
  }

  answer(answer: Answer): void {
    this.#unserve();
    this.#answer(answer, undefined);
  }

  refuse(thrown: unknown): void {
    if (!(thrown instanceof MessageError)) return this.#fault(thrown);
    this.#unserve();
    if (this.#begun) this.#cutAfterAll();
    else this.answer(plainAnswer(MESSAGE_ERRORS[thrown.code].status, thrown.message));
  }

  openTunnel(): void {
    this.refuse(new MessageError('syntax', 'CONNECT inside of a tunnel'));
  }

  upgrade(): undefined {
    return undefined; // a stream cannot become anything else (RFC 9113 §8.6)
  }

  #answer(answer: Answer, accepted: Promise<void> | undefined): void {
    if (this.gone) return;
    const { status, reason = '', contentType, fields = [] } = answer;
    const bytes = Buffer.from(answer.body);
    const own = [...fields, ...(this.#services.answerFields ?? [])].map(([name, value]) => fieldOf(name, value));
    const bodiless = status === 204;
    const described = [fieldOf('content-type', contentType), fieldOf('content-length', String(bytes.length))];
    const head: ResponseHead = { status, reason, minor: 1, fields: new Fields(bodiless ? own : [...described, ...own]) };
    const none = bodiless || this.#request?.method === 'HEAD';
    this.head(head, none ? { kind: 'none' } : { kind: 'length', length: bytes.length }, AS_IT_IS);
    this.body(bytes, [bytes]);
    this.end(accepted);
  }

  #sendTrailers(): void {
    // Without them the stream ends by a frame of its own; one that is cut must not end. Node asks again where it was slow to send them.
    if (this.#cut || this.#trailed || this.#stream.closed) return;
    this.#trailed = true;
    this.#stream.sendTrailers(trailerHeaders(this.#trailers ?? new Fields([])));
  }

  #finish(): void {
    if (this.gone) return;
    this.#over = true;
    const stream = this.#stream;
    // Nobody reads the rest of its request: the client need not send it.
    stream.end(() => {
      if (!this.#complete) stream.close(NGHTTP2_NO_ERROR);
    });
  }

  /** The request is given up. */
  #tooSlow(line: string): void {
    this.#unserve()?.clientGone();
    if (this.#begun) this.#reset('too slow');
    else this.answer(plainAnswer(REQUEST_TIMEOUT, line));
  }

  /** Break off in the middle of an answer, once what there is of it has gone out. */
  #cutAfterAll(): void {
    this.#over = true;
    this.#cut = true;
    if (this.#stream.writable) this.#stream.write(NOTHING, () => this.#reset('answer cut short'));
    else this.#reset('answer cut short');
  }

  #onData(piece: Buffer): void {
    this.#expecting = false;
    this.#client.received(piece.length);
    this.#bodySinceMs = performance.now();
    const serving = this.#serving;
    if (serving === undefined) return;
    if (!serving.write(piece, [piece])) {
      this.#rate.restart();
      this.#paused = true;
      this.#stream.pause();
    } else if (this.#rate.tooSlow(piece.length)) this.#tooSlow('request body comes too slowly');
  }

  #onEnd(): void {
    if (this.#stream.rstCode !== 0 || this.#stream.aborted) return;
    this.#complete = true;
    this.#serving?.endRequest();
  }

  #onClose(): void {
    this.#left?.abort();
    this.#unserve()?.clientGone();
  }

  #unserve(): RequestBody | undefined {
    const serving = this.#serving;
    this.#serving = undefined;
    return serving;
  }

  #try(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.refuse(error);
    }
  }

  #fault(error: unknown): void {
    this.#services.log.error({ err: error }, 'a fault in warctap: the stream of a client was closed');
    this.#unserve()?.clientGone();
    this.#reset('a fault');
  }

  /** By RST_STREAM at once. Node's `close` would end it first, so that a part of an answer looked like all of it. */
  #reset(why: string): void {
    this.#stream.destroy(new Error(why));
  }
}
