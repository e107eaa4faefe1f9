/**
 * What an exchange keeps of its two messages while they pass: a recorder of each, and why one of them has failed.
 *
 * A request that is sent again, on another connection, is recorded anew.
 */
import type { RecordedBlock, RecordedResponse, Truncation } from './capture.ts';
import { BlockRecorder, ResponseRecorder, type HeadFacts, type RecordingOptions } from './recorder.ts';

export class Recording {
  readonly #options: RecordingOptions;
  #request: BlockRecorder | undefined;
  #response: ResponseRecorder | undefined;
  #facts: HeadFacts | undefined;

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  /** Why a temporary file has failed, as far as is known: they are written behind what passes. */
  get error(): Error | undefined {
    return this.#request?.bytes.error ?? this.#response?.bytes.error;
  }

  /** Bytes of the response so far. */
  get received(): number {
    return this.#response?.bytes.size ?? 0;
  }

  /** A request begins. @param head as it was sent */
  sentHead(head: Buffer): void {
    this.#request?.bytes.release();
    this.#request = new BlockRecorder(this.#options);
    this.#request.write(head);
  }

  /** @returns false when the disk is behind: `onRequestDrain` calls back when it is not any more */
  sentBody(bytes: Buffer): boolean {
    return this.#request?.write(bytes) !== false;
  }

  onRequestDrain(callback: () => void): void {
    this.#request?.bytes.onDrain(callback);
  }

  /** @param facts what it says */
  receivedHead(head: Buffer, facts: HeadFacts): void {
    this.#facts = facts;
    this.#response = new ResponseRecorder(this.#options);
    this.#response.head(head);
  }

  /** @returns false when the disk is behind: `onResponseDrain` calls back when it is not any more */
  receivedBody(piece: Buffer, payload: readonly Buffer[]): boolean {
    return this.#response?.body(piece, payload) !== false;
  }

  onResponseDrain(callback: () => void): void {
    this.#response?.bytes.onDrain(callback);
  }

  /** Both messages, whose bytes are the caller's from now on. @throws Error before both heads have passed */
  finish(truncated: Truncation | undefined): { readonly request: RecordedBlock; readonly response: RecordedResponse } {
    if (this.#request === undefined || this.#response === undefined || this.#facts === undefined) throw new Error('nothing was exchanged');
    return { request: this.#request.finish(), response: this.#response.finish(this.#facts, truncated) };
  }

  /** Let go of everything. */
  release(): void {
    this.#request?.bytes.release();
    this.#response?.bytes.release();
  }
}
