/**
 * One HTTP/2 connection of a client, inside of a tunnel: each of its streams is a request, handed to a `Handler` as it comes.
 *
 * Loaded when the first client has chosen `h2`. Frames, fields and windows are those of `Http2Session`.
 * Source: RFC 9113 §5.1.2, §6.8, §10.5 (denial of service).
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ClientTunnel } from '../http/sides.ts';
import { MessageError } from '../http/errors.ts';
import { boundedTarget } from '../http/target.ts';
import { MAX_FIELDS } from '../http1/fields.ts';
import { MAX_HEAD_BYTES } from '../http1/head.ts';
import { FIELD_BYTES, NO_CEILING, type HeadMemory } from '../http1/head-memory.ts';
import { CODE, DEFAULT_WINDOW } from '../http2/frames.ts';
import { requestOf } from '../http2/heads.ts';
import type { FieldList } from '../http2/field-list.ts';
import { mannerOf } from '../http2/manner.ts';
import { Http2Session } from '../http2/session.ts';
import type { SessionStream } from '../http2/stream.ts';
import { Flood } from './http2-flood.ts';
import { Http2Stream, type StreamClient, type StreamServices } from './http2-stream.ts';
import { Linked } from '../util/linked.ts';
import { Taking } from './taking.ts';

export interface Http2Services extends StreamServices {
  /** at a time, of one connection */
  readonly maxStreams: number;
  /** where heads find room */
  readonly heads?: HeadMemory;
}

/** Of a head before any compression; one that is not complete counts nowhere. */
const HEADER_LIST_BYTES = 256 * 1024;

export class Http2Connection {
  readonly #session: Http2Session;
  readonly #socket: Socket;
  readonly #services: Http2Services;
  readonly #memory: HeadMemory;
  #client: StreamClient;
  readonly #streams = new Linked<Http2Stream>();
  readonly #flood: Flood;
  /** bytes both ways, and when they were last seen to be more */
  #passed = 0;
  #passedMs = performance.now();
  #taking: Taking | undefined;
  /** it is to be imitated, and has asked for nothing yet */
  #unheard: boolean;

  constructor(socket: Socket, services: Http2Services, tunnel: ClientTunnel) {
    this.#socket = socket;
    this.#services = services;
    this.#memory = services.heads ?? NO_CEILING;
    this.#flood = new Flood(socket);
    this.#client = {
      address: socket.remoteAddress,
      port: socket.remotePort,
      tunnel,
      received: (bytes) => this.#flood.expected(bytes),
      left: (stream) => this.#onLeft(stream),
    };
    this.#unheard = tunnel.imitation !== undefined;
    const settings = { maxConcurrentStreams: services.maxStreams, maxHeaderListSize: HEADER_LIST_BYTES, enablePush: false };
    const sizes = { sessionWindow: DEFAULT_WINDOW, maxListSize: HEADER_LIST_BYTES, maxFields: MAX_FIELDS };
    this.#session = new Http2Session(
      socket,
      'server',
      { settings, ...sizes },
      {
        onRequest: (stream, list, ended) => this.#onRequest(stream, list, ended),
        onReset: () => {
          if (this.#flood.reset()) this.#endFlood();
        },
        onClosed: () => {
          const reason = this.#session.error?.message;
          if (reason !== undefined) services.log.debug({ reason }, 'client connection broke');
        },
        onFault: (error) => services.log.error({ err: error }, 'a fault in warctap: a client of HTTP/2 was disconnected'),
      },
    );
  }

  /** The program stops: no more streams are taken, what is being answered goes on. */
  shutDown(): void {
    this.#session.close();
  }

  /** To be called about once a second. @param crowded others wait for their turn */
  look(crowded: boolean): void {
    if (this.#session.destroyed) return;
    if (this.#isIdle()) this.#onIdle();
    for (const stream of this.#streams) stream.look(crowded);
    if (this.#flood.look()) this.#endFlood();
    else if (this.#takesTooLittle(crowded)) this.#end('a client takes its answers too slowly: its connection was closed');
  }

  /** What waits goes by the connection as a whole: what the system has taken of one stream cannot be told. */
  #takesTooLittle(crowded: boolean): boolean {
    if (!this.#waits()) this.#taking = undefined;
    else this.#taking ??= new Taking(this.#socket, this.#services.minRate);
    return this.#taking?.tooSlow(crowded) === true;
  }

  /** Something waits for the client. */
  #waits(): boolean {
    return this.#socket.writableLength > 0 || [...this.#streams].some((stream) => stream.waitingBytes > 0);
  }

  #endFlood(): void {
    this.#end('a client of HTTP/2 floods its connection: it was closed');
  }

  #end(line: string): void {
    if (this.#session.destroyed) return;
    this.#services.log.info({ client: this.#client.address }, line);
    this.#session.destroy(CODE.calm);
  }

  #onRequest(stream: SessionStream, list: FieldList | undefined, ended: boolean): void {
    if (this.#unheard && list !== undefined) this.#hear(list);
    const side = new Http2Stream(stream, this.#services, this.#client, !ended);
    stream.tell(side);
    side.place = this.#streams.add(side);
    try {
      if (list === undefined) throw new MessageError('too-large', `head of a request larger than ${HEADER_LIST_BYTES} bytes`);
      const { head, framing, bytes } = requestOf(list, !ended);
      this.#flood.expected(bytes);
      boundedTarget(head.target);
      const size = bytes + FIELD_BYTES * head.fields.list.length;
      this.#memory.take(size);
      side.headBytes = size;
      side.begin(head, framing);
    } catch (error) {
      side.refuse(error);
    }
  }

  #onLeft(stream: Http2Stream): void {
    const { place } = stream;
    if (place?.item === undefined) return;
    this.#memory.give(stream.headBytes);
    this.#streams.remove(place);
  }

  /** Note how the client has begun. @param first its first request */
  #hear(first: FieldList): void {
    this.#unheard = false;
    const { tunnel } = this.#client;
    if (tunnel.imitation === undefined) return;
    const { saidSettings, remoteWindow } = this.#session;
    const http2 = mannerOf(saidSettings, remoteWindow, first, MAX_HEAD_BYTES);
    this.#client = { ...this.#client, tunnel: { ...tunnel, imitation: { ...tunnel.imitation, http2 } } };
  }

  /** By its bytes: a timer of the session is set again with each frame. */
  #isIdle(): boolean {
    const { bytesRead, bytesWritten } = this.#socket;
    const nowMs = performance.now();
    const passed = bytesRead + bytesWritten;
    if (passed !== this.#passed) {
      this.#passed = passed;
      this.#passedMs = nowMs;
    }
    return nowMs - this.#passedMs >= this.#services.socketTimeoutMs;
  }

  /** Nothing has come or gone for a while. What waits for its turn or for its origin is not the client's fault. */
  #onIdle(): void {
    const streams = [...this.#streams];
    if (streams.length === 0) this.#session.close();
    else if (this.#waits()) this.#session.destroy();
    else for (const stream of streams) if (!stream.waitsForUs) stream.stalled();
  }
}
