/**
 * The window of a connection for what comes: opened as it comes, so that a stream that waits holds up no other.
 *
 * Source: RFC 9113 §6.9.
 */
import { CODE, FRAME, Http2Error, numbersFrame } from './frames.ts';

export class ReceiveWindow {
  readonly #size: number;
  #received = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** So many bytes have come. @returns what opens it again, when it is time @throws Http2Error for more than it had room for */
  take(bytes: number): Buffer | undefined {
    this.#received += bytes;
    if (this.#received > this.#size) throw new Http2Error(CODE.flowControl, 'more than the window of the connection');
    if (2 * this.#received < this.#size) return undefined;
    const frame = numbersFrame(FRAME.window, 0, this.#received);
    this.#received = 0;
    return frame;
  }
}
