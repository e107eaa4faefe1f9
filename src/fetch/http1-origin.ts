/**
 * One connection to an origin: hands what happens on it to the exchange that has it now.
 *
 * Owns the socket. Knows nothing of HTTP; bytes that come while no exchange has it mean that it cannot be used again.
 */
import type { Socket } from 'node:net';

/** What the exchange that has the connection is told. */
export interface UpstreamUser {
  onData(bytes: Buffer): void;
  /** the origin sends no more; `error` when the connection broke */
  onEnd(error: Error | undefined): void;
  /** what was written has gone out */
  onDrain(): void;
  /** nothing moved for the idle time-out */
  onIdle(): void;
}

export class UpstreamConnection {
  readonly socket: Socket;
  readonly key: string;
  /** undefined behind another proxy */
  readonly ipAddress: string | undefined;
  /** an earlier exchange has used it, so that the origin may close it at any time */
  reused = false;
  readonly #idleMs: number;
  #user: UpstreamUser | undefined;
  #onUnusable: (() => void) | undefined;
  #paused = false;
  #error: Error | undefined;

  /** @param onFault told of what a user throws, which then finds the connection broken */
  constructor(socket: Socket, key: string, ipAddress: string | undefined, idleMs: number, onFault: (error: unknown) => void) {
    this.socket = socket;
    this.key = key;
    this.ipAddress = ipAddress;
    this.#idleMs = idleMs;
    socket.setTimeout(idleMs);
    socket.on('data', (bytes: Buffer) => {
      if (this.#user === undefined) return this.destroy();
      try {
        this.#user.onData(bytes);
      } catch (error) {
        onFault(error);
        socket.destroy(new Error('a fault in warctap, see its log'));
      }
    });
    socket.on('drain', () => this.#user?.onDrain());
    socket.on('end', () => this.#over());
    socket.on('error', (error: Error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#over());
    socket.on('timeout', () => {
      if (this.#user === undefined) this.destroy();
      else if (!this.#paused) this.#user.onIdle();
    });
  }

  get usable(): boolean {
    return !this.socket.destroyed && this.socket.readyState === 'open';
  }

  /** From now on `user` gets what happens. */
  attach(user: UpstreamUser): void {
    this.#user = user;
    this.#onUnusable = undefined;
    if (!this.usable) process.nextTick(() => this.#over());
  }

  /** Nobody has it; `onUnusable` is called once if it ends or gets bytes in the meantime. */
  park(onUnusable: () => void): void {
    this.#user = undefined;
    this.#onUnusable = onUnusable;
    this.reused = true;
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

  /** The current user is told nothing any more. */
  destroy(): void {
    this.#user = undefined;
    this.socket.destroy();
    this.#over();
  }

  #over(): void {
    const user = this.#user;
    const onUnusable = this.#onUnusable;
    this.#user = undefined;
    this.#onUnusable = undefined;
    user?.onEnd(this.#error);
    onUnusable?.();
  }
}
