/**
 * A connection to an origin that speaks HTTP/1: one request at a time, so that it is its own stream.
 *
 * Owns the socket. Bytes that come while nobody uses it mean that it cannot be used again.
 * Source: RFC 9112 §9.3 (persistence), §6.3 (a body that lasts as long as the connection).
 */
import type { Socket } from 'node:net';
import { MessageError } from '../http/errors.ts';
import { FetchError } from '../http/fetch-error.ts';
import { fieldOf, Fields } from '../http/fields.ts';
import type { BodyPiece, Framing, ResponseHead } from '../http/message.ts';
import { chunkOf, LAST_CHUNK, lastChunk } from '../http1/chunked.ts';
import { requestBytes } from '../http1/forward.ts';
import { keepsConnection } from '../http1/framing.ts';
import type { HeadMemory } from '../http1/head-memory.ts';
import { ResponseReader, type ResponseEvents } from '../http1/response-reader.ts';
import type { TlsFacts } from '../tls/facts.ts';
import { ifIdle } from '../util/after-reading.ts';
import { reasonOf } from '../util/thrown.ts';
import { byHttpProxy, proxiedHead } from './http-proxy.ts';
import type { AnswerEvents, OriginConnection, OriginStream, OutgoingRequest } from './origin-connection.ts';

const NOTHING = Buffer.alloc(0);

export class Http1Origin implements OriginConnection, OriginStream, ResponseEvents {
  readonly socket: Socket;
  readonly key: string;
  readonly ipAddress: string | undefined;
  readonly tls: TlsFacts | undefined;
  readonly capacity = 1;
  readonly #idleMs: number;
  readonly #heads: HeadMemory | undefined;
  #user: AnswerEvents | undefined;
  #onUnusable: ((connection: OriginConnection) => void) | undefined;
  #paused = false;
  #error: Error | undefined;
  /** an earlier request has used it, so that the origin may close it at any time */
  #reused = false;
  #sentHead: Buffer = NOTHING;
  #reader: ResponseReader | undefined;
  #framing: Framing | undefined;
  /** the body of the request comes in frames of HTTP/2 that do not say how long it is */
  #chunks = false;
  /** more of the request is to come, and not because its client waits for 100 (Continue) */
  #unsaid = false;
  /** its client waits for that */
  #asked = false;
  #minor: 0 | 1 = 1;
  /** as far as client and origin have said, it stays open after the answer */
  #persistent = true;
  readonly #listeners: Readonly<Record<string, (given: Buffer & Error) => void>>;

  /**
   * @param onFault told of what a user throws, which then finds the connection broken
   * @param heads where unfinished heads find room
   * @param tls of the socket, where it is with the origin
   */
  constructor(
    socket: Socket,
    key: string,
    ipAddress: string | undefined,
    idleMs: number,
    onFault: (error: unknown) => void,
    heads?: HeadMemory,
    tls?: TlsFacts,
  ) {
    this.socket = socket;
    this.key = key;
    this.ipAddress = ipAddress;
    this.#idleMs = idleMs;
    this.#heads = heads;
    this.#listeners = {
      data: (bytes: Buffer) => {
        try {
          this.#read(bytes);
        } catch (error) {
          onFault(error);
          socket.destroy(new Error('a fault in warctap, see its log'));
        }
      },
      drain: () => this.#user?.onDrain(),
      end: () => this.#over(),
      error: (error: Error) => {
        this.#error = error;
      },
      close: () => this.#over(),
      timeout: () => ifIdle(socket, () => this.#idle()),
    };
    this.tls = tls;
    socket.setTimeout(idleMs);
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  get usable(): boolean {
    return !this.socket.destroyed && this.socket.readyState === 'open' && this.#persistent;
  }

  get busy(): boolean {
    return this.#user !== undefined;
  }

  get sentHead(): Buffer {
    return this.#sentHead;
  }

  get protocol(): string {
    return this.#minor === 0 ? 'http/1.0' : 'http/1.1';
  }

  get full(): boolean {
    return this.socket.writableNeedDrain;
  }

  request(request: OutgoingRequest, body: readonly BodyPiece[], events: AnswerEvents): OriginStream {
    const open = this.usable;
    this.#user = events;
    this.#onUnusable = undefined;
    this.#reader = new ResponseReader(request.method, this, this.#heads, request.webSocket);
    this.#framing = undefined;
    this.#persistent = request.minor === 1;
    this.#chunks = request.http2 === true && request.hasBody && !request.fields.has('content-length');
    this.#asked = request.hasBody && request.expectsContinue && body.length === 0;
    this.#unsaid = request.hasBody && !this.#asked;
    this.#sentHead = requestBytes(this.#chunks ? { ...request, fields: inChunks(request.fields) } : request);
    const head = byHttpProxy(request) ? proxiedHead(this.#sentHead, request.target, request.upstream) : this.#sentHead;
    if (!open) process.nextTick(() => this.#over());
    if (body.length === 0) {
      this.socket.write(head);
    } else {
      this.socket.cork();
      this.socket.write(head);
      for (const { bytes } of body) this.socket.write(this.framed(bytes));
      this.socket.uncork();
    }
    return this;
  }

  framed(bytes: Buffer): Buffer {
    return this.#chunks ? chunkOf(bytes) : bytes;
  }

  write(framed: Buffer): boolean {
    this.#unsaid = true;
    return this.socket.write(framed);
  }

  endRequest(trailers?: Fields): { readonly bytes: Buffer } | undefined {
    this.#unsaid = false;
    // The bytes themselves say where the body ends, but for those that came in frames.
    if (!this.#chunks) return undefined;
    this.#chunks = false;
    const bytes = trailers === undefined ? LAST_CHUNK : lastChunk(trailers);
    this.socket.write(bytes);
    return { bytes };
  }

  onInterim(head: ResponseHead): void {
    this.#unsaid ||= head.status === 100 && this.#asked;
    this.#asked = false;
    this.#user?.onInterim(head);
  }

  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void {
    this.#framing = framing;
    this.#minor = head.minor;
    this.#persistent &&= framing.kind !== 'close' && keepsConnection(head);
    this.#user?.onHead(head, framing, bytes);
  }

  onBody(piece: Buffer, payload: readonly Buffer[]): void {
    this.#user?.onBody(piece, payload);
  }

  /** The socket is not this connection's any more. */
  onSwitched(head: ResponseHead, bytes: Buffer, rest: Buffer): void {
    const user = this.#user;
    this.#user = undefined;
    this.#persistent = false;
    this.#minor = head.minor;
    this.socket.pause();
    for (const [event, listener] of Object.entries(this.#listeners)) this.socket.removeListener(event, listener);
    user?.onSwitched?.(head, bytes, { socket: this.socket, first: rest });
  }

  onGivenUp(error: MessageError): void {
    this.#loseInvalid(error);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.setTimeout(this.#idleMs);
    this.socket.resume();
  }

  release(): void {
    // What came after the answer, or is still to come of it, would be taken for the next one's.
    this.#persistent &&= this.#reader?.done === true && !this.#reader.excess;
    this.#user = undefined;
    // What it waits with for the next request should be as little as possible.
    this.#reader = undefined;
    this.#sentHead = NOTHING;
    this.resume();
  }

  reset(): void {
    this.resume();
    this.destroy();
  }

  park(onUnusable: (connection: OriginConnection) => void): void {
    this.#user = undefined;
    this.#onUnusable = onUnusable;
    this.#reused = true;
  }

  unwanted(): void {
    this.destroy();
  }

  destroy(): void {
    this.#user = undefined;
    this.#reader?.release();
    this.socket.destroy();
    this.#over();
  }

  #idle(): void {
    // Who has not said all of its request is waited for elsewhere.
    const unsaid = this.#unsaid && !this.full;
    if (this.#user === undefined) this.destroy();
    else if (!this.#paused && !unsaid) this.#lose('no answer from the origin within the idle time-out', 'response-timeout', 'time');
  }

  #read(bytes: Buffer): void {
    const user = this.#user;
    const reader = this.#reader;
    if (user === undefined || reader === undefined) return this.destroy();
    const done = reader.done;
    try {
      reader.read(bytes);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return this.#loseInvalid(error);
    }
    if (!done && this.#user !== undefined) {
      const { trailers } = reader;
      if (trailers !== undefined) user.onTrailers(trailers, true);
      user.onRead(bytes.length, reader.done, reader.exact);
    }
  }

  #loseInvalid(error: MessageError): void {
    this.#lose(`invalid response: ${error.message}`, 'invalid-response', 'unspecified', error);
  }

  /** The origin sends no more, or the connection is closed. */
  #over(): void {
    const user = this.#user;
    const onUnusable = this.#onUnusable;
    const error = this.#error;
    this.#onUnusable = undefined;
    if (user !== undefined) {
      if (this.#framing?.kind === 'close' && error === undefined) {
        this.#user = undefined;
        user.onRead(0, true, true);
      } else if (this.#framing === undefined && this.#reader?.begun === true) {
        this.#lose('connection closed in the middle of the response head', 'invalid-response', 'disconnect', error);
      } else {
        const message = error === undefined ? 'origin closed the connection without an answer' : `no answer: ${reasonOf(error)}`;
        this.#lose(message, 'empty-response', 'disconnect', error);
      }
    }
    onUnusable?.(this);
  }

  #lose(
    message: string,
    code: 'invalid-response' | 'empty-response' | 'response-timeout',
    truncated: Parameters<AnswerEvents['onLost']>[1],
    cause?: unknown,
  ): void {
    const user = this.#user;
    this.#user = undefined;
    this.#reader?.release();
    const unanswered = code === 'empty-response' && this.#reused && this.#framing === undefined;
    user?.onLost(new FetchError(code, message, { cause }), truncated, unanswered);
  }
}

function inChunks({ list }: Fields): Fields {
  return new Fields([...list, fieldOf('transfer-encoding', 'chunked')]);
}
