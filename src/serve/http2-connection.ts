/**
 * One HTTP/2 connection of a client, inside of a tunnel: each of its streams is a request, handed to a `Handler` as it comes.
 *
 * Loaded when the first client has chosen `h2`. Framing, HPACK, flow control and most of what may not be said are nghttp2's.
 * Source: RFC 9113 §5.1.2, §6.8, §10.5 (denial of service).
 */
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ClientTunnel } from '../http/sides.ts';
import { boundedTarget } from '../http/target.ts';
import { MAX_FIELDS } from '../http1/fields.ts';
import { MAX_HEAD_BYTES } from '../http1/head.ts';
import { FIELD_BYTES, NO_CEILING, type HeadMemory } from '../http1/head-memory.ts';
import { joinWhatWasRead } from '../http2/before.ts';
import { requestOf, type FieldList } from '../http2/heads.ts';
import { mannerOf } from '../http2/manner.ts';
import { Flood } from './http2-flood.ts';
import { Http2Stream, type StreamClient, type StreamServices } from './http2-stream.ts';
import { Taking } from './taking.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM } = constants;

export interface Http2Services extends StreamServices {
  /** at a time, of one connection */
  readonly maxStreams: number;
  /** where heads find room */
  readonly heads?: HeadMemory;
}

/** MB that nghttp2 may keep for one connection: heads, and what waits to be sent. */
const MAX_SESSION_MEMORY = 32;
/** Of a head before any compression; one that is not complete is nghttp2's, and counts nowhere. */
const HEADER_LIST_BYTES = 256 * 1024;

export class Http2Connection {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #services: Http2Services;
  readonly #memory: HeadMemory;
  #client: StreamClient;
  readonly #streams = new Set<Http2Stream>();
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
    };
    this.#unheard = tunnel.imitation !== undefined;
    joinWhatWasRead(socket);
    // Node's own server says so of its sockets; a session waits for it.
    Reflect.set(socket, 'secureConnecting', false);
    const session = (this.#session = performServerHandshake(socket, {
      settings: { maxConcurrentStreams: services.maxStreams, maxHeaderListSize: HEADER_LIST_BYTES, enablePush: false },
      maxHeaderListPairs: MAX_FIELDS,
      maxSendHeaderBlockLength: MAX_HEAD_BYTES,
      maxSessionMemory: MAX_SESSION_MEMORY,
    }));
    session.on('stream', (stream, _fields, flags, list?: FieldList) => this.#onStream(stream, flags, list ?? []));
    session.on('error', (error: Error) => services.log.debug({ reason: error.message }, 'client connection broke'));
  }

  /** The program stops: no more streams are taken, what is being answered goes on. */
  shutDown(): void {
    if (!this.#session.closed) this.#session.close();
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
    if (![...this.#streams].some((stream) => stream.waitingBytes > 0)) this.#taking = undefined;
    else this.#taking ??= new Taking(this.#socket, this.#services.minRate);
    return this.#taking?.tooSlow(crowded) === true;
  }

  #endFlood(): void {
    this.#end('a client of HTTP/2 floods its connection: it was closed');
  }

  #end(line: string): void {
    if (this.#session.destroyed) return;
    this.#services.log.info({ client: this.#client.address }, line);
    this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #onStream(stream: ServerHttp2Stream, flags: number, list: FieldList): void {
    const hasBody = (flags & NGHTTP2_FLAG_END_STREAM) === 0;
    if (this.#unheard) this.#hear(list);
    const side = new Http2Stream(stream, this.#services, this.#client, hasBody);
    this.#streams.add(side);
    let taken = 0;
    stream.on('close', () => {
      side.closed();
      this.#streams.delete(side);
      this.#memory.give(taken);
      if (stream.aborted && stream.rstCode !== 0 && this.#flood.reset()) this.#endFlood();
    });
    try {
      const { head, framing, bytes } = requestOf(list, hasBody);
      this.#flood.expected(bytes);
      boundedTarget(head.target);
      const size = bytes + FIELD_BYTES * head.fields.list.length;
      this.#memory.take(size);
      taken = size;
      side.begin(head, framing);
    } catch (error) {
      side.refuse(error);
    }
  }

  /** Note how the client has begun. @param first its first request */
  #hear(first: FieldList): void {
    this.#unheard = false;
    const { tunnel } = this.#client;
    if (tunnel.imitation === undefined) return;
    const { remoteSettings, state } = this.#session;
    const http2 = mannerOf(remoteSettings, state.remoteWindowSize ?? 0, first, MAX_HEAD_BYTES);
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
    else if (streams.some((stream) => stream.waitingBytes > 0)) this.#session.destroy();
    else for (const stream of streams) if (!stream.waitsForUs) stream.stalled();
  }
}
