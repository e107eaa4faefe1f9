/**
 * A connection to an origin that speaks HTTP/2: a session, with a stream for each request, shared by all exchanges with that origin.
 *
 * Owns the socket. Loaded when the first origin has chosen `h2`.
 * Source: RFC 9113 §5.1.2 (streams at a time), §6.8 (GOAWAY), §8.7 (what was not processed).
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { FetchError } from '../http/fetch-error.ts';
import type { Http2Manner } from '../http/imitation.ts';
import type { BodyPiece } from '../http/message.ts';
import { CODE } from '../http2/frames.ts';
import { ENTRY_BYTES } from '../http2/hpack-table.ts';
import { requestHeaders } from '../http2/headers.ts';
import { requestBlock } from '../http2/heads.ts';
import { CHROMIUM_ORDER, manner } from '../http2/manner.ts';
import { Http2Session } from '../http2/session.ts';
import { MAX_HEAD_BYTES } from '../http1/head.ts';
import { MAX_FIELDS } from '../http1/fields.ts';
import type { TlsFacts } from '../tls/facts.ts';
import { sweep, timeLimit } from '../util/after-reading.ts';
import { Linked } from '../util/linked.ts';
import { Http2OriginStream, type StreamSession } from './http2-origin-stream.ts';
import type { AnswerEvents, OriginConnection, OriginStream, OutgoingRequest } from './origin-connection.ts';

export interface Http2OriginOptions {
  readonly key: string;
  /** undefined behind another proxy */
  readonly ipAddress: string | undefined;
  readonly tls: TlsFacts | undefined;
  /** how it begins; ours by default */
  readonly manner: Http2Manner | undefined;
  /** of a stream, of a session that nobody uses, and for the origin's settings to come; 0 is none */
  readonly idleMs: number;
  /** told of what a user throws, which then finds its stream broken */
  readonly onFault: (error: unknown) => void;
  /** told when the origin wants HTTP/1.1 instead (RFC 9113 §7, HTTP_1_1_REQUIRED) */
  readonly onHttp1Wanted: () => void;
}

/** Streams at a time on one session, should its origin take more. Source: the least that RFC 9113 §6.5.2 recommends. */
const MAX_STREAMS = 100;
/** So much of an answer may come before its client or the disk have taken it: less makes far origins slow. */
const STREAM_WINDOW = 1024 * 1024;
const OURS = manner(
  { enablePush: false, initialWindowSize: STREAM_WINDOW, maxHeaderListSize: MAX_HEAD_BYTES },
  16 * STREAM_WINDOW,
  CHROMIUM_ORDER,
);
/** Of one head; all of an answer together are bounded by `Http2OriginStream`. */
const MAX_LIST_BYTES = MAX_HEAD_BYTES + ENTRY_BYTES * MAX_FIELDS;

/** How often it is looked whether something has moved, at most. */
const LOOK_MS = 1000;

export class Http2Origin implements OriginConnection, StreamSession {
  readonly key: string;
  readonly ipAddress: string | undefined;
  readonly tls: TlsFacts | undefined;
  /** resolves when the origin has said how many streams it takes, or is gone; with an error when it did not say so in time */
  readonly settled: Promise<FetchError | undefined>;
  readonly onFault: (error: unknown) => void;
  readonly onHttp1Wanted: () => void;
  readonly #session: Http2Session;
  readonly #socket: Socket;
  readonly #idleMs: number;
  readonly #pseudoOrder: readonly string[];
  readonly #streams = new Linked<Http2OriginStream>();
  #capacity = 1;
  #reserved = 0;
  /** some stream has come to its end, so that the origin may go at any time */
  #used = false;
  #onUnusable: ((connection: OriginConnection) => void) | undefined;
  #lastStream: number | undefined;
  #late: FetchError | undefined;
  /** bytes both ways, and when they were last seen to be more */
  #passed = 0;
  #passedMs = performance.now();

  constructor(socket: Socket, options: Http2OriginOptions) {
    this.key = options.key;
    this.ipAddress = options.ipAddress;
    this.tls = options.tls;
    this.onFault = options.onFault;
    this.onHttp1Wanted = () => {
      options.onHttp1Wanted();
      // Otherwise what is sent again would come by this session again.
      this.#session.close();
      this.#over();
    };
    this.#idleMs = options.idleMs;
    const { settings, sessionWindow, pseudoOrder } = options.manner ?? OURS;
    this.#pseudoOrder = pseudoOrder;
    this.#socket = socket;
    const { idleMs } = options;
    const endLooking = idleMs > 0 ? sweep(Math.min(LOOK_MS, idleMs), () => this.#look()) : undefined;
    let resolve: (late: FetchError | undefined) => void = () => undefined;
    this.settled = new Promise((settled) => (resolve = settled));
    const inTime = idleMs > 0 ? timeLimit(idleMs, () => this.#giveUp(idleMs, settle)) : undefined;
    const settle = (late?: FetchError): void => {
      inTime?.();
      resolve(late);
    };
    const sizes = { sessionWindow, maxListSize: MAX_LIST_BYTES, maxFields: MAX_FIELDS };
    this.#session = new Http2Session(
      socket,
      'client',
      { settings, ...sizes },
      {
        onSettings: () => {
          this.#capacity = Math.min(this.#session.remoteSettings.maxConcurrentStreams, MAX_STREAMS);
          settle();
          // Who takes fewer than it has now is not to be given more from the pool.
          if (this.busy) this.#over();
        },
        onGoaway: (lastStream) => {
          this.#lastStream = lastStream;
          this.#over();
        },
        onClosed: () => {
          endLooking?.();
          settle();
          this.#over();
        },
        onFault: options.onFault,
      },
    );
  }

  get capacity(): number {
    return this.#capacity;
  }

  get busy(): boolean {
    return this.#streams.size + this.#reserved >= this.#capacity;
  }

  get usable(): boolean {
    return !this.#session.closed;
  }

  /** Keep room for a request that is to come. */
  reserve(): void {
    this.#reserved++;
  }

  unwanted(): void {
    if (this.#reserved > 0) this.#reserved--;
  }

  request(request: OutgoingRequest, body: readonly BodyPiece[], events: AnswerEvents): OriginStream {
    this.unwanted();
    this.#onUnusable = undefined;
    const { method, target, hasBody, fields } = request;
    const { list, recorded } = requestHeaders(request, this.#pseudoOrder);
    const sentHead = requestBlock(method, target.path, recorded);
    // Who says how much is to come, and of no trailers, has none.
    const mayTrail = hasBody && (!fields.has('content-length') || fields.has('trailer'));
    const asks = hasBody && request.expectsContinue && body.length === 0;
    const sent = { method, sentHead, hasBody, mayTrail, asks, mayBeUnanswered: this.#used };
    const stream = new Http2OriginStream(this, sent, events);
    stream.place = this.#streams.add(stream);
    stream.begin(() => this.#session.request(list, !hasBody, stream), body);
    return stream;
  }

  get error(): Error | undefined {
    return this.#late ?? this.#session.error;
  }

  left(stream: Http2OriginStream): void {
    this.#used = true;
    if (stream.place !== undefined) this.#streams.remove(stream.place);
  }

  park(onUnusable: (connection: OriginConnection) => void): void {
    this.#onUnusable = onUnusable;
  }

  destroy(): void {
    if (this.#streams.size > 0) this.#session.close();
    else this.#session.destroy();
    this.#over();
  }

  /** By the last stream that GOAWAY says it has looked at. */
  isUnseen(id: number | undefined, refused: boolean): boolean {
    return refused || (this.#lastStream !== undefined && (id === undefined || id > this.#lastStream));
  }

  /** Settings are the first that an origin says (RFC 9113 §3.4): who leaves them out says nothing else. */
  #giveUp(limitMs: number, settle: (late: FetchError) => void): void {
    this.#late = new FetchError('response-timeout', `origin chose HTTP/2 and has not begun it within ${limitMs / 1000} s (no SETTINGS)`);
    settle(this.#late);
    this.#session.destroy(CODE.settingsTimeout);
  }

  #look(): void {
    const { bytesRead, bytesWritten } = this.#socket;
    const nowMs = performance.now();
    const passed = bytesRead + bytesWritten;
    if (passed !== this.#passed) {
      this.#passed = passed;
      this.#passedMs = nowMs;
    }
    if (this.#streams.size === 0 && nowMs - this.#passedMs >= this.#idleMs) this.destroy();
    for (const stream of this.#streams) stream.look(nowMs, this.#passedMs, this.#idleMs);
  }

  #over(): void {
    const onUnusable = this.#onUnusable;
    this.#onUnusable = undefined;
    onUnusable?.(this);
  }
}
