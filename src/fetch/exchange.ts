/**
 * One request to an origin and its response: bytes go through as they come, a recorder sees the same bytes, a capture comes out.
 *
 * Knows no version of HTTP: not its client's (`ClientSide`), not its origin's (`OriginConnection`). Nor who decides that it may run.
 * Whatever happens it ends exactly once: with a capture of an exchange or of a failure.
 *
 *   connecting ──► head ──► body ──► (sending: the rest of the request) ──► ended
 *        │           ├─► switched: a WebSocket, which is relayed (websocket.ts) ──────────► ended
 *        └───────────┴────────┴──── failed, cut or out of time: also ended
 */
import { performance } from 'node:perf_hooks';
import type { Capture, Truncation } from '../capture/capture.ts';
import { Recording } from '../capture/recording.ts';
import { FetchError } from '../http/fetch-error.ts';
import type { Fields } from '../http/fields.ts';
import type { Framing, ResponseHead } from '../http/message.ts';
import type { AnswerForm, RequestBody, Upgraded } from '../http/sides.ts';
import type { SpoolHolder } from '../util/spool.ts';
import { Valve } from '../util/valve.ts';
import { AnswerLimits } from './answer-limits.ts';
import {
  exchangeCapture,
  failedCapture,
  isRepeatable,
  late,
  leftOf,
  mayBeSentAgain,
  noRoom,
  placeFor,
  refusedForGood,
  webSocketCapture,
} from './exchange-parts.ts';
import type { ExchangeClient, ExchangeRequest, ExchangeServices } from './exchange-parts.ts';
import type { OriginConnection } from './origin-connection.ts';
import { OriginSide, type OriginUser } from './origin-side.ts';
import { Upload } from './upload.ts';
import { relayWebSocket } from './websocket.ts';
import type { Relay } from './relay.ts';

/** Who may hold the answer back. */
const [CLIENT, DISK] = [1, 2] as const;

type Phase = 'connecting' | 'head' | 'body' | 'sending' | 'switched' | 'ended';

export class Exchange implements RequestBody, OriginUser, SpoolHolder {
  readonly startedAt: Date;
  /** the same by the clock that nobody sets */
  readonly startedMs = performance.now();
  readonly #services: ExchangeServices;
  readonly #request: ExchangeRequest;
  readonly #onEnded: () => void;
  readonly #form: AnswerForm;
  /** undefined where nothing follows the head */
  readonly #upload: Upload | undefined;
  /** the client and the disk have to keep up with the origin */
  readonly #download = new Valve(0);
  #client: ExchangeClient | undefined;
  #phase: Phase = 'connecting';
  readonly #origin: OriginSide;
  readonly #recording: Recording;
  #requestComplete: boolean;
  #exact = true;
  readonly #limits: AnswerLimits;
  #webSocket: Pick<Relay, 'cut'> | undefined;

  /** @param onEnded called once, when the exchange needs nothing any more */
  constructor(services: ExchangeServices, request: ExchangeRequest, client: ExchangeClient, onEnded: () => void) {
    this.#services = services;
    this.#request = request;
    this.#client = client;
    this.#onEnded = onEnded;
    this.#recording = new Recording(services.recording, this, placeFor(request, services));
    this.#limits = new AnswerLimits(services);
    this.#origin = new OriginSide(services, request.outgoing, this);
    this.startedAt = services.now();
    this.#form = request.form(this.startedAt);
    this.#requestComplete = !request.outgoing.hasBody;
    this.#upload = request.outgoing.hasBody
      ? new Upload(this.#recording, {
          resume: () => this.#client?.resumeRequest(),
          endIfNotRecorded: () => this.#endIfNotRecorded(),
        })
      : undefined;
  }

  start(): void {
    this.#origin.take();
  }

  write(bytes: Buffer, payload: readonly Buffer[]): boolean {
    return this.#phase === 'ended' || this.#upload === undefined || this.#upload.write(bytes, payload);
  }

  endRequest(trailers?: Fields): void {
    this.#requestComplete = true;
    this.#upload?.end(trailers);
    if (this.#phase === 'sending') this.#end(undefined);
  }

  resumeResponse(): void {
    this.#letDown(CLIENT);
  }

  /** Nobody waits for the response any more: it is fetched all the same, as far as that is wanted, if its request was complete. */
  clientGone(): void {
    this.#client = undefined;
    if (this.#phase === 'ended') return;
    if (this.#phase === 'sending') return this.#end(undefined);
    if (!this.#requestComplete)
      return this.#fail(new FetchError('request-aborted', 'client closed the connection before its request was complete'));
    const { received, announced } = this.#recording;
    this.#limits.abandon(received, announced, this.#request.outgoing.fields);
    if (this.#limits.reached(received) === undefined) this.resumeResponse();
    else this.#stop('disconnect', new FetchError('request-aborted', 'client closed the connection before the answer had come'));
  }

  cutOff(): void {
    this.#client = undefined;
    this.#stop('disconnect', new FetchError('request-aborted', 'the download was given up'));
  }

  /** The time limit of a fetch has passed. A WebSocket has one of its own. */
  outOfTime(): void {
    if (this.#phase === 'switched') return;
    this.#stop('time', late(this.#phase === 'connecting'));
  }

  /** The proxy stops, for this reason: what has come is kept. */
  shutDown(reason: FetchError): void {
    this.#origin.countNoMore();
    this.#stop('disconnect', reason);
  }

  onFull(alone: boolean): void {
    this.#stop('length', noRoom(alone));
  }

  onConnected(connection: OriginConnection): boolean {
    if (this.#phase !== 'connecting') return false;
    this.#phase = 'head';
    const stream = this.#origin.send(connection, this.#upload?.waiting ?? []);
    this.#recording.sentHead(stream.sentHead);
    this.#upload?.begin(stream);
    if (this.#requestComplete) this.#upload?.end();
    return true;
  }

  onUnreachable(error: FetchError): void {
    if (this.#phase === 'connecting') this.#fail(error);
  }

  onInterim(head: ResponseHead): void {
    if (!this.#endIfNotRecorded()) this.#download.set(CLIENT, this.#client?.interim(head, this.#form) === false);
  }

  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void {
    if (this.#endIfNotRecorded()) return;
    this.#phase = 'body';
    this.#recording.receivedHead(bytes, head, framing.kind === 'length' ? framing.length : undefined);
    if (this.#client === undefined) this.#limits.abandon(bytes.length, this.#recording.announced, this.#request.outgoing.fields);
    else this.#client.head(head, framing, this.#form);
  }

  onBody(piece: Buffer, payload: readonly Buffer[]): void {
    if (this.#phase !== 'body' || this.#endIfNotRecorded()) return;
    this.#download.set(DISK, !this.#recording.receivedBody(piece, payload));
    this.#download.set(CLIENT, this.#client?.body(piece, payload) === false);
  }

  onRead(received: number, whole: boolean, exact: boolean): void {
    if (this.#phase === 'body') this.#afterRead(received, whole, exact);
    else if (!this.#download.open) this.#pause();
    else if (this.#phase === 'head' && this.#limits.tooSlow(received))
      this.#fail(new FetchError('response-timeout', 'response head comes too slowly'));
    this.#client?.flush();
  }

  onTrailers(fields: Fields, inBody: boolean): void {
    if (this.#phase !== 'body') return;
    if (!inBody) this.#recording.receivedTrailers(fields);
    this.#client?.trailers?.(fields);
  }

  onLost(error: FetchError, truncated: Truncation, unanswered: boolean, unseen = false): void {
    const { outgoing } = this.#request;
    if (this.#phase !== 'head') this.#stop(truncated, error);
    else if (unseen && mayBeSentAgain(this.#origin.sendings)) {
      if (this.#heldBack()) this.#again(() => this.#origin.take());
      else this.#fail(refusedForGood(error));
    } else if (unanswered && isRepeatable(outgoing)) this.#again(() => this.#origin.connect());
    else this.#stop(truncated, error);
  }

  onSwitched(head: ResponseHead, bytes: Buffer, origin: Upgraded): void {
    const client = this.#endIfNotRecorded() ? undefined : this.#client?.upgrade?.({ head, form: this.#form });
    const { webSockets, recording, sink } = this.#services;
    if (client === undefined || webSockets === undefined)
      return this.#stop('disconnect', new FetchError('request-aborted', 'client closed the connection before its WebSocket had begun'));
    this.#phase = 'switched';
    this.#client = undefined;
    this.#recording.receivedHead(bytes, head, undefined);
    const messages = this.#recording.finish(undefined);
    const { url } = this.#request.outgoing.target;
    this.#webSocket = relayWebSocket({ url, head, client, origin, recording }, webSockets, (end) => {
      this.#phase = 'ended';
      const passed = { ...messages, ...end };
      void sink(webSocketCapture(this.#request, this.#services, this, this.#origin, passed));
      this.#over();
    });
  }

  onDrain(): void {
    this.#upload?.drained();
  }

  /** Nothing more comes: what has come is kept, where a head has. */
  #stop(truncated: Truncation, error: FetchError): void {
    if (this.#phase === 'body') this.#end(truncated);
    else if (this.#phase === 'sending') this.#end(undefined);
    else if (this.#phase === 'switched') this.#webSocket?.cut(truncated);
    else if (this.#phase !== 'ended') this.#fail(error);
  }

  /** What was sent of the body is still there. */
  #heldBack(): boolean {
    const { stream } = this.#origin;
    return this.#upload === undefined || (stream !== undefined && this.#upload.again(stream.sentHead.length));
  }

  #again(on: () => void): void {
    this.#phase = 'connecting';
    on();
  }

  #letDown(holder: number): void {
    if (!this.#download.release(holder)) return;
    this.#limits.resume();
    this.#origin.stream?.resume();
  }

  /** What has come decides whether the response is over, and whether more of it is wanted now. */
  #afterRead(received: number, whole: boolean, exact: boolean): void {
    if (whole) return this.#whole(exact);
    const reached = this.#limits.reached(this.#recording.received);
    if (reached !== undefined) this.#end(reached);
    else if (this.#limits.tooSlow(received)) this.#end('time');
    else if (!this.#download.open) this.#pause();
  }

  #pause(): void {
    this.#limits.hold();
    this.#origin.stream?.pause();
    if (!this.#download.isHeldBy(DISK)) return;
    this.#recording.onResponseDrain(() => {
      if (!this.#endIfNotRecorded()) this.#letDown(DISK);
    });
  }

  /** The response is whole. An origin may answer before it has read the request: then the rest of that goes on, unless it will never come. */
  #whole(exact: boolean): void {
    this.#exact = exact;
    if (this.#requestComplete || (this.#request.outgoing.expectsContinue && this.#upload?.begun !== true)) this.#end(undefined);
    else this.#phase = 'sending';
  }

  #end(truncated: Truncation | undefined): void {
    if (this.#endIfNotRecorded()) return;
    this.#phase = 'ended';
    const messages = this.#recording.finish(truncated);
    const capture = exchangeCapture(this.#request, this.#services, this, this.#origin, messages);
    this.#origin.leave(truncated === undefined && this.#requestComplete);
    const client = this.#client;
    this.#client = undefined;
    const { undigested } = this.#recording;
    const accepted = undigested ? this.#sinkOnceDigested(capture) : this.#services.sink(capture);
    if (truncated === undefined) client?.end(accepted, this.#exact);
    else client?.fail(new FetchError('invalid-response', `response cut short (${truncated})`), accepted);
    if (!undigested) this.#over();
  }

  #sinkOnceDigested(capture: Capture): Promise<void> {
    return new Promise((resolve) => {
      this.#recording.onDigested((error) => {
        resolve(this.#services.sink(error === undefined ? capture : this.#failedBy(error)));
        this.#over();
      });
    });
  }

  /** @returns true when the exchange is over, as what passes cannot be kept */
  #endIfNotRecorded(): boolean {
    const { error } = this.#recording;
    if (error === undefined || this.#phase === 'ended') return this.#phase === 'ended';
    this.#fail(error);
    return true;
  }

  #fail(error: FetchError): void {
    this.#phase = 'ended';
    const capture = this.#failedBy(error);
    this.#origin.leave(false);
    const client = this.#client;
    this.#client = undefined;
    const accepted = this.#services.sink(capture);
    client?.fail(error, accepted);
    this.#origin.whenSettled(() => this.#over());
  }

  #failedBy(error: FetchError): Capture {
    const sent = leftOf(this.#recording, this.#services, error, this.#requestComplete);
    return failedCapture(this.#request, this.#services, this, error, this.#origin, sent);
  }

  #over(): void {
    this.#limits.release();
    this.#onEnded();
  }
}
