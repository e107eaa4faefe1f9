/**
 * What goes out over a connection of HTTP/2: all of one turn of the event loop in one write, streams by turns, as far as windows and the
 * system let it.
 *
 * Source: RFC 9113 §5.2 and §6.9 (flow control).
 */
import type { FieldList } from './field-list.ts';
import type { Socket } from 'node:net';
import { CODE, DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, FLAG, FRAME, frameHead, headersFrames, Http2Error, MAX_WINDOW } from './frames.ts';
import { HpackEncoder } from './hpack-encoder.ts';

/** A stream as far as it sends. */
export interface Sender {
  readonly id: number;
  /** bytes that it may send yet */
  sendWindow: number;
  /** bytes that wait */
  readonly queued: number;
  /** nothing may follow what waits */
  readonly ending: boolean;
  /** nothing of it can go out any more */
  readonly closed: boolean;
  /** it stands in the queue of those that have something to send */
  queuedToSend: boolean;
  /** Take what waits, so much at most. */
  take(bytes: number, into: Buffer[]): void;
  /** fields behind its body */
  readonly trailers: FieldList | undefined;
  /** breaks off instead of ending, by this code */
  readonly breakOffCode: number | undefined;
  /** Some of it has been handed to the system. @param ended all of it has */
  onSent(ended: boolean): void;
}

/** So much may wait in the socket before streams have to. */
const MAX_WAITING = 128 * 1024;
/** Larger frames are not better, and hold others up. */
const MAX_DATA = DEFAULT_FRAME_SIZE;
/** Written as one piece up to here. */
const JOINED_BYTES = 64 * 1024;
/** Answers to PING and SETTINGS that a peer does not take. Source: CVE-2019-9512, CVE-2019-9515. */
const MAX_ANSWERS = 1000;

export class Outgoing {
  readonly #socket: Socket;
  readonly #encoder = new HpackEncoder();
  #frames: Buffer[] = [];
  #bytes = 0;
  #scheduled = false;
  #ready: Sender[] = [];
  #window = DEFAULT_WINDOW;
  #maxFrameSize = DEFAULT_FRAME_SIZE;
  /** answers since all was taken */
  #answers = 0;
  #over = false;
  readonly #flush = () => this.flush();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => {
      this.#answers = 0;
      if (this.#ready.length > 0) this.#schedule();
    });
  }

  /** Bytes of the connection that the peer takes unasked. */
  get window(): number {
    return this.#window;
  }

  set maxFrameSize(bytes: number) {
    this.#maxFrameSize = bytes;
  }

  limitTable(bytes: number): void {
    this.#encoder.limitTable(bytes);
  }

  /** A frame that waits for nothing. */
  frame(bytes: Buffer): void {
    if (this.#over) return;
    this.#frames.push(bytes);
    this.#bytes += bytes.length;
    this.#schedule();
  }

  /** A frame that the peer has asked for. @throws Http2Error when it asks without end */
  answer(bytes: Buffer): void {
    if (this.#socket.writableLength === 0) this.#answers = 0;
    if (++this.#answers > MAX_ANSWERS && this.#socket.writableLength > 0) throw new Http2Error(CODE.calm, 'answers that nobody takes');
    this.frame(bytes);
  }

  headers(stream: number, list: FieldList, ended: boolean): void {
    if (!this.#over) this.frame(headersFrames(this.#encoder.encode(list), stream, ended, this.#maxFrameSize));
  }

  /** A stream has something to send, or may go on. */
  ready(sender: Sender): void {
    if (sender.queuedToSend || this.#over) return;
    sender.queuedToSend = true;
    this.#ready.push(sender);
    this.#schedule();
  }

  /** @throws Http2Error past the largest window there is */
  widen(more: number): void {
    this.#window += more;
    if (this.#window > MAX_WINDOW) throw new Http2Error(CODE.flowControl, 'a window past its end');
    if (this.#ready.length > 0) this.#schedule();
  }

  /** Write what there is, as far as it may go. */
  flush(): void {
    this.#scheduled = false;
    if (this.#over) return;
    this.#pump();
    this.#write();
  }

  /** Write what there is, and nothing more. */
  end(): void {
    if (this.#over) return;
    this.#write();
    this.#over = true;
    this.#ready = [];
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  #write(): void {
    const frames = this.#frames;
    if (frames.length === 0 || this.#socket.destroyed) return;
    const bytes = this.#bytes;
    this.#frames = [];
    this.#bytes = 0;
    const [first] = frames;
    if (frames.length === 1 && first !== undefined) this.#socket.write(first);
    else if (bytes <= JOINED_BYTES) this.#socket.write(Buffer.concat(frames, bytes));
    else {
      this.#socket.cork();
      for (const frame of frames) this.#socket.write(frame);
      this.#socket.uncork();
    }
  }

  /** One frame of each stream by turns. */
  #pump(): void {
    let waiting = this.#socket.writableLength;
    let blocked = 0;
    while (this.#ready.length > blocked && waiting + this.#bytes < MAX_WAITING) {
      const sender = this.#ready.shift();
      if (sender === undefined) break;
      // Without the connection's window only an end can go out.
      if (this.#window <= 0 && sender.queued > 0) {
        this.#ready.push(sender);
        blocked++;
        continue;
      }
      sender.queuedToSend = false;
      if (!sender.closed) this.#send(sender);
      waiting = this.#socket.writableLength;
    }
  }

  #send(sender: Sender): void {
    const bytes = Math.max(0, Math.min(sender.queued, sender.sendWindow, this.#window, MAX_DATA, this.#maxFrameSize));
    const last = bytes === sender.queued;
    const ending = last && sender.ending;
    const endsByData = ending && sender.trailers === undefined && sender.breakOffCode === undefined;
    if (bytes > 0 || endsByData) {
      this.#frames.push(frameHead(bytes, FRAME.data, endsByData ? FLAG.endStream : 0, sender.id));
      this.#bytes += 9 + bytes;
      this.#window -= bytes;
      sender.sendWindow -= bytes;
      if (bytes > 0) sender.take(bytes, this.#frames);
    }
    if (ending && sender.trailers !== undefined && sender.breakOffCode === undefined) this.headers(sender.id, sender.trailers, true);
    if (!last && sender.sendWindow > 0) this.ready(sender);
    if (bytes > 0 || ending) sender.onSent(ending);
  }
}
