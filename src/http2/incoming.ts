/**
 * What comes over a connection of HTTP/2: frames looked at one by one, and what they say told.
 *
 * Source: RFC 9113 §4.3 (field blocks), §6 (each frame's own rules), §10.5 (what a peer must not do without end).
 */
import type { FieldList } from './field-list.ts';
import { CODE, FLAG, FRAME, FrameReader, Http2Error, MAX_WINDOW, PREFACE } from './frames.ts';
import { HpackDecoder, type DecoderOptions } from './hpack-decoder.ts';
import { settingsOf, type Settings } from './settings.ts';

/** What throws an Http2Error ends the connection. */
export interface IncomingEvents {
  /** @param list names and values by turns; undefined when it is longer than may be */
  onHeaders(stream: number, list: FieldList | undefined, ended: boolean): void;
  /** @param counted bytes that count for windows: more than the piece where it was padded */
  onData(stream: number, piece: Buffer, counted: number, ended: boolean): void;
  onReset(stream: number, code: number): void;
  onSettings(settings: Settings): void;
  onSettingsTaken(): void;
  onPing(payload: Buffer): void;
  onGoaway(lastStream: number, code: number): void;
  onWindow(stream: number, more: number): void;
  /** something is wrong with this stream alone */
  onStreamError(stream: number, code: number): void;
}

export interface IncomingOptions extends DecoderOptions {
  /** a client begins by so many bytes of its own */
  readonly ofClient: boolean;
  readonly maxFrameSize: number;
}

/** CONTINUATION frames of one block, and more of them for each so many bytes that they bring. Source: CVE-2024-27316; nghttp2 takes 8. */
const MAX_CONTINUATIONS = 8;
const BYTES_PER_CONTINUATION = 1024;
/** Frames in a row that bring nothing. Source: CVE-2019-9518. */
const MAX_EMPTY = 1000;

interface Block {
  readonly stream: number;
  readonly ended: boolean;
  readonly pieces: Buffer[];
  bytes: number;
}

export class Incoming {
  readonly #events: IncomingEvents;
  readonly #options: IncomingOptions;
  readonly #frames: FrameReader;
  readonly #decoder: HpackDecoder;
  /** bytes of the preface that have come */
  #preface: number;
  #begun = false;
  #block: Block | undefined;
  #empty = 0;

  constructor(options: IncomingOptions, events: IncomingEvents) {
    this.#options = options;
    this.#events = events;
    this.#decoder = new HpackDecoder(options);
    this.#frames = new FrameReader(options.maxFrameSize, this);
    this.#preface = options.ofClient ? 0 : PREFACE.length;
  }

  /** @throws Http2Error that ends the connection */
  push(bytes: Buffer): void {
    if (this.#preface === PREFACE.length) return this.#frames.push(bytes);
    const length = Math.min(PREFACE.length - this.#preface, bytes.length);
    if (!bytes.subarray(0, length).equals(PREFACE.subarray(this.#preface, this.#preface + length))) throw wrong('no preface of HTTP/2');
    this.#preface += length;
    if (length < bytes.length) this.#frames.push(bytes.subarray(length));
  }

  /** Tell nothing more. */
  stop(): void {
    this.#frames.stop();
  }

  onFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (!this.#begun && (type !== FRAME.settings || (flags & FLAG.ack) !== 0)) throw wrong('SETTINGS expected first');
    this.#begun = true;
    if (this.#block !== undefined && (type !== FRAME.continuation || stream !== this.#block.stream)) throw wrong('CONTINUATION expected');
    switch (type) {
      case FRAME.data:
        return this.#onData(flags, stream, payload);
      case FRAME.headers:
        return this.#onHeaders(flags, stream, payload);
      case FRAME.continuation:
        return this.#onContinuation(flags, stream, payload);
      case FRAME.window:
        return this.#onWindow(stream, payload);
      case FRAME.reset:
        check(stream !== 0, payload.length === 4, 'RST_STREAM');
        return this.#events.onReset(stream, payload.readUInt32BE(0));
      case FRAME.settings:
        return this.#onSettings(flags, stream, payload);
      case FRAME.ping:
        check(stream === 0, payload.length === 8, 'PING');
        return (flags & FLAG.ack) === 0 ? this.#events.onPing(payload) : undefined;
      case FRAME.goaway:
        check(stream === 0, payload.length >= 8, 'GOAWAY');
        return this.#events.onGoaway(payload.readUInt32BE(0) & MAX_WINDOW, payload.readUInt32BE(4));
      case FRAME.priority:
        return this.#onPriority(stream, payload);
      case FRAME.push:
        throw wrong('PUSH_PROMISE, which was switched off');
      default:
    }
  }

  #onData(flags: number, stream: number, payload: Buffer): void {
    if (stream === 0) throw wrong('DATA of no stream');
    const piece = (flags & FLAG.padded) === 0 ? payload : unpadded(payload, 0);
    const ended = (flags & FLAG.endStream) !== 0;
    if (piece.length === 0 && !ended) this.#onEmpty();
    else this.#empty = 0;
    this.#events.onData(stream, piece, payload.length, ended);
  }

  #onEmpty(): void {
    if (++this.#empty > MAX_EMPTY) throw new Http2Error(CODE.calm, 'frames without end that bring nothing');
  }

  #onHeaders(flags: number, stream: number, payload: Buffer): void {
    if (stream === 0) throw wrong('HEADERS of no stream');
    const prioritised = (flags & FLAG.priority) !== 0;
    const prefix = prioritised ? 5 : 0;
    const block = (flags & FLAG.padded) === 0 ? payload : unpadded(payload, prefix);
    if (block.length < prefix) throw new Http2Error(CODE.frameSize, 'HEADERS too short for its priority');
    this.#block = { stream, ended: (flags & FLAG.endStream) !== 0, pieces: [block.subarray(prefix)], bytes: block.length - prefix };
    if (prioritised && (block.readUInt32BE(0) & MAX_WINDOW) === stream) throw wrong('a stream that depends on itself');
    if ((flags & FLAG.endHeaders) !== 0) this.#onBlock();
  }

  #onContinuation(flags: number, stream: number, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined) throw wrong(`CONTINUATION of stream ${stream}, which has no HEADERS`);
    block.pieces.push(payload);
    block.bytes += payload.length;
    const tooMany = block.pieces.length > 1 + MAX_CONTINUATIONS + block.bytes / BYTES_PER_CONTINUATION;
    // What is coded is hardly ever larger than what it says.
    if (tooMany || block.bytes > this.#options.maxListSize) throw new Http2Error(CODE.calm, 'CONTINUATION without end');
    if ((flags & FLAG.endHeaders) !== 0) this.#onBlock();
  }

  #onBlock(): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#block = undefined;
    const [first] = block.pieces;
    const bytes = block.pieces.length === 1 && first !== undefined ? first : Buffer.concat(block.pieces, block.bytes);
    this.#events.onHeaders(block.stream, this.#decoder.decode(bytes), block.ended);
  }

  #onPriority(stream: number, payload: Buffer): void {
    if (stream === 0) throw wrong('PRIORITY of no stream');
    if (payload.length !== 5) return this.#events.onStreamError(stream, CODE.frameSize);
    if ((payload.readUInt32BE(0) & MAX_WINDOW) === stream) throw wrong('a stream that depends on itself');
  }

  #onSettings(flags: number, stream: number, payload: Buffer): void {
    if (stream !== 0) throw wrong('SETTINGS of a stream');
    if ((flags & FLAG.ack) === 0) return this.#events.onSettings(settingsOf(payload));
    if (payload.length > 0) throw new Http2Error(CODE.frameSize, 'SETTINGS that are taken, and say something');
    this.#events.onSettingsTaken();
  }

  #onWindow(stream: number, payload: Buffer): void {
    check(true, payload.length === 4, 'WINDOW_UPDATE');
    const more = payload.readUInt32BE(0) & MAX_WINDOW;
    if (more > 0) return this.#events.onWindow(stream, more);
    if (stream === 0) throw wrong('WINDOW_UPDATE by nothing');
    this.#events.onStreamError(stream, CODE.protocol);
  }
}

/** @param prefix bytes between the length of the padding and what it follows */
function unpadded(payload: Buffer, prefix: number): Buffer {
  const length = payload[0];
  if (length === undefined) throw new Http2Error(CODE.frameSize, 'padding of no length');
  if (1 + prefix + length > payload.length) throw wrong('more padding than there is room for');
  return payload.subarray(1, payload.length - length);
}

function check(onRightStream: boolean, hasRightLength: boolean, name: string): void {
  if (!onRightStream) throw wrong(`${name} on a wrong stream`);
  if (!hasRightLength) throw new Http2Error(CODE.frameSize, `${name} of a wrong length`);
}

function wrong(what: string): Http2Error {
  return new Http2Error(CODE.protocol, what);
}
