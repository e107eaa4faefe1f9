/**
 * One stream of a connection of HTTP/2: what comes is told as it is taken, what goes out waits for its window.
 *
 * Who pauses it holds its peer back by the window of this stream alone. What has come is told to its end, however late that is taken, also
 * when the connection has gone meanwhile.
 * Source: RFC 9113 §5.1 (states), §5.2 (flow control), §8.1 (messages).
 */
import type { FieldList } from './field-list.ts';
import { CODE } from './frames.ts';
import type { Sender } from './outgoing.ts';
import { END, ReceiveQueue, type Item } from './receive-queue.ts';
import { SendQueue } from './send-queue.ts';
import type { StreamConnection, StreamEvents } from './stream-events.ts';

/** `write` asks for patience past it. */
const HIGH_WATER = 64 * 1024;

/** Between the end of an answer, and what stops the rest of its request. */
const STOP_MS = 10;

export class SessionStream implements Sender {
  readonly id: number;
  sendWindow: number;
  queuedToSend = false;
  /** of the body that is to come, where it was said */
  expected: number | undefined;
  /** its answer can have no body, whatever it says */
  bodiless = false;
  /** the final head has come */
  headed = false;
  readonly #connection: StreamConnection;
  #events: StreamEvents | undefined;
  // Coming.
  #window: number;
  readonly #fullWindow: number;
  #taken = 0;
  #received = 0;
  #paused: boolean;
  readonly #items = new ReceiveQueue();
  #remoteEnded = false;
  // Going.
  readonly #out = new SendQueue();
  #behind = false;
  #ending = false;
  #ended = false;
  #trailers: FieldList | undefined;
  #breakOffCode: number | undefined;
  // Over.
  #closed = false;
  #fate: { readonly code: number | undefined } | undefined;

  /** @param window bytes that may come before any is taken @param paused tell nothing before `resume` */
  constructor(connection: StreamConnection, id: number, window: number, sendWindow: number, paused: boolean) {
    this.#connection = connection;
    this.id = id;
    this.#window = this.#fullWindow = window;
    this.sendWindow = sendWindow;
    this.#paused = paused;
  }

  /** To be called at once by whoever uses it. */
  tell(events: StreamEvents): void {
    this.#events = events;
  }

  /** Neither side can say anything more. */
  get closed(): boolean {
    return this.#closed || this.#fate !== undefined;
  }

  get remoteEnded(): boolean {
    return this.#remoteEnded;
  }

  /** Something may be written. */
  get writable(): boolean {
    return !this.closed && !this.#ending;
  }

  /** `write` was false, and `onDrain` has not come yet. */
  get behind(): boolean {
    return this.#behind && !this.closed;
  }

  get queued(): number {
    return this.#out.bytes;
  }

  get ending(): boolean {
    return this.#ending;
  }

  get trailers(): readonly string[] | undefined {
    return this.#trailers;
  }

  get breakOffCode(): number | undefined {
    return this.#breakOffCode;
  }

  /** A head of an answer. @param ended nothing follows it */
  headers(list: FieldList, ended: boolean): void {
    if (!this.writable) return;
    this.#connection.headers(this, list, ended);
    if (!ended) return;
    this.#ending = true;
    this.onSent(true);
  }

  /** @returns false to be given no more before `onDrain` */
  write(piece: Buffer): boolean {
    if (!this.writable) return true;
    if (piece.length > 0) {
      this.#out.add(piece);
      this.#connection.ready(this);
    }
    if (this.#out.bytes >= HIGH_WATER) this.#behind = true;
    return !this.#behind;
  }

  /** It is whole. @param trailers names and values by turns */
  end(trailers?: readonly string[]): void {
    if (!this.writable) return;
    this.#ending = true;
    if (trailers !== undefined && trailers.length > 0) this.#trailers = trailers;
    this.#connection.ready(this);
  }

  /** Break off, once what there is of it has gone out. */
  breakOff(code: number): void {
    if (this.closed || this.#ended) return this.reset(code);
    this.#ending = true;
    this.#breakOffCode = code;
    this.#connection.ready(this);
  }

  /** Give up: neither side says anything more. */
  reset(code: number): void {
    if (this.closed) {
      this.#items.clear();
      if (!this.#closed) this.#close(this.#fate?.code);
      return;
    }
    this.#connection.reset(this, code);
    this.#drop();
    this.#fate = { code };
    // Whoever calls is in the middle of something.
    process.nextTick(() => this.#close(code));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#items.length > 0 || this.#fate !== undefined) process.nextTick(() => this.#tellItems());
    else this.#credit();
  }

  take(bytes: number, into: Buffer[]): void {
    this.#out.take(bytes, into);
  }

  onSent(ended: boolean): void {
    if (!ended) {
      if (this.#behind && this.#out.bytes === 0) {
        this.#behind = false;
        this.#events?.onDrain();
      }
      return;
    }
    if (this.#breakOffCode !== undefined) return this.reset(this.#breakOffCode);
    this.#ended = true;
    if (this.#remoteEnded) this.#finish(CODE.none);
    // Its answer is complete, and no more of the request is read (RFC 9113 §8.1). Clients that have both in one piece may miss the answer
    // (Node 20 does).
    else if (this.#connection.answers) setTimeout(() => this.closed || this.reset(CODE.none), STOP_MS).unref();
  }

  /** Bytes have come. @returns an error of this stream */
  received(piece: Buffer, counted: number, ended: boolean): number | undefined {
    if (this.#remoteEnded) return CODE.streamClosed;
    if (counted > this.#window) return CODE.flowControl;
    this.#window -= counted;
    this.#received += piece.length;
    if (this.expected !== undefined && (ended ? this.#received !== this.expected : this.#received > this.expected)) return CODE.protocol;
    this.#taken += counted - piece.length;
    if (ended) this.#remoteEnded = true;
    if (piece.length > 0) this.#onItem(piece);
    else this.#credit();
    if (ended) this.#onRemoteEnd();
    return undefined;
  }

  /** A head has come in answer. */
  head(list: FieldList, ended: boolean): void {
    if (ended) this.#remoteEnded = true;
    this.#events?.onHead?.(list, ended);
    if (ended) this.#onRemoteEnd();
  }

  /** Fields behind the body have come, which end it. @returns an error of this stream */
  trailed(list: FieldList): number | undefined {
    if (this.expected !== undefined && this.#received !== this.expected) return CODE.protocol;
    this.#remoteEnded = true;
    this.#onItem({ trailers: list });
    this.#onRemoteEnd();
    return undefined;
  }

  /** All has come with the head. */
  endedByHead(): void {
    this.#remoteEnded = true;
  }

  /**
   * The other side has reset it, or the connection has gone.
   *
   * @param keep tell what has come before that
   */
  lost(code: number | undefined, keep: boolean): void {
    if (this.closed) return;
    this.#fate = { code };
    this.#dropOut();
    if (!keep) this.#items.clear();
    if (this.#items.length === 0) this.#close(code);
    else this.#connection.over(this);
  }

  #onRemoteEnd(): void {
    this.#onItem(END);
    if (this.#ended) this.#finish(CODE.none);
  }

  #onItem(item: Item): void {
    if (this.closed) return;
    if (this.#paused || this.#items.length > 0) this.#items.add(item);
    else this.#tellItem(item);
  }

  #tellItems(): void {
    while (!this.#paused && !this.#closed) {
      const item = this.#items.shift();
      if (item === undefined) break;
      this.#tellItem(item);
    }
    if (this.#items.length > 0) return;
    if (this.#fate !== undefined) this.#close(this.#fate.code);
    else this.#credit();
  }

  #tellItem(item: Item): void {
    if (item === END) return this.#events?.onEnd();
    if ('trailers' in item) return this.#events?.onTrailers(item.trailers);
    this.#taken += item.length;
    this.#events?.onData(item);
    this.#credit();
  }

  /** Ask for more, unless what was told last is not taken yet. */
  #credit(): void {
    if (this.#taken * 2 < this.#fullWindow || this.#remoteEnded || this.#paused || this.closed) return;
    this.#connection.widen(this, this.#taken);
    this.#window += this.#taken;
    this.#taken = 0;
  }

  /** Both sides have ended. */
  #finish(code: number): void {
    if (this.closed) return;
    this.#fate = { code };
    this.#connection.over(this);
    // Who has answered wants no more of the request.
    if (this.#items.length === 0 || this.#connection.answers) this.#close(code);
  }

  #close(code: number | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drop();
    this.#connection.over(this);
    const events = this.#events;
    this.#events = undefined;
    events?.onClosed(code);
  }

  #drop(): void {
    this.#items.clear();
    this.#dropOut();
  }

  #dropOut(): void {
    this.#out.clear();
    this.#ending = true;
  }
}
