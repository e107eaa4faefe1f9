/**
 * One request of a client that speaks HTTP/2: its stream, as the client's side of what serves it.
 *
 * Slow or gone, it is so for itself: other streams of its connection go on.
 */
import { performance } from 'node:perf_hooks';
import { plainAnswer, type Answer } from '../http/answer.ts';
import { MessageError } from '../http/errors.ts';
import type { FetchError } from '../http/fetch-error.ts';
import { fieldOf, Fields } from '../http/fields.ts';
import type { Framing, RequestHead, ResponseHead } from '../http/message.ts';
import { AS_IT_IS, type AnswerForm, type ClientSide, type ClientTunnel, type Handler, type RequestBody } from '../http/sides.ts';
import { writtenUrl } from '../http/target.ts';
import { requestTrailersOf } from '../http2/heads.ts';
import type { FieldList } from '../http2/field-list.ts';
import type { SessionStream } from '../http2/stream.ts';
import type { StreamEvents } from '../http2/stream-events.ts';
import { MESSAGE_ERRORS } from '../messages/answers.ts';
import type { Link } from '../util/linked.ts';
import type { Log } from '../util/log.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';
import { Http2Answer } from './http2-answer.ts';

const REQUEST_TIMEOUT = 408;
/**
 * So many times `--socket-timeout` may nothing be taken of a stream whose connection moves: a page that shows a video lets it wait. Once where
 * others wait for their turn.
 */
const PATIENCE = 10;

export interface StreamClient {
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly tunnel: ClientTunnel;
  /** so many bytes of a body have come */
  readonly received: (bytes: number) => void;
  /** this stream is over */
  readonly left: (stream: Http2Stream) => void;
}

export interface StreamServices {
  readonly handler: Handler;
  readonly minRate: MinimumRateOptions;
  /** between two pieces of a body */
  readonly socketTimeoutMs: number;
  readonly answerFields?: Answer['fields'];
  readonly log: Log;
}

export class Http2Stream implements ClientSide, StreamEvents {
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** among those of its connection */
  place: Link<Http2Stream> | undefined;
  /** what its head takes among all heads */
  headBytes = 0;
  readonly #stream: SessionStream;
  readonly #services: StreamServices;
  readonly #client: StreamClient;
  readonly #answer: Http2Answer;
  #request: RequestHead | undefined;
  #serving: RequestBody | undefined;
  /** all of the request has come */
  #complete: boolean;
  /** the client waits for 100 (Continue) before it sends its body */
  #expecting = false;
  #paused = false;
  /** fields behind the body of the request */
  #trailers: Fields | undefined;
  /** of the body, where there is one */
  readonly #rate: MinimumRate | undefined;
  /** when something of the body has come, or was asked for */
  #bodySinceMs = 0;
  /** bytes that wait for the client, and since when they are not fewer */
  #waiting = 0;
  #waitingSinceMs = 0;
  #left: AbortController | undefined;

  /** @param hasBody frames of data follow */
  constructor(stream: SessionStream, services: StreamServices, client: StreamClient, hasBody: boolean) {
    this.#stream = stream;
    this.#services = services;
    this.#client = client;
    this.#answer = new Http2Answer(stream);
    this.address = client.address;
    this.port = client.port;
    this.#complete = !hasBody;
    this.#rate = hasBody ? new MinimumRate(services.minRate) : undefined;
  }

  onClosed(): void {
    this.#client.left(this);
    this.#left?.abort();
    this.#unserve()?.clientGone();
  }

  /** Let it be served. */
  begin(head: RequestHead, framing: Framing): void {
    this.#request = head;
    const expectsContinue = head.fields.hasMember('expect', '100-continue');
    const hasBody = !this.#complete;
    this.#expecting = expectsContinue && hasBody;
    this.#try(() => {
      this.#services.handler({ head, framing, hasBody, expectsContinue, tunnel: this.#client.tunnel, http2: true }, this);
    });
  }

  get gone(): boolean {
    return this.#answer.over;
  }

  /** Bytes of its answer that wait for the client. */
  get waitingBytes(): number {
    return this.#answer.waitingBytes;
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
      this.#answer.reset();
    } else if (!this.waitsForUs && nowMs - this.#bodySinceMs > socketTimeoutMs) {
      this.stalled();
    }
  }

  /** Nothing more of its request has come. */
  stalled(): void {
    this.#tooSlow('request body not complete within the idle time-out');
  }

  readonly untilGone = (): AbortSignal => (this.#left ??= new AbortController()).signal;

  serve(body: RequestBody): void {
    this.#serving = body;
    if (this.#complete) return body.endRequest();
    this.#bodySinceMs = performance.now();
    this.#stream.resume();
  }

  onData(piece: Buffer): void {
    this.#try(() => this.#onBody(piece));
  }

  onTrailers(list: FieldList): void {
    this.#try(() => (this.#trailers = requestTrailersOf(list)));
  }

  onEnd(): void {
    this.#complete = true;
    this.#try(() => this.#serving?.endRequest(this.#trailers));
  }

  onDrain(): void {
    this.#try(() => this.#serving?.resumeResponse());
  }

  askForBody(): void {
    if (this.#expecting) this.#answer.askForBody();
    this.#expecting = false;
  }

  resumeRequest(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#rate?.resume();
    this.#bodySinceMs = performance.now();
    this.#stream.resume();
  }

  interim(head: ResponseHead, form: AnswerForm): boolean {
    if (head.status === 100) this.#expecting = false;
    this.#answer.interim(head, form);
    return true;
  }

  head(head: ResponseHead, framing: Framing, form: AnswerForm): void {
    this.#answer.head(head, framing, form);
  }

  body(_bytes: Buffer, payload: readonly Buffer[]): boolean {
    return this.#answer.body(payload);
  }

  trailers(fields: Fields): void {
    this.#answer.trailers(fields);
  }

  flush(): void {
    // Frames are gathered by the session.
  }

  end(accepted: Promise<void> | undefined): void {
    this.#unserve();
    // A stream that has not ended counts: its client asks for no more than there may be (SETTINGS_MAX_CONCURRENT_STREAMS).
    if (accepted === undefined) this.#answer.finish();
    else void accepted.then(() => this.#answer.finish());
  }

  fail(error: FetchError, accepted: Promise<void> | undefined): void {
    this.#unserve();
    if (this.gone) return;
    if (this.#answer.begun) return this.#answer.breakOff();
    const message = error.code === 'shutting-down' ? 'request refused' : error.message;
    this.#services.log.info(
      { code: error.code, status: error.status, url: this.#request && writtenUrl(this.#request.target, this.#client.tunnel) },
      message,
    );
    this.#tell(plainAnswer(error.status, error.message), accepted);
  }

  answer(answer: Answer): void {
    this.#unserve();
    this.#tell(answer, undefined);
  }

  refuse(thrown: unknown): void {
    if (!(thrown instanceof MessageError)) return this.#fault(thrown);
    this.#unserve();
    if (this.gone) return;
    if (this.#answer.begun) this.#answer.breakOff();
    else this.answer(plainAnswer(MESSAGE_ERRORS[thrown.code].status, thrown.message));
  }

  openTunnel(): void {
    this.refuse(new MessageError('syntax', 'CONNECT inside of a tunnel'));
  }

  upgrade(): undefined {
    this.refuse(new MessageError('syntax', 'a stream of HTTP/2 cannot become another protocol')); // RFC 9113 §8.6
  }

  /** An answer of our own. */
  #tell(answer: Answer, accepted: Promise<void> | undefined): void {
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

  /** The request is given up. */
  #tooSlow(line: string): void {
    this.#unserve()?.clientGone();
    if (this.#answer.begun) this.#answer.reset();
    else this.answer(plainAnswer(REQUEST_TIMEOUT, line));
  }

  #onBody(piece: Buffer): void {
    this.#expecting = false;
    this.#client.received(piece.length);
    this.#bodySinceMs = performance.now();
    const serving = this.#serving;
    if (serving === undefined) return;
    const ready = serving.write(piece, [piece]);
    if (this.#rate?.tooSlow(piece.length) === true) this.#tooSlow('request body comes too slowly');
    else if (!ready) {
      this.#rate?.hold();
      this.#paused = true;
      this.#stream.pause();
    }
  }

  #unserve(): RequestBody | undefined {
    const serving = this.#serving;
    this.#serving = undefined;
    return serving;
  }

  #try(tell: () => unknown): void {
    try {
      tell();
    } catch (error) {
      this.#unserve()?.clientGone();
      this.refuse(error);
    }
  }

  #fault(error: unknown): void {
    this.#services.log.error({ err: error }, 'a fault in warctap: the stream of a client was closed');
    this.#unserve()?.clientGone();
    this.#answer.reset();
  }
}
