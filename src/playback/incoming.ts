/**
 * What comes in on a socket, piece by piece, and no faster than it is asked for.
 *
 * Does not own the socket.
 */
import type { Socket } from 'node:net';

export class Incoming {
  readonly #socket: Socket;
  #pieces: Buffer[] = [];
  #over = false;
  #wake: (() => void) | undefined;

  /** @param first bytes that have come already */
  constructor(socket: Socket, first: Buffer) {
    this.#socket = socket;
    this.unread(first);
    socket.on('data', this.#onData).on('end', this.#onOver).on('close', this.#onOver);
    socket.pause();
  }

  /** @returns undefined when nothing more will come */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined || this.#over) return piece;
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      this.#socket.resume();
      await woken;
    }
  }

  /** The next piece begins with these bytes. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#pieces.unshift(bytes);
  }

  /** Leave the socket, paused. @returns what has come and was not asked for */
  detach(): Buffer {
    this.#socket.pause();
    this.#socket.removeListener('data', this.#onData).removeListener('end', this.#onOver).removeListener('close', this.#onOver);
    return Buffer.concat(this.#pieces);
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#pieces.push(bytes);
    this.#socket.pause();
    this.#wake?.();
  };

  readonly #onOver = (): void => {
    this.#over = true;
    this.#wake?.();
  };
}
