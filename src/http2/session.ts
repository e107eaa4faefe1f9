/**
 * A connection of HTTP/2, as a client or as a server: its streams, its windows, and how it ends.
 *
 * Source: RFC 9113 §3.4 (beginning), §5.1 (streams), §5.4 (errors), §6.8 (GOAWAY).
 */
import type { Socket } from 'node:net';
import {
  CODE,
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  frameHead,
  Http2Error,
  MAX_WINDOW,
  numbersFrame,
  PREFACE,
} from './frames.ts';
import { Incoming, type IncomingEvents } from './incoming.ts';
import { Outgoing } from './outgoing.ts';
import { PastStreams, type Ending } from './past-streams.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { SessionEvents, SessionOptions } from './session-events.ts';
import { DEFAULT_SETTINGS, settingsFrame, type Settings } from './settings.ts';
import { SessionStream } from './stream.ts';
import type { StreamConnection, StreamEvents } from './stream-events.ts';
import { bodyOfAnswer, checkedRequest, checkedTrailers, MALFORMED, withoutInvalid } from './validity.ts';

/** So long is a peer that is told to go given to read that. */
const LINGER_MS = 1000;
const ACK = frameHead(0, FRAME.settings, FLAG.ack, 0);

export class Http2Session implements StreamConnection, IncomingEvents {
  readonly answers: boolean;
  readonly #socket: Socket;
  readonly #events: SessionEvents;
  readonly #options: SessionOptions;
  readonly #in: Incoming;
  readonly #out: Outgoing;
  readonly #streams = new Map<number, SessionStream>();
  readonly #past = new PastStreams();
  readonly #window: ReceiveWindow;
  /** of those that clients open */
  #lastStream = 0;
  #settings = DEFAULT_SETTINGS;
  #settled = false;
  /** nothing new begins */
  #leaving = false;
  #goneAway = false;
  #over = false;
  #error: Error | undefined;

  /** Takes the socket over, with what it has read already. */
  constructor(socket: Socket, role: 'client' | 'server', options: SessionOptions, events: SessionEvents) {
    this.answers = role === 'server';
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    const { settings, sessionWindow, maxListSize, maxFields } = options;
    const maxFrameSize = Math.max(settings.maxFrameSize ?? 0, DEFAULT_FRAME_SIZE);
    const maxTableSize = settings.headerTableSize ?? DEFAULT_SETTINGS.headerTableSize;
    this.#in = new Incoming({ ofClient: this.answers, maxFrameSize, maxListSize, maxFields, maxTableSize }, this);
    this.#window = new ReceiveWindow(sessionWindow);
    this.#out = new Outgoing(socket);
    if (!this.answers) this.#out.frame(PREFACE);
    this.#out.frame(settingsFrame(settings));
    if (sessionWindow > DEFAULT_WINDOW) this.#out.frame(numbersFrame(FRAME.window, 0, sessionWindow - DEFAULT_WINDOW));
    socket.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    socket.on('end', () => this.#onLost());
    socket.on('error', (error: Error) => (this.#error ??= error));
    socket.on('close', () => this.#onLost());
  }

  /** What the other side has said, defaults for the rest. */
  get remoteSettings(): Required<Settings> {
    return this.#settings;
  }

  /** Bytes of all streams that the other side takes unasked. */
  get remoteWindow(): number {
    return this.#out.window;
  }

  /** Nothing new can begin. */
  get closed(): boolean {
    return this.#leaving || this.#over || this.#goneAway;
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
  request(list: readonly string[], ended: boolean, events: StreamEvents): SessionStream {
    const id = this.#lastStream === 0 ? 1 : this.#lastStream + 2;
    if (this.closed || id > MAX_WINDOW) throw new Error('the session takes no more streams');
    this.#lastStream = id;
    const stream = this.#open(id, false);
    stream.bodiless = list[list.indexOf(':method') + 1] === 'HEAD';
    stream.tell(events);
    stream.headers(list, ended);
    return stream;
  }

  /** Nothing new begins; the connection ends with its last stream. */
  close(): void {
    if (this.#leaving || this.#over) return;
    this.#leaving = true;
    this.#out.frame(this.#goaway(CODE.none));
    this.#endIfEmpty();
  }

  /** End it at once, for this reason. */
  destroy(code: number = CODE.none): void {
    if (this.#over) return;
    this.#out.frame(this.#goaway(code));
    this.#end();
  }

  onHeaders(id: number, list: string[] | undefined, ended: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.answers && !this.#past.has(id) ? this.#onNew(id, list, ended) : this.#onPastHead(id);
    if (stream.remoteEnded) this.#fail(stream, CODE.streamClosed);
    else if (list === undefined) this.#fail(stream, CODE.calm);
    else if (!stream.headed) this.#onAnswer(stream, withoutInvalid(list), ended);
    else this.#failBy(stream, ended && checkedTrailers(list) !== undefined ? stream.trailed(list) : MALFORMED);
  }

  onData(id: number, piece: Buffer, counted: number, ended: boolean): void {
    const frame = this.#window.take(counted);
    if (frame !== undefined) this.#out.frame(frame);
    const stream = this.#streams.get(id);
    if (stream === undefined) this.#onPast(id);
    else this.#failBy(stream, stream.headed ? stream.received(piece, counted, ended) : MALFORMED);
  }

  onReset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#checkBegun(id, 'RST_STREAM');
    this.#past.add(id, 'theirs');
    this.#lose(stream, code);
    this.#events.onReset?.();
  }

  onSettings(settings: Settings): void {
    const before = this.#settings.initialWindowSize;
    this.#settings = { ...this.#settings, ...settings };
    const { initialWindowSize, headerTableSize, maxFrameSize } = this.#settings;
    this.#out.limitTable(headerTableSize);
    this.#out.maxFrameSize = maxFrameSize;
    this.#out.answer(ACK);
    if (initialWindowSize !== before) for (const stream of this.#streams.values()) this.#widen(stream, initialWindowSize - before, true);
    this.#events.onSettings?.();
  }

  onSettingsTaken(): void {
    this.#settled = true;
  }

  onPing(payload: Buffer): void {
    this.#out.answer(Buffer.concat([frameHead(payload.length, FRAME.ping, FLAG.ack, 0), payload]));
  }

  onGoaway(lastStream: number): void {
    this.#goneAway = true;
    this.#events.onGoaway?.(lastStream);
    if (!this.answers) for (const [id, stream] of this.#streams) if (id > lastStream) this.#lose(stream, CODE.refused);
    this.#endIfEmpty();
  }

  onWindow(id: number, more: number): void {
    if (id === 0) return this.#out.widen(more);
    const stream = this.#streams.get(id);
    if (stream === undefined) this.#checkBegun(id, 'WINDOW_UPDATE');
    else this.#widen(stream, more, false);
  }

  onStreamError(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) throw new Http2Error(code, `a wrong frame of stream ${id}`);
    this.#fail(stream, code);
  }

  ready(stream: SessionStream): void {
    this.#out.ready(stream);
  }

  headers(stream: SessionStream, list: readonly string[], ended: boolean): void {
    this.#out.headers(stream.id, list, ended);
  }

  reset(stream: SessionStream, code: number): void {
    if (!this.#streams.has(stream.id)) return;
    this.#out.frame(numbersFrame(FRAME.reset, stream.id, code));
    this.#forget(stream, 'ours');
  }

  widen(stream: SessionStream, more: number): void {
    if (this.#streams.has(stream.id)) this.#out.frame(numbersFrame(FRAME.window, stream.id, more));
  }

  over(stream: SessionStream): void {
    this.#forget(stream, 'whole');
  }

  #open(id: number, paused: boolean): SessionStream {
    const window = this.#options.settings.initialWindowSize ?? DEFAULT_WINDOW;
    const stream = new SessionStream(this, id, window, this.#settings.initialWindowSize, paused);
    this.#streams.set(id, stream);
    return stream;
  }

  /** A stream that a client has opened. */
  #onNew(id: number, list: readonly string[] | undefined, ended: boolean): void {
    if (id % 2 === 0 || id <= this.#lastStream) throw new Http2Error(CODE.protocol, `stream ${id} cannot begin`);
    if (this.#goneAway || this.#leaving) return this.#refuse(id, CODE.refused);
    this.#lastStream = id;
    if (this.#streams.size >= (this.#options.settings.maxConcurrentStreams ?? Infinity)) {
      // Before it has taken that, it cannot know.
      if (this.#settled) throw new Http2Error(CODE.protocol, 'more streams than there may be');
      return this.#refuse(id, CODE.refused);
    }
    const checked = list === undefined ? { length: undefined } : checkedRequest(list);
    if (checked === undefined || (ended && (checked.length ?? 0) > 0)) return this.#refuse(id, MALFORMED);
    const stream = this.#open(id, true);
    stream.headed = true;
    stream.expected = checked.length;
    if (ended) stream.endedByHead();
    this.#events.onRequest?.(stream, list, ended);
  }

  #refuse(id: number, code: number): void {
    this.#out.answer(numbersFrame(FRAME.reset, id, code));
    this.#past.add(id, 'ours');
    this.#events.onReset?.();
  }

  #onAnswer(stream: SessionStream, list: readonly string[], ended: boolean): void {
    const body = bodyOfAnswer(list, stream.bodiless, ended);
    if (body === undefined) return this.#fail(stream, MALFORMED);
    stream.headed = body.status >= 200;
    if (stream.headed) stream.expected = body.length;
    stream.head(list, ended);
  }

  #onPastHead(id: number): void {
    if (this.#past.endingOf(id) === 'whole') throw new Http2Error(CODE.streamClosed, `a head of stream ${id}, which has ended`);
    this.#onPast(id);
  }

  /** Something of a stream that is over. What we have reset may have been on its way. */
  #onPast(id: number): void {
    this.#checkBegun(id, 'a frame');
    if (this.#past.endingOf(id) !== 'ours') this.#out.answer(numbersFrame(FRAME.reset, id, CODE.streamClosed));
  }

  #checkBegun(id: number, what: string): void {
    if (id % 2 === 0 || id > this.#lastStream) throw new Http2Error(CODE.protocol, `${what} of stream ${id}, which has not begun`);
  }

  #failBy(stream: SessionStream, code: number | undefined): void {
    if (code !== undefined) this.#fail(stream, code);
  }

  /** An error of this stream alone, by what the other side did. */
  #fail(stream: SessionStream, code: number): void {
    this.#out.answer(numbersFrame(FRAME.reset, stream.id, code));
    this.#past.add(stream.id, 'ours');
    this.#lose(stream, code);
    this.#events.onReset?.();
  }

  /** Answers are told as far as they have come; who asks no more is not waited for. */
  #lose(stream: SessionStream, code: number | undefined): void {
    stream.lost(code, !this.answers);
  }

  #widen(stream: SessionStream, more: number, ofAll: boolean): void {
    stream.sendWindow += more;
    if (stream.sendWindow > MAX_WINDOW) {
      if (ofAll) throw new Http2Error(CODE.flowControl, 'a window past its end');
      return this.#fail(stream, CODE.flowControl);
    }
    if (stream.queued > 0 && stream.sendWindow > 0) this.#out.ready(stream);
  }

  #forget(stream: SessionStream, ending: Ending): void {
    if (!this.#streams.delete(stream.id)) return;
    if (!this.#past.has(stream.id)) this.#past.add(stream.id, ending);
    this.#endIfEmpty();
  }

  #goaway(code: number): Buffer {
    return numbersFrame(FRAME.goaway, 0, this.answers ? this.#lastStream : 0, code);
  }

  #onBytes(bytes: Buffer): void {
    if (this.#over) return;
    try {
      this.#in.push(bytes);
    } catch (error) {
      if (!(error instanceof Http2Error)) this.#events.onFault(error);
      this.#error ??= error instanceof Error ? error : undefined;
      this.destroy(error instanceof Http2Error ? error.code : CODE.internal);
    }
  }

  #endIfEmpty(): void {
    if ((this.#leaving || this.#goneAway) && this.#streams.size === 0) this.#end();
  }

  /** What is written goes out, nothing more is read. */
  #end(): void {
    if (this.#over) return;
    this.#out.end();
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
    this.#socket.once('close', () => clearTimeout(timer));
    this.#onLost();
  }

  #onLost(): void {
    if (this.#over) return;
    this.#over = true;
    this.#in.stop();
    this.#out.end();
    for (const stream of this.#streams.values()) this.#lose(stream, undefined);
    this.#streams.clear();
    if (!this.#socket.writableEnded) this.#socket.destroySoon();
    this.#events.onClosed();
  }
}
