/**
 * The body of a request on its way to the origin: kept as it passes, and held back while the origin or the disk cannot take more.
 *
 * What comes before there is a connection waits, and its client with it.
 */
import type { Recording } from '../capture/recording.ts';
import type { Fields } from '../http/fields.ts';
import type { BodyPiece } from '../http/message.ts';
import { Valve } from '../util/valve.ts';
import type { OriginStream } from './origin-connection.ts';

/** Who may hold it back. */
const [ORIGIN, DISK] = [1, 2] as const;

/** Whose request it is. */
export interface UploadOwner {
  /** more of the body may come */
  readonly resume: () => void;
  /** End the exchange if what passes cannot be kept. @returns true when it is over */
  readonly endIfNotRecorded: () => boolean;
}

export class Upload {
  readonly #recording: Recording;
  readonly #owner: UploadOwner;
  readonly #valve = new Valve(ORIGIN);
  #waiting: BodyPiece[] = [];
  #stream: OriginStream | undefined;
  #begun = false;
  #trailers: Fields | undefined;

  constructor(recording: Recording, owner: UploadOwner) {
    this.#recording = recording;
    this.#owner = owner;
  }

  /** Some of the body has come. */
  get begun(): boolean {
    return this.#begun;
  }

  /** What came before there was a connection; it goes out together with the head. */
  get waiting(): readonly BodyPiece[] {
    return this.#waiting;
  }

  /** @returns false when no more may come before `resume` is called */
  write(bytes: Buffer, payload: readonly Buffer[]): boolean {
    this.#begun = true;
    if (this.#stream === undefined) {
      this.#waiting.push({ bytes, payload });
      return false;
    }
    const framed = this.#stream.framed(bytes);
    this.#keep(framed);
    // Its client is in the middle of handing over a piece, and is not told before that is done.
    if (this.#recording.error !== undefined) queueMicrotask(this.#owner.endIfNotRecorded);
    this.#valve.set(ORIGIN, !this.#stream.write(framed));
    return this.#valve.open;
  }

  /** The head has been sent on this stream, and what was waiting with it. */
  begin(stream: OriginStream): void {
    this.#stream = stream;
    for (const { bytes } of this.#waiting) this.#keep(stream.framed(bytes));
    this.#waiting = [];
    if (!stream.full) this.drained();
  }

  /** All of it has come, or is to be said again to have. */
  end(trailers = this.#trailers): void {
    this.#trailers = trailers;
    const last = this.#stream?.endRequest(trailers);
    if (last?.bytes !== undefined) this.#keep(last.bytes);
    if (last?.trailers !== undefined) this.#recording.sentTrailers(last.trailers);
  }

  /**
   * It is to be sent once more, on another stream.
   *
   * @param headSize bytes of the head that was sent
   * @returns false when what was sent is not in memory any more
   */
  again(headSize: number): boolean {
    const sent = this.#recording.sentAfter(headSize);
    if (sent === undefined) return false;
    this.#waiting = sent.map((bytes) => ({ bytes, payload: [bytes] }));
    this.#stream = undefined;
    this.#valve.set(ORIGIN, true);
    return true;
  }

  /** The origin takes more. */
  drained(): void {
    this.#let(ORIGIN);
  }

  #keep(bytes: Buffer): void {
    if (this.#recording.sentBody(bytes) || this.#valve.isHeldBy(DISK)) return;
    this.#valve.set(DISK, true);
    this.#recording.onRequestDrain(() => {
      if (!this.#owner.endIfNotRecorded()) this.#let(DISK);
    });
  }

  #let(holder: number): void {
    if (this.#valve.release(holder)) this.#owner.resume();
  }
}
