/**
 * What comes over a connection of HTTP/2, and what that means for its streams.
 *
 * Source: RFC 9113 §5.1 (streams), §5.4 (errors), §6 (frames).
 */
import type { FieldList } from './field-list.ts';
import { CODE, DEFAULT_WINDOW, FLAG, FRAME, frameHead, Http2Error, MAX_WINDOW, numbersFrame } from './frames.ts';
import type { IncomingEvents } from './incoming.ts';
import type { Outgoing } from './outgoing.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { SessionEvents, SessionOptions } from './session-events.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';
import { SessionStream } from './stream.ts';
import type { StreamConnection } from './stream-events.ts';
import { Streams } from './streams.ts';
import { bodyOfAnswer, checkedRequest, checkedTrailers, MALFORMED, withoutInvalid } from './validity.ts';

const ACK = frameHead(0, FRAME.settings, FLAG.ack, 0);

/** What the streams of a session share, while it receives. */
export interface Receiving extends StreamConnection {
  /** nothing new begins, by our will */
  readonly leaving: boolean;
  readonly out: Outgoing;
  /** some stream is over */
  endIfEmpty(): void;
}

export class Received implements IncomingEvents {
  readonly streams = new Streams();
  /** the last stream that was not refused for leaving */
  lastTaken = 0;
  /** nothing new begins, by the other side's will */
  goneAway = false;
  readonly #session: Receiving;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #window: ReceiveWindow;
  #settings = DEFAULT_SETTINGS;
  /** in the order in which they were first said */
  #said: Settings = {};
  #settled = false;

  constructor(session: Receiving, options: SessionOptions, events: SessionEvents) {
    this.#session = session;
    this.#options = options;
    this.#events = events;
    this.#window = new ReceiveWindow(options.sessionWindow);
  }

  /** What the other side has said, defaults for the rest. */
  get settings(): Required<Settings> {
    return this.#settings;
  }

  /** Only that, in the order in which it was first said. */
  get said(): Settings {
    return this.#said;
  }

  onHeaders(id: number, list: FieldList | undefined, ended: boolean): void {
    const stream = this.streams.get(id);
    if (stream === undefined)
      return this.streams.endingOf(id) === undefined && this.#session.answers ? this.#onNew(id, list, ended) : this.#onPastHead(id);
    if (stream.remoteEnded) this.#fail(stream, CODE.streamClosed);
    else if (list === undefined) this.#fail(stream, CODE.calm);
    else if (!stream.headed) this.#onAnswer(stream, withoutInvalid(list), ended);
    else this.#failBy(stream, ended ? this.#onTrailers(stream, this.#session.answers ? list : withoutInvalid(list)) : MALFORMED);
  }

  onData(id: number, piece: Buffer, counted: number, ended: boolean): void {
    const frame = this.#window.take(counted);
    if (frame !== undefined) this.#session.out.frame(frame);
    const stream = this.streams.get(id);
    if (stream === undefined) this.#onPast(id);
    else this.#failBy(stream, stream.headed ? stream.received(piece, counted, ended) : MALFORMED);
  }

  onReset(id: number, code: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return this.streams.checkBegun(id, 'RST_STREAM');
    this.streams.ends(id, 'theirs');
    this.lose(stream, code);
    this.#events.onReset?.();
  }

  onSettings(settings: Settings): void {
    // A server that may push has misunderstood who it is (RFC 9113 §6.5.2).
    if (!this.#session.answers && settings.enablePush === true) throw new Http2Error(CODE.protocol, 'a server that wants to be pushed to');
    const before = this.#settings.initialWindowSize;
    this.#said = { ...this.#said, ...settings };
    this.#settings = { ...this.#settings, ...settings };
    const { initialWindowSize, headerTableSize, maxFrameSize } = this.#settings;
    this.#session.out.limitTable(headerTableSize);
    this.#session.out.maxFrameSize = maxFrameSize;
    this.#session.out.answer(ACK);
    if (initialWindowSize !== before) for (const stream of this.streams.values()) this.#widen(stream, initialWindowSize - before, true);
    this.#events.onSettings?.();
  }

  onSettingsTaken(): void {
    this.#settled = true;
  }

  onPing(payload: Buffer): void {
    this.#session.out.answer(Buffer.concat([frameHead(payload.length, FRAME.ping, FLAG.ack, 0), payload]));
  }

  onGoaway(lastStream: number): void {
    this.goneAway = true;
    this.#events.onGoaway?.(lastStream);
    if (!this.#session.answers) for (const stream of this.streams.values()) if (stream.id > lastStream) this.lose(stream, CODE.refused);
    this.#session.endIfEmpty();
  }

  onWindow(id: number, more: number): void {
    if (id === 0) return this.#session.out.widen(more);
    const stream = this.streams.get(id);
    if (stream === undefined) this.streams.checkBegun(id, 'WINDOW_UPDATE');
    else this.#widen(stream, more, false);
  }

  onStreamError(id: number, code: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Http2Error(code, `a wrong frame of stream ${id}`);
    this.#fail(stream, code);
  }

  open(id: number, paused: boolean): SessionStream {
    const window = this.#options.settings.initialWindowSize ?? DEFAULT_WINDOW;
    const stream = new SessionStream(this.#session, id, window, this.#settings.initialWindowSize, paused);
    this.streams.add(stream);
    return stream;
  }

  /** A stream that a client has opened. */
  #onNew(id: number, list: FieldList | undefined, ended: boolean): void {
    this.streams.begin(id);
    if (this.goneAway || this.#session.leaving) return this.#refuse(id, CODE.refused);
    this.lastTaken = id;
    if (this.streams.size >= (this.#options.settings.maxConcurrentStreams ?? Infinity)) {
      // Before it has taken that, it cannot know.
      if (this.#settled) throw new Http2Error(CODE.protocol, 'more streams than there may be');
      return this.#refuse(id, CODE.refused);
    }
    const checked = list === undefined ? { length: undefined } : checkedRequest(list);
    if (checked === undefined || (ended && (checked.length ?? 0) > 0)) return this.#refuse(id, MALFORMED);
    const stream = this.open(id, true);
    stream.headed = true;
    stream.expected = checked.length;
    if (ended) stream.endedByHead();
    this.#events.onRequest?.(stream, list, ended);
  }

  #refuse(id: number, code: number): void {
    this.#session.out.answer(numbersFrame(FRAME.reset, id, code));
    this.streams.ends(id, 'ours');
    this.#events.onReset?.();
  }

  #onAnswer(stream: SessionStream, list: FieldList, ended: boolean): void {
    const body = bodyOfAnswer(list, stream.bodiless, ended);
    if (body === undefined) return this.#fail(stream, MALFORMED);
    stream.headed = body.status >= 200;
    if (stream.headed) stream.expected = body.length;
    stream.head(list, ended);
  }

  #onTrailers(stream: SessionStream, list: FieldList): number | undefined {
    return checkedTrailers(list) === undefined ? MALFORMED : stream.trailed(list);
  }

  #onPastHead(id: number): void {
    if (this.streams.endingOf(id) === 'whole') throw new Http2Error(CODE.streamClosed, `a head of stream ${id}, which has ended`);
    this.#onPast(id);
  }

  /** Something of a stream that is over. What we have reset may have been on its way. */
  #onPast(id: number): void {
    this.streams.checkBegun(id, 'a frame');
    if (this.streams.endingOf(id) !== 'ours') this.#session.out.answer(numbersFrame(FRAME.reset, id, CODE.streamClosed));
  }

  #failBy(stream: SessionStream, code: number | undefined): void {
    if (code !== undefined) this.#fail(stream, code);
  }

  /** An error of this stream alone, by what the other side did. */
  #fail(stream: SessionStream, code: number): void {
    this.#session.out.answer(numbersFrame(FRAME.reset, stream.id, code));
    this.streams.ends(stream.id, 'ours');
    this.lose(stream, code);
    this.#events.onReset?.();
  }

  /** Answers are told as far as they have come; who asks no more is not waited for. */
  lose(stream: SessionStream, code: number | undefined): void {
    stream.lost(code, !this.#session.answers);
  }

  #widen(stream: SessionStream, more: number, ofAll: boolean): void {
    stream.sendWindow += more;
    if (stream.sendWindow > MAX_WINDOW) {
      if (ofAll) throw new Http2Error(CODE.flowControl, 'a window past its end');
      return this.#fail(stream, CODE.flowControl);
    }
    if (stream.queued > 0 && stream.sendWindow > 0) this.#session.out.ready(stream);
  }
}
