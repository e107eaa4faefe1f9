/**
 * One WebSocket: requests in, responses and events out, each a message of its own.
 *
 * Requests are handled beside each other. A client that sends faster than it is answered, or reads slower than it asks, is not read from
 * until that is over: it holds up nobody but itself.
 * Source: RFC 6455 (close codes §7.4.1, pings §5.5.2).
 */
import type { RawData, WebSocket } from 'ws';
import type { Log } from '../../util/log.ts';
import type { ServerMessage } from '../proto/starbelly_pb.ts';
import type { Dispatch } from './dispatch.ts';
import { failure } from './envelope.ts';
import { Subscriptions } from './subscriptions.ts';
import type { WireForm } from './wire-forms.ts';

export interface ConnectionParts {
  readonly socket: WebSocket;
  readonly form: WireForm;
  readonly dispatch: Dispatch;
  readonly log: Log;
}

const UNSUPPORTED_DATA = 1003;
const INVALID_PAYLOAD = 1007;
/** Requests of a connection that run at once. */
const MAX_RUNNING = 256;
/** Bytes that a client has not taken, past which nothing is added that can wait. */
const FULL_BYTES = 1024 * 1024;
/** Reverse proxies cut what is silent for a minute. */
const PING_MS = 30_000;
const MAX_MISSED = 2;

export class Connection {
  readonly subscriptions: Subscriptions;
  readonly #socket: WebSocket;
  readonly #form: WireForm;
  readonly #dispatch: Dispatch;
  readonly #waiting: (() => void)[] = [];
  readonly #pings: NodeJS.Timeout;
  #running = 0;
  #missed = 0;

  constructor({ socket, form, dispatch, log }: ConnectionParts) {
    this.#socket = socket;
    this.#form = form;
    this.#dispatch = dispatch;
    this.subscriptions = new Subscriptions({ send: (message) => this.#send(message), room: () => this.#room() });
    this.#pings = setInterval(() => this.#ping(), PING_MS);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => (this.#missed = 0));
    socket.on('error', (error) => log.debug({ reason: error.message }, 'a WebSocket broke'));
    socket.on('close', () => this.#end());
  }

  /** Requests that are being answered. */
  get running(): number {
    return this.#running;
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (isBinary !== this.#form.isBinary)
      return this.#socket.close(UNSUPPORTED_DATA, `expected a ${this.#form.isBinary ? 'binary' : 'text'} message`);
    const request = this.#form.read(data as Buffer);
    if (request !== undefined && 'unread' in request) return this.#send(failure(request.requestId, request.unread));
    if (request === undefined) return this.#socket.close(INVALID_PAYLOAD, 'expected a Request with a request_id');
    this.#running++;
    void this.#dispatch(request, this.subscriptions).then(({ message, after }) => {
      this.#running--;
      if (this.#socket.readyState !== this.#socket.OPEN) return;
      this.#send(message);
      after?.();
      this.#readOn();
    });
    this.#readOn();
  }

  /** Read, or stop reading. */
  #readOn(): void {
    const full = this.#running >= MAX_RUNNING || this.#isFull();
    if (full && !this.#socket.isPaused) this.#socket.pause();
    else if (!full && this.#socket.isPaused) this.#socket.resume();
  }

  #send(message: ServerMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(this.#form.write(message), () => {
      // Whoever takes something is there.
      this.#missed = 0;
      if (this.#isFull()) return;
      for (const resolve of this.#waiting.splice(0)) resolve();
      this.#readOn();
    });
  }

  #room(): Promise<void> | undefined {
    return this.#isFull() ? new Promise((resolve) => this.#waiting.push(resolve)) : undefined;
  }

  #isFull(): boolean {
    return this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount > FULL_BYTES;
  }

  #ping(): void {
    if (this.#missed >= MAX_MISSED) return this.#socket.terminate();
    this.#missed++;
    this.#socket.ping();
  }

  #end(): void {
    clearInterval(this.#pings);
    this.subscriptions.close();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
