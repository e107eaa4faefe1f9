/**
 * One request to an origin and its response: bytes go through as they come, a recorder sees the same bytes, a capture comes out.
 *
 * Does not know what protocol its client speaks (`ExchangeClient`), nor who decides that it may run.
 * Whatever happens it ends exactly once: with a capture of an exchange or of a failure.
 *
 *   connecting ──► head ──► body ──► (sending: the rest of the request) ──► ended
 *        └───────────┴────────┴──── failed, cut or out of time: also ended
 */
import type { Framing, ResponseHead } from '../http/message.ts';
import type { Capture, ExchangeCapture, Truncation } from '../capture/capture.ts';
import { BlockRecorder, ResponseRecorder, type RecordingOptions } from '../capture/recorder.ts';
import { MessageError } from '../http/errors.ts';
import { keepsConnection } from '../http1/framing.ts';
import { ResponseReader, type ResponseEvents } from '../http1/response-reader.ts';
import type { Meta } from '../meta/meta.ts';
import type { Target } from '../http/target.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';
import type { ExchangeClient, RequestBody } from '../http/sides.ts';
import { originKey, type Connector, type Origin } from './connector.ts';
import { FetchError } from '../http/fetch-error.ts';
import { reasonOf } from '../util/thrown.ts';
import type { UpstreamPool } from './pool.ts';
import type { UpstreamConnection, UpstreamUser } from './http1-origin.ts';

/** A request that may be sent. */
export interface ExchangeRequest {
  readonly method: string;
  readonly target: Target;
  /** name the client asked for in TLS, when it is not the host's */
  readonly servername: string | undefined;
  /** the head as it goes to the origin, empty line included */
  readonly head: Buffer;
  /** false when nothing follows the head */
  readonly hasBody: boolean;
  /** the client waits for 100 (Continue) or a final answer before it sends the body (RFC 9110 §10.1.1) */
  readonly expectsContinue: boolean;
  /** false when the origin will close after its answer (HTTP/1.0) */
  readonly persistent: boolean;
  readonly referer: string | undefined;
  readonly meta: Meta;
  readonly warcPrefix: string;
}

export interface ExchangeServices {
  readonly connector: Connector;
  readonly pool: UpstreamPool;
  readonly recording: RecordingOptions;
  readonly now: () => Date;
  /** `<urn:uuid:…>`, a new one at each call */
  readonly newRecordId: () => string;
  /** takes the capture over; the promise is back-pressure */
  readonly sink: (capture: Capture) => Promise<void> | undefined;
  /** bytes of a response after which its download is stopped; 0 is no limit */
  readonly maxResourceBytes: number;
  /** of a response that has begun */
  readonly minRate: MinimumRateOptions;
}

/** Methods that may be sent again when a kept connection turns out dead (RFC 9110 §9.2.2), if there is no body to repeat. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

type Phase = 'connecting' | 'head' | 'body' | 'sending' | 'ended';

export class Exchange implements RequestBody, UpstreamUser, ResponseEvents {
  readonly startedAt: Date;
  readonly #services: ExchangeServices;
  readonly #request: ExchangeRequest;
  readonly #onEnded: () => void;
  readonly #origin: Origin;
  readonly #requestRecorder: BlockRecorder;
  readonly #reader: ResponseReader;
  #client: ExchangeClient | undefined;
  #phase: Phase = 'connecting';
  #upstream: UpstreamConnection | undefined;
  #ipAddress: string | undefined;
  /** body of the request that came before the connection was made */
  #waiting: Buffer[] = [];
  #requestComplete: boolean;
  #bodyBegun = false;
  #responseHead: ResponseHead | undefined;
  #response: ResponseRecorder | undefined;
  #framing: Framing = { kind: 'none' };
  #originFull = false;
  #requestDiskFull = false;
  #clientFull = false;
  #diskFull = false;
  #rate: MinimumRate | undefined;

  /** @param onEnded called once, when the exchange needs nothing any more */
  constructor(services: ExchangeServices, request: ExchangeRequest, client: ExchangeClient, onEnded: () => void) {
    this.#services = services;
    this.#request = request;
    this.#client = client;
    this.#onEnded = onEnded;
    this.startedAt = services.now();
    this.#requestComplete = !request.hasBody;
    this.#requestRecorder = new BlockRecorder(services.recording);
    this.#reader = new ResponseReader(request.method, this);
    const { scheme, host, port } = request.target;
    this.#origin = { scheme, host, port, servername: request.servername };
  }

  start(): void {
    this.#requestRecorder.write(this.#request.head);
    // What must not be sent twice never goes on a connection that its origin may be closing.
    const kept = this.#repeatable ? this.#services.pool.take(originKey(this.#origin)) : undefined;
    if (kept === undefined) this.#connect();
    else this.#connected(kept);
  }

  write(bytes: Buffer): boolean {
    if (this.#phase === 'ended') return true;
    this.#bodyBegun = true;
    if (!this.#requestRecorder.write(bytes)) this.#awaitRequestDisk();
    // Its client is in the middle of handing over a piece, and is not told before that is done.
    if (this.#recordingError !== undefined) queueMicrotask(() => this.#endIfNotRecorded());
    if (this.#upstream === undefined) {
      this.#waiting.push(bytes);
      return false;
    }
    this.#originFull = !this.#upstream.socket.write(bytes);
    return !this.#originFull && !this.#requestDiskFull;
  }

  endRequest(): void {
    this.#requestComplete = true;
    if (this.#phase === 'sending') this.#end(undefined);
  }

  /** The client takes more of the response again. */
  resumeResponse(): void {
    this.#clientFull = false;
    this.#resumeUpstream();
  }

  /** Nobody waits for the response any more: it is fetched to its end all the same, if its request was complete. */
  clientGone(): void {
    this.#client = undefined;
    if (this.#phase === 'ended') return;
    if (this.#phase === 'sending') return this.#end(undefined);
    if (!this.#requestComplete)
      return this.#fail(new FetchError('request-aborted', 'client closed the connection before its request was complete'));
    this.resumeResponse();
  }

  /** The wall-clock limit of a fetch has passed. */
  outOfTime(): void {
    if (this.#phase === 'body') this.#end('time');
    else if (this.#phase === 'sending') this.#end(undefined);
    else if (this.#phase === 'connecting')
      this.#fail(new FetchError('connect-timeout', 'connecting took longer than the time limit of a fetch'));
    else if (this.#phase === 'head') this.#fail(new FetchError('response-timeout', 'no answer within the time limit of a fetch'));
  }

  /** The proxy stops, for this reason: what has come is kept. */
  shutDown(reason: FetchError): void {
    if (this.#phase === 'body') this.#end('disconnect');
    else if (this.#phase === 'sending') this.#end(undefined);
    else if (this.#phase !== 'ended') this.#fail(reason);
  }

  onData(bytes: Buffer): void {
    if (this.#endIfNotRecorded()) return;
    try {
      this.#reader.read(bytes);
      if (this.#phase === 'body') this.#afterRead(bytes.length);
      else if (this.#phase === 'head' && this.#comesTooSlowly(bytes.length))
        this.#fail(new FetchError('response-timeout', 'response head comes too slowly'));
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      if (this.#phase === 'head') this.#fail(new FetchError('invalid-response', `invalid response: ${error.message}`, { cause: error }));
      else this.#end('unspecified');
    }
    this.#client?.flush();
  }

  onInterim(head: ResponseHead): void {
    this.#client?.interim(head);
  }

  onFinal(head: ResponseHead, framing: Framing, bytes: Buffer): void {
    this.#phase = 'body';
    this.#framing = framing;
    this.#responseHead = head;
    this.#response = new ResponseRecorder(this.#services.recording);
    this.#response.head(bytes);
    this.#client?.head(head, framing, this.startedAt);
  }

  onBody(piece: Buffer, payload: readonly Buffer[]): void {
    this.#diskFull = this.#response?.body(piece, payload) === false;
    this.#clientFull = this.#client?.body(piece, payload) === false;
  }

  onEnd(error: Error | undefined): void {
    const upstream = this.#upstream;
    if (this.#phase === 'body') {
      return this.#end(this.#framing.kind === 'close' && error === undefined ? undefined : 'disconnect');
    }
    if (this.#phase === 'sending') return this.#end(undefined);
    if (this.#reader.begun) {
      return this.#fail(new FetchError('invalid-response', 'connection closed in the middle of the response head', { cause: error }));
    }
    if (upstream?.reused === true) {
      this.#upstream = undefined;
      return this.#connect();
    }
    const message = error === undefined ? 'origin closed the connection without an answer' : `no answer: ${reasonOf(error)}`;
    this.#fail(new FetchError('empty-response', message, { cause: error }));
  }

  onDrain(): void {
    this.#originFull = false;
    this.#resumeClient();
  }

  onIdle(): void {
    if (this.#phase === 'body') this.#end('time');
    else if (this.#phase === 'sending') this.#end(undefined);
    else this.#fail(new FetchError('response-timeout', 'no answer from the origin within the idle time-out'));
  }

  get #repeatable(): boolean {
    return !this.#request.hasBody && REPEATABLE.has(this.#request.method);
  }

  #connect(): void {
    this.#phase = 'connecting';
    this.#services.connector.connect(this.#origin).then(
      (upstream) => {
        if (this.#phase === 'connecting') this.#connected(upstream);
        else upstream.destroy();
      },
      (error: unknown) => {
        if (this.#phase === 'connecting')
          this.#fail(error instanceof FetchError ? error : new FetchError('not-connected', reasonOf(error)));
      },
    );
  }

  #connected(upstream: UpstreamConnection): void {
    this.#phase = 'head';
    this.#upstream = upstream;
    this.#ipAddress = upstream.ipAddress;
    upstream.attach(this);
    const waiting = this.#waiting;
    if (waiting.length === 0) {
      upstream.socket.write(this.#request.head);
    } else {
      this.#waiting = [];
      upstream.socket.cork();
      upstream.socket.write(this.#request.head);
      for (const bytes of waiting) upstream.socket.write(bytes);
      upstream.socket.uncork();
    }
    this.#originFull = upstream.socket.writableNeedDrain;
    if (!this.#requestComplete) this.#resumeClient();
  }

  #awaitRequestDisk(): void {
    if (this.#requestDiskFull) return;
    this.#requestDiskFull = true;
    this.#requestRecorder.bytes.onDrain(() => {
      this.#requestDiskFull = false;
      if (!this.#endIfNotRecorded()) this.#resumeClient();
    });
  }

  /** Both have to keep up with the client: the origin and the disk of the recording. */
  #resumeClient(): void {
    if (this.#upstream !== undefined && !this.#originFull && !this.#requestDiskFull) this.#client?.resumeRequest();
  }

  /** What has come decides whether the response is over, and whether more of it is wanted now. */
  #afterRead(received: number): void {
    const response = this.#response;
    if (response === undefined) return;
    const { maxResourceBytes } = this.#services;
    if (this.#reader.done) this.#whole();
    else if (maxResourceBytes > 0 && response.bytes.size > maxResourceBytes) this.#end('length');
    else if (this.#clientFull || this.#diskFull) this.#pauseUpstream(response);
    else if (this.#comesTooSlowly(received)) this.#end('time');
  }

  #comesTooSlowly(received: number): boolean {
    this.#rate ??= new MinimumRate(this.#services.minRate);
    return this.#rate.tooSlow(received);
  }

  #pauseUpstream(response: ResponseRecorder): void {
    this.#rate?.restart();
    this.#upstream?.pause();
    if (!this.#diskFull) return;
    response.bytes.onDrain(() => {
      this.#diskFull = false;
      if (!this.#endIfNotRecorded()) this.#resumeUpstream();
    });
  }

  #resumeUpstream(): void {
    if (!this.#clientFull && !this.#diskFull && this.#phase !== 'ended') this.#upstream?.resume();
  }

  /** The response is whole. An origin may answer before it has read the request: then the rest of that goes on, unless it will never come. */
  #whole(): void {
    const given = this.#requestComplete || (this.#request.expectsContinue && !this.#bodyBegun);
    if (given) this.#end(undefined);
    else this.#phase = 'sending';
  }

  #end(truncated: Truncation | undefined): void {
    const head = this.#responseHead;
    const response = this.#response;
    if (head === undefined || response === undefined || this.#endIfNotRecorded()) return;
    this.#phase = 'ended';
    const capture: ExchangeCapture = Object.freeze({
      kind: 'exchange',
      ...this.#captured(),
      ipAddress: this.#ipAddress,
      request: this.#requestRecorder.finish(),
      response: response.finish(head.status, head.fields.get('content-type'), truncated),
      outcome: { archive: true },
    });
    this.#leaveUpstream(truncated === undefined && !this.#reader.excess && this.#requestComplete && this.#keepsUpstream(head));
    const client = this.#client;
    this.#client = undefined;
    const accepted = this.#services.sink(capture);
    if (truncated === undefined) client?.end(accepted, this.#reader.exact);
    else client?.fail(new FetchError('invalid-response', `response cut short (${truncated})`), accepted);
    this.#onEnded();
  }

  #keepsUpstream(head: ResponseHead): boolean {
    return this.#framing.kind !== 'close' && this.#request.persistent && keepsConnection(head);
  }

  /** Why the temporary file of the request or of the response has failed, as far as is known: they are written behind what passes. */
  get #recordingError(): Error | undefined {
    return this.#requestRecorder.bytes.error ?? this.#response?.bytes.error;
  }

  /** @returns true when the exchange is over, as what passes cannot be kept */
  #endIfNotRecorded(): boolean {
    const error = this.#recordingError;
    if (error === undefined || this.#phase === 'ended') return this.#phase === 'ended';
    this.#fail(new FetchError('recording-failed', `temporary file failed: ${reasonOf(error)}`, { cause: error }));
    return true;
  }

  #fail(error: FetchError): void {
    this.#phase = 'ended';
    this.#leaveUpstream(false);
    this.#requestRecorder.bytes.release();
    this.#response?.bytes.release();
    const client = this.#client;
    this.#client = undefined;
    const failed = { kind: 'failure', ...this.#captured(), error, status: error.status, outcome: { archive: false } } as const;
    const accepted = this.#services.sink(Object.freeze(failed));
    client?.fail(error, accepted);
    this.#onEnded();
  }

  /** What every capture of this exchange has. */
  #captured() {
    const { method, target, referer, meta, warcPrefix } = this.#request;
    return {
      recordId: this.#services.newRecordId(),
      url: target.url,
      method,
      startedAt: this.startedAt,
      durationMs: this.#services.now().getTime() - this.startedAt.getTime(),
      referer,
      meta,
      warcPrefix,
    };
  }

  #leaveUpstream(keep: boolean): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream === undefined) return;
    upstream.resume();
    if (keep) this.#services.pool.put(upstream);
    else upstream.destroy();
  }
}
