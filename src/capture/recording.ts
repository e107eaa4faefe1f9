/**
 * What an exchange keeps of its two messages while they pass: a recorder of each, and why one of them has failed.
 *
 * A request that is sent again, on another connection, is recorded anew.
 */
import type { RecordedRequest, RecordedResponse, SentRequest, Truncation } from './capture.ts';
import { FetchError } from '../http/fetch-error.ts';
import type { Field, Fields } from '../http/fields.ts';
import type { ResponseHead } from '../http/message.ts';
import type { TakePlace } from '../util/spool-place.ts';
import type { SpoolHolder } from '../util/spool.ts';
import { reasonOf } from '../util/thrown.ts';
import { BlockRecorder, ResponseRecorder, type HeadFacts, type RecordingOptions } from './recorder.ts';

export class Recording {
  readonly #options: RecordingOptions;
  readonly #holder: SpoolHolder;
  readonly #place: TakePlace | undefined;
  #request: BlockRecorder | undefined;
  #response: ResponseRecorder | undefined;
  #facts: HeadFacts | undefined;
  #announced: number | undefined;
  #sentTrailers: readonly Field[] | undefined;
  #trailers: readonly Field[] | undefined;

  /**
   * @param holder told when there is no room for more of one of them
   * @param place where a large response goes
   */
  constructor(options: RecordingOptions, holder: SpoolHolder, place?: TakePlace) {
    this.#options = options;
    this.#holder = holder;
    this.#place = place;
  }

  /** Why one of them cannot be kept, as far as is known: files are written behind what passes. */
  get error(): FetchError | undefined {
    const inFile = this.#request?.bytes.error ?? this.#response?.bytes.error;
    if (inFile !== undefined) return new FetchError('recording-failed', `temporary file failed: ${reasonOf(inFile)}`, { cause: inFile });
    const inThread = this.#response?.hashingError;
    return inThread && new FetchError('recording-failed', `hashing failed: ${reasonOf(inThread)}`, { cause: inThread });
  }

  /** Bytes of the response so far. */
  get received(): number {
    return this.#response?.bytes.size ?? 0;
  }

  /** Bytes of the whole response, as far as its head says. */
  get announced(): number | undefined {
    return this.#announced;
  }

  /** A request begins. @param head as it was sent */
  sentHead(head: Buffer): void {
    this.#request?.bytes.release();
    this.#request = new BlockRecorder(this.#options, this.#holder);
    this.#request.write(head);
  }

  /** @returns false when the disk is behind: `onRequestDrain` calls back when it is not any more */
  sentBody(bytes: Buffer): boolean {
    return this.#request?.write(bytes) !== false;
  }

  /** What stands behind the body of the request, where that is no part of its bytes. */
  sentTrailers({ list }: Fields): void {
    this.#sentTrailers = list;
  }

  /** Bytes of the request from there on; undefined when they are not in memory. */
  sentAfter(headSize: number): readonly Buffer[] | undefined {
    const bytes = this.#request?.bytes;
    return bytes?.memory && bytes.slice(headSize, bytes.size).memory;
  }

  onRequestDrain(callback: () => void): void {
    this.#request?.bytes.onDrain(callback);
  }

  /** @param bodySize bytes of the body, where it says so */
  receivedHead(head: Buffer, { status, fields }: ResponseHead, bodySize: number | undefined): void {
    this.#facts = { status, contentType: fields.get('content-type'), location: fields.get('location') };
    this.#announced = bodySize === undefined ? undefined : head.length + bodySize;
    this.#response = new ResponseRecorder(this.#options, this.#holder, this.#place);
    this.#response.head(head, this.#announced);
  }

  /** @returns false when the disk is behind: `onResponseDrain` calls back when it is not any more */
  receivedBody(piece: Buffer, payload: readonly Buffer[]): boolean {
    return this.#response?.body(piece, payload) !== false;
  }

  /** What stands behind the body, where that is no part of its bytes. */
  receivedTrailers({ list }: Fields): void {
    this.#trailers = list;
  }

  onResponseDrain(callback: () => void): void {
    this.#response?.onDrain(callback);
  }

  /** Both messages, whose bytes are the caller's from now on. @throws Error before both heads have passed */
  finish(truncated: Truncation | undefined): { readonly request: RecordedRequest; readonly response: RecordedResponse } {
    if (this.#request === undefined || this.#response === undefined || this.#facts === undefined) throw new Error('nothing was exchanged');
    const { bytes, digest } = this.#request.finish();
    return {
      request: { bytes, digest, trailers: this.#sentTrailers },
      response: this.#response.finish(this.#facts, truncated, this.#trailers),
    };
  }

  /** After `finish`: the digests of the response are not known yet, and `onDigested` is to be called. */
  get undigested(): boolean {
    return this.#response?.undigested === true;
  }

  /** Call back once, later, when they are known, or with why they never will be. */
  onDigested(callback: (error: FetchError | undefined) => void): void {
    this.#response?.onDigested(() => callback(this.error));
  }

  /** There is no answer: what was sent, which is the caller's from now on, where there is anything. @param truncated why it is not whole */
  abandon(truncated: Truncation | undefined): SentRequest | undefined {
    const request = this.#request;
    this.#response?.release();
    return request && { ...request.finish(), truncated };
  }

  /** Let go of everything. */
  release(): void {
    this.#request?.bytes.release();
    this.#response?.release();
  }
}
