/**
 * Inflates the messages of one direction, piece by piece, as fast as what comes out is taken.
 *
 * Holds zlib's window and no more. Source: RFC 7692 §7.2.2 (the four bytes that a sender leaves out), §7.1.1 (context takeover).
 */
import { createInflateRaw, type InflateRaw } from 'node:zlib';

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

export class Inflater {
  readonly #take: (bytes: Buffer) => boolean;
  readonly #keepsContext: boolean;
  #stream: InflateRaw | undefined;
  #settle: ((error?: Error) => void) | undefined;
  /** a final block has come: nothing of the message follows it (RFC 7692 §7.2.3.4) */
  #final = false;

  /**
   * @param keepsContext a message may refer to what came before it
   * @param take gets what comes out; false to be given no more before `resume`
   */
  constructor(keepsContext: boolean, take: (bytes: Buffer) => boolean) {
    this.#keepsContext = keepsContext;
    this.#take = take;
  }

  /** Resolves when all that comes out of it has been taken, or after `close`. @throws zlib's error (rejects with it) */
  write(bytes: Buffer): Promise<void> {
    if (this.#final) return Promise.resolve();
    const stream = (this.#stream ??= this.#open());
    return new Promise((resolve, reject) => {
      this.#settle = (error) => {
        this.#settle = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      stream.write(bytes);
      stream.flush(() => {
        if (this.#stream === stream) this.#settle?.();
      });
    });
  }

  /** The message is complete. Otherwise as `write`. */
  async end(): Promise<void> {
    await this.write(TAIL);
    this.#final = false;
    if (!this.#keepsContext) this.#stream?.reset();
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** Nothing more is wanted. */
  close(): void {
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#settle?.();
  }

  #open(): InflateRaw {
    const stream = createInflateRaw();
    stream.on('data', (bytes: Buffer) => {
      if (this.#stream === stream && !this.#take(bytes)) stream.pause();
    });
    stream.on('end', () => {
      this.#final = true;
      this.#over(stream);
    });
    stream.on('error', (error) => this.#over(stream, error));
    return stream;
  }

  #over(stream: InflateRaw, error?: Error): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#settle?.(error);
  }
}
