/**
 * A connection of HTTP/2, as a client or as a server: its streams, its windows, and how it ends.
 *
 * Source: RFC 9113 §3.4 (beginning), §5.1 (streams), §5.4 (errors), §6.8 (GOAWAY).
 */
import type { FieldList } from './field-list.ts';
import type { Socket } from 'node:net';
import { CODE, DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, FRAME, Http2Error, MAX_WINDOW, numbersFrame, PREFACE } from './frames.ts';
import { Incoming } from './incoming.ts';
import { Outgoing } from './outgoing.ts';
import type { Ending } from './past-streams.ts';
import { Received, type Receiving } from './received.ts';
import type { SessionEvents, SessionOptions } from './session-events.ts';
import { DEFAULT_SETTINGS, settingsFrame, type Settings } from './settings.ts';
import type { SessionStream } from './stream.ts';
import type { StreamEvents } from './stream-events.ts';

/** So long is a peer that is told to go given to read that. */
const LINGER_MS = 1000;
/** And so long one that has an answer to read yet. */
const MAX_LINGER_MS = 30_000;
/** So much may wait for a peer that goes on asking. Bodies wait elsewhere, heads do not. */
const MAX_UNREAD = 8 * 1024 * 1024;

export class Http2Session implements Receiving {
  readonly answers: boolean;
  readonly out: Outgoing;
  readonly #socket: Socket;
  readonly #events: SessionEvents;
  readonly #in: Incoming;
  readonly #received: Received;
  #leaving = false;
  #over = false;
  #error: Error | undefined;

  /** Takes the socket over, with what it has read already. */
  constructor(socket: Socket, role: 'client' | 'server', options: SessionOptions, events: SessionEvents) {
    this.answers = role === 'server';
    this.#socket = socket;
    this.#events = events;
    this.out = new Outgoing(socket);
    this.#received = new Received(this, options, events);
    const { settings, sessionWindow, maxListSize, maxFields } = options;
    const maxFrameSize = Math.max(settings.maxFrameSize ?? 0, DEFAULT_FRAME_SIZE);
    const maxTableSize = settings.headerTableSize ?? DEFAULT_SETTINGS.headerTableSize;
    this.#in = new Incoming({ ofClient: this.answers, maxFrameSize, maxListSize, maxFields, maxTableSize }, this.#received);
    if (!this.answers) this.out.frame(PREFACE);
    this.out.frame(settingsFrame(settings));
    if (sessionWindow > DEFAULT_WINDOW) this.out.frame(numbersFrame(FRAME.window, 0, sessionWindow - DEFAULT_WINDOW));
    socket.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    socket.on('end', () => this.#onLost());
    socket.on('error', (error: Error) => (this.#error ??= error));
    socket.on('close', () => this.#onLost());
  }

  /** What the other side has said, defaults for the rest. */
  get remoteSettings(): Required<Settings> {
    return this.#received.settings;
  }

  /** Only that, in the order in which it was first said. */
  get saidSettings(): Settings {
    return this.#received.said;
  }

  /** Bytes of all streams that the other side takes unasked. */
  get remoteWindow(): number {
    return this.out.window;
  }

  /** Nothing new can begin. */
  get closed(): boolean {
    return this.#leaving || this.#over || this.#received.goneAway || (!this.answers && this.#received.streams.last >= MAX_WINDOW);
  }

  /** Nothing new begins, by our will. */
  get leaving(): boolean {
    return this.#leaving;
  }

  get destroyed(): boolean {
    return this.#over;
  }

  /** What ended it before its time. */
  get error(): Error | undefined {
    return this.#error;
  }

  /**
   * A client's request.
   *
   * @param list names and values by turns, `:method` first or not
   * @throws Error when nothing new can begin
   */
  request(list: FieldList, ended: boolean, events: StreamEvents): SessionStream {
    const id = this.#received.streams.last === 0 ? 1 : this.#received.streams.last + 2;
    if (this.closed) throw new Error('the session takes no more streams');
    this.#received.streams.begin(id);
    const stream = this.#received.open(id, false);
    stream.bodiless = list[list.indexOf(':method') + 1] === 'HEAD';
    stream.tell(events);
    stream.headers(list, ended);
    return stream;
  }

  /** Nothing new begins; the connection ends with its last stream. */
  close(): void {
    if (this.#leaving || this.#over) return;
    this.#leaving = true;
    this.out.frame(this.#goaway(CODE.none));
    this.endIfEmpty();
  }

  /** End it at once, for this reason. */
  destroy(code: number = CODE.none): void {
    if (this.#over) return;
    this.out.frame(this.#goaway(code));
    this.#end(LINGER_MS);
  }

  ready(stream: SessionStream): void {
    this.out.ready(stream);
  }

  headers(stream: SessionStream, list: FieldList, ended: boolean): void {
    this.out.headers(stream.id, list, ended);
  }

  reset(stream: SessionStream, code: number): void {
    if (!this.#received.streams.has(stream.id)) return;
    this.out.frame(numbersFrame(FRAME.reset, stream.id, code));
    this.#forget(stream, 'ours');
  }

  widen(stream: SessionStream, more: number): void {
    if (this.#received.streams.has(stream.id)) this.out.frame(numbersFrame(FRAME.window, stream.id, more));
  }

  over(stream: SessionStream): void {
    this.#forget(stream, 'whole');
  }

  #forget(stream: SessionStream, ending: Ending): void {
    if (this.#received.streams.forget(stream.id, ending)) this.endIfEmpty();
  }

  #goaway(code: number): Buffer {
    return numbersFrame(FRAME.goaway, 0, this.#received.lastTaken, code);
  }

  #onBytes(bytes: Buffer): void {
    if (this.#over) return;
    try {
      if (this.#socket.writableLength > MAX_UNREAD) throw new Http2Error(CODE.calm, 'answers that nobody takes');
      this.#in.push(bytes);
    } catch (error) {
      if (!(error instanceof Http2Error)) this.#events.onFault(error);
      this.#error ??= error instanceof Error ? error : undefined;
      this.destroy(error instanceof Http2Error ? error.code : CODE.internal);
    }
  }

  endIfEmpty(): void {
    if ((this.#leaving || this.#received.goneAway) && this.#received.streams.size === 0) this.#end(MAX_LINGER_MS);
  }

  /** What is written goes out, for so long at most, and nothing more is read. */
  #end(mostMs: number): void {
    if (this.#over) return;
    this.out.end();
    const socket = this.#socket;
    const destroyIn = (ms: number): void => {
      const timer = setTimeout(() => socket.destroy(), ms).unref();
      socket.once('close', () => clearTimeout(timer));
    };
    socket.end(() => destroyIn(LINGER_MS));
    destroyIn(mostMs);
    this.#onLost();
  }

  #onLost(): void {
    if (this.#over) return;
    this.#over = true;
    this.#in.stop();
    this.out.end();
    for (const stream of this.#received.streams.values()) this.#received.lose(stream, undefined);
    this.#received.streams.clear();
    if (!this.#socket.writableEnded) this.#socket.destroySoon();
    this.#events.onClosed();
  }
}
