/**
 * A connection to an origin that speaks HTTP/2: a session, with a stream for each request, shared by all exchanges with that origin.
 *
 * Owns the socket. Loaded when the first origin has chosen `h2`.
 * Source: RFC 9113 §5.1.2 (streams at a time), §6.8 (GOAWAY), §8.7 (what was not processed).
 */
import { connect, type ClientHttp2Session, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import type { BodyPiece } from '../http/message.ts';
import { joinWhatWasRead } from '../http2/before.ts';
import { requestHeaders } from '../http2/headers.ts';
import { requestBlock } from '../http2/heads.ts';
import { MAX_HEAD_BYTES } from '../http1/head.ts';
import { MAX_FIELDS } from '../http1/fields.ts';
import type { TlsFacts } from '../tls/facts.ts';
import { Http2OriginStream } from './http2-origin-stream.ts';
import type { AnswerEvents, OriginConnection, OriginStream, OutgoingRequest } from './origin-connection.ts';

export interface Http2OriginOptions {
  readonly key: string;
  /** undefined behind another proxy */
  readonly ipAddress: string | undefined;
  readonly tls: TlsFacts | undefined;
  /** of a stream, and of a session that nobody uses; 0 is none */
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
const SESSION_WINDOW = 16 * STREAM_WINDOW;
/** MB, of which heads are most. */
const MAX_SESSION_MEMORY = 64;

export class Http2Origin implements OriginConnection {
  readonly key: string;
  readonly ipAddress: string | undefined;
  readonly tls: TlsFacts | undefined;
  /** resolves when the origin has said how many streams it takes, or is gone */
  readonly settled: Promise<void>;
  readonly #session: ClientHttp2Session;
  readonly #options: Http2OriginOptions;
  readonly #streams = new Set<Http2OriginStream>();
  #capacity = 1;
  #reserved = 0;
  /** some stream has come to its end, so that the origin may go at any time */
  #used = false;
  #onUnusable: (() => void) | undefined;
  #lastStream: number | undefined;
  #error: Error | undefined;

  constructor(socket: Socket, options: Http2OriginOptions) {
    this.key = options.key;
    this.ipAddress = options.ipAddress;
    this.tls = options.tls;
    this.#options = options;
    joinWhatWasRead(socket);
    // The authority is said anew with each request.
    const session = (this.#session = connect('https://origin', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW, maxHeaderListSize: MAX_HEAD_BYTES },
      maxHeaderListPairs: MAX_FIELDS,
      maxSendHeaderBlockLength: MAX_HEAD_BYTES,
      maxSessionMemory: MAX_SESSION_MEMORY,
    }));
    session.setLocalWindowSize(SESSION_WINDOW);
    session.setTimeout(options.idleMs, () => this.#streams.size === 0 && this.destroy());
    this.settled = new Promise((resolve) => {
      session.once('remoteSettings', () => resolve());
      session.once('close', () => resolve());
    });
    session.on('remoteSettings', ({ maxConcurrentStreams = Infinity }: Settings) => {
      this.#capacity = Math.min(maxConcurrentStreams, MAX_STREAMS);
    });
    session.on('goaway', (_code: number, lastStream: number) => {
      this.#lastStream = lastStream;
      this.#over();
    });
    session.on('error', (error: Error) => (this.#error = error));
    session.on('close', () => this.#over());
  }

  get capacity(): number {
    return this.#capacity;
  }

  get busy(): boolean {
    return this.#streams.size + this.#reserved >= this.#capacity;
  }

  get usable(): boolean {
    return !this.#session.closed && !this.#session.destroyed && this.#lastStream === undefined;
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
    const { headers, recorded } = requestHeaders(request);
    const { idleMs, onFault } = this.#options;
    const stream = new Http2OriginStream(
      {
        request: () => this.#session.request(headers, { endStream: !request.hasBody }),
        isUnseen: (id, code) => this.#isUnseen(id, code),
        // As with HTTP/1: what has been used before may have been closed while the request was on its way.
        mayBeUnanswered: this.#used,
        sessionError: () => this.#error,
        left: () => {
          this.#used = true;
          this.#streams.delete(stream);
        },
        onHttp1Wanted: this.#options.onHttp1Wanted,
        idleMs,
        onFault,
      },
      { method: request.method, sentHead: requestBlock(request.method, request.target.path, recorded) },
      events,
    );
    this.#streams.add(stream);
    stream.begin(body);
    return stream;
  }

  park(onUnusable: () => void): void {
    this.#onUnusable = onUnusable;
  }

  destroy(): void {
    if (this.#streams.size > 0) this.#session.close();
    else this.#session.destroy();
    this.#over();
  }

  /** By the last stream that GOAWAY says it has looked at. */
  #isUnseen(id: number | undefined, refused: boolean): boolean {
    return refused || (this.#lastStream !== undefined && (id === undefined || id > this.#lastStream));
  }

  #over(): void {
    const onUnusable = this.#onUnusable;
    this.#onUnusable = undefined;
    onUnusable?.();
  }
}
