/**
 * One request to an origin and its response: bytes go through as they come, a recorder sees the same bytes, a capture comes out.
 *
 * Knows no version of HTTP: not its client's (`ClientSide`), not its origin's (`OriginConnection`). Nor who decides that it may run.
 * Whatever happens it ends exactly once: with a capture of an exchange or of a failure.
 *
 *   connecting ──► head ──► body ──► (sending: the rest of the request) ──► ended
 *        └───────────┴────────┴──── failed, cut or out of time: also ended
 */
import type { Capture, ExchangeCapture, Truncation } from '../capture/capture.ts';
import { BlockRecorder, ResponseRecorder, type RecordingOptions } from '../capture/recorder.ts';
import { FetchError } from '../http/fetch-error.ts';
import type { BodyPiece, Framing, ResponseHead } from '../http/message.ts';
import type { AnswerForm, ClientSide, RequestBody } from '../http/sides.ts';
import type { Meta } from '../meta/meta.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';
import { reasonOf } from '../util/thrown.ts';
import { Valve } from '../util/valve.ts';
import { originKey, type Connect } from './origin.ts';
import type { AnswerEvents, OriginConnection, OriginStream, OutgoingRequest } from './origin-connection.ts';
import type { OriginPool } from './pool.ts';

/** A request that may be sent. */
export interface ExchangeRequest {
  readonly outgoing: OutgoingRequest;
  readonly referer: string | undefined;
  readonly meta: Meta;
  readonly warcPrefix: string;
  /** how the answer is passed on. @param startedAt the WARC-Date of its records */
  readonly form: (startedAt: Date) => AnswerForm;
  /** WARC-Record-ID of its principal record; a new one by default */
  readonly recordId?: string | undefined;
}

export interface ExchangeServices {
  readonly connect: Connect;
  readonly pool: OriginPool;
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

/** What an exchange needs of its client. */
export type ExchangeClient = Pick<ClientSide, 'interim' | 'head' | 'body' | 'flush' | 'end' | 'fail' | 'resumeRequest'>;

/** Methods that may be sent again when a kept connection turns out dead (RFC 9110 §9.2.2), if there is no body to repeat. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Who may hold a direction back. */
const ORIGIN = 1;
const CLIENT = 2;
const DISK = 4;

type Phase = 'connecting' | 'head' | 'body' | 'sending' | 'ended';

export class Exchange implements RequestBody, AnswerEvents {
  readonly startedAt: Date;
  readonly #services: ExchangeServices;
  readonly #request: ExchangeRequest;
  readonly #onEnded: () => void;
  readonly #form: AnswerForm;
  /** of the request: the origin and the disk have to keep up with the client */
  readonly #upload = new Valve(ORIGIN);
  /** of the response: the client and the disk have to keep up with the origin */
  readonly #download = new Valve(0);
  #client: ExchangeClient | undefined;
  #phase: Phase = 'connecting';
  #connection: OriginConnection | undefined;
  #stream: OriginStream | undefined;
  #ipAddress: string | undefined;
  #sent: BlockRecorder | undefined;
  /** body of the request that came before the connection was made */
  #waiting: BodyPiece[] = [];
  #requestComplete: boolean;
  #bodyBegun = false;
  #exact = true;
  #responseHead: ResponseHead | undefined;
  #response: ResponseRecorder | undefined;
  #rate: MinimumRate | undefined;

  /** @param onEnded called once, when the exchange needs nothing any more */
  constructor(services: ExchangeServices, request: ExchangeRequest, client: ExchangeClient, onEnded: () => void) {
    this.#services = services;
    this.#request = request;
    this.#client = client;
    this.#onEnded = onEnded;
    this.startedAt = services.now();
    this.#form = request.form(this.startedAt);
    this.#requestComplete = !request.outgoing.hasBody;
  }

  start(): void {
    const { outgoing } = this.#request;
    // What must not be sent twice never goes on a connection that its origin may be closing.
    const repeatable = !outgoing.hasBody && REPEATABLE.has(outgoing.method);
    const kept = repeatable ? this.#services.pool.take(originKey(outgoing.target, outgoing.servername)) : undefined;
    if (kept === undefined) this.#connect();
    else this.#connected(kept);
  }

  write(bytes: Buffer, payload: readonly Buffer[]): boolean {
    if (this.#phase === 'ended') return true;
    this.#bodyBegun = true;
    if (this.#stream === undefined) {
      this.#waiting.push({ bytes, payload });
      return false;
    }
    this.#keepSent(bytes);
    // Its client is in the middle of handing over a piece, and is not told before that is done.
    if (this.#recordingError !== undefined) queueMicrotask(() => this.#endIfNotRecorded());
    this.#upload.set(ORIGIN, !this.#stream.write(bytes, payload));
    return this.#upload.open;
  }

  endRequest(): void {
    this.#requestComplete = true;
    if (this.#phase === 'sending') this.#end(undefined);
    else this.#stream?.endRequest();
  }

  /** The client takes more of the response again. */
  resumeResponse(): void {
    this.#letDown(CLIENT);
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

  onInterim(head: ResponseHead): void {
    if (!this.#endIfNotRecorded()) this.#client?.interim(head, this.#form);
  }

  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void {
    if (this.#endIfNotRecorded()) return;
    this.#phase = 'body';
    this.#responseHead = head;
    this.#response = new ResponseRecorder(this.#services.recording);
    this.#response.head(bytes);
    this.#client?.head(head, framing, this.#form);
  }

  onBody(piece: Buffer, payload: readonly Buffer[]): void {
    if (this.#phase !== 'body' || this.#endIfNotRecorded()) return;
    this.#download.set(DISK, this.#response?.body(piece, payload) === false);
    this.#download.set(CLIENT, this.#client?.body(piece, payload) === false);
  }

  onRead(received: number, whole: boolean, exact: boolean): void {
    if (this.#phase === 'body') this.#afterRead(received, whole, exact);
    else if (this.#phase === 'head' && this.#comesTooSlowly(received))
      this.#fail(new FetchError('response-timeout', 'response head comes too slowly'));
    this.#client?.flush();
  }

  onLost(error: FetchError, truncated: Truncation, unanswered: boolean): void {
    if (this.#phase === 'body') this.#end(truncated);
    else if (this.#phase === 'sending') this.#end(undefined);
    else if (this.#phase === 'head' && unanswered) this.#connect();
    else if (this.#phase !== 'ended') this.#fail(error);
  }

  onDrain(): void {
    this.#letUp(ORIGIN);
  }

  #connect(): void {
    this.#phase = 'connecting';
    this.#stream = undefined;
    const { target, servername } = this.#request.outgoing;
    const { scheme, host, port } = target;
    this.#services.connect({ scheme, host, port, servername }).then(
      (connection) => {
        if (this.#phase === 'connecting') this.#connected(connection);
        else connection.destroy();
      },
      (error: unknown) => {
        if (this.#phase === 'connecting')
          this.#fail(error instanceof FetchError ? error : new FetchError('not-connected', reasonOf(error)));
      },
    );
  }

  #connected(connection: OriginConnection): void {
    this.#phase = 'head';
    this.#connection = connection;
    this.#ipAddress = connection.ipAddress;
    const { outgoing } = this.#request;
    const waiting = this.#waiting;
    const stream = connection.request(outgoing, waiting, this);
    this.#stream = stream;
    // A connection that can carry more is there for others, too.
    if (!connection.busy) this.#services.pool.put(connection);
    this.#sent?.bytes.release();
    this.#sent = new BlockRecorder(this.#services.recording);
    this.#keepSent(stream.sentHead);
    if (waiting.length > 0) {
      this.#waiting = [];
      for (const { bytes } of waiting) this.#keepSent(bytes);
    }
    if (outgoing.hasBody && this.#requestComplete) stream.endRequest();
    if (!stream.full) this.#letUp(ORIGIN);
  }

  #keepSent(bytes: Buffer): void {
    const recorder = this.#sent;
    if (recorder === undefined || recorder.write(bytes) || this.#upload.isHeldBy(DISK)) return;
    this.#upload.set(DISK, true);
    recorder.bytes.onDrain(() => {
      if (!this.#endIfNotRecorded()) this.#letUp(DISK);
    });
  }

  #letUp(holder: number): void {
    if (this.#upload.release(holder)) this.#client?.resumeRequest();
  }

  #letDown(holder: number): void {
    if (this.#download.release(holder)) this.#stream?.resume();
  }

  /** What has come decides whether the response is over, and whether more of it is wanted now. */
  #afterRead(received: number, whole: boolean, exact: boolean): void {
    const response = this.#response;
    if (response === undefined) return;
    const { maxResourceBytes } = this.#services;
    if (whole) this.#whole(exact);
    else if (maxResourceBytes > 0 && response.bytes.size > maxResourceBytes) this.#end('length');
    else if (!this.#download.open) this.#pause(response);
    else if (this.#comesTooSlowly(received)) this.#end('time');
  }

  #comesTooSlowly(received: number): boolean {
    this.#rate ??= new MinimumRate(this.#services.minRate);
    return this.#rate.tooSlow(received);
  }

  #pause(response: ResponseRecorder): void {
    this.#rate?.restart();
    this.#stream?.pause();
    if (!this.#download.isHeldBy(DISK)) return;
    response.bytes.onDrain(() => {
      if (!this.#endIfNotRecorded()) this.#letDown(DISK);
    });
  }

  /** The response is whole. An origin may answer before it has read the request: then the rest of that goes on, unless it will never come. */
  #whole(exact: boolean): void {
    this.#exact = exact;
    const given = this.#requestComplete || (this.#request.outgoing.expectsContinue && !this.#bodyBegun);
    if (given) this.#end(undefined);
    else this.#phase = 'sending';
  }

  #end(truncated: Truncation | undefined): void {
    const head = this.#responseHead;
    const response = this.#response;
    const sent = this.#sent;
    if (head === undefined || response === undefined || sent === undefined || this.#endIfNotRecorded()) return;
    this.#phase = 'ended';
    const capture: ExchangeCapture = Object.freeze({
      kind: 'exchange',
      ...this.#captured(),
      ipAddress: this.#ipAddress,
      request: sent.finish(),
      response: response.finish(head.status, head.fields.get('content-type'), truncated),
      outcome: { archive: true },
    });
    this.#leaveOrigin(truncated === undefined && this.#requestComplete);
    const client = this.#client;
    this.#client = undefined;
    const accepted = this.#services.sink(capture);
    if (truncated === undefined) client?.end(accepted, this.#exact);
    else client?.fail(new FetchError('invalid-response', `response cut short (${truncated})`), accepted);
    this.#onEnded();
  }

  /** Why the temporary file of the request or of the response has failed, as far as is known: they are written behind what passes. */
  get #recordingError(): Error | undefined {
    return this.#sent?.bytes.error ?? this.#response?.bytes.error;
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
    this.#leaveOrigin(false);
    this.#sent?.bytes.release();
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
    const { outgoing, referer, meta, warcPrefix, recordId } = this.#request;
    return {
      recordId: recordId ?? this.#services.newRecordId(),
      url: outgoing.target.url,
      method: outgoing.method,
      startedAt: this.startedAt,
      durationMs: this.#services.now().getTime() - this.startedAt.getTime(),
      referer,
      meta,
      warcPrefix,
    };
  }

  #leaveOrigin(whole: boolean): void {
    const connection = this.#connection;
    const stream = this.#stream;
    this.#connection = undefined;
    this.#stream = undefined;
    if (connection === undefined || stream === undefined) return;
    if (!whole) return stream.reset();
    stream.release();
    this.#services.pool.put(connection);
  }
}
