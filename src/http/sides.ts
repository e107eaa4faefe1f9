/**
 * What a request's two sides know of each other: whoever serves it (an exchange, a record to be written), and its client in whatever protocol.
 *
 * HTTP/1 clients are `ClientConnection`; other protocols move in here, and an exchange never learns which it is.
 */
import type { Framing, ResponseHead } from './message.ts';
import type { FetchError } from './fetch-error.ts';

/** What takes the body of a request, and hears of its client. */
export interface RequestBody {
  /**
   * @param bytes a piece of the body with its framing
   * @param payload the slices of it that are not transfer-coding
   * @returns false to be given no more before the client is told to `resumeRequest`
   */
  write(bytes: Buffer, payload: readonly Buffer[]): boolean;
  /** the request is complete */
  endRequest(): void;
  /** nobody waits for the answer any more */
  clientGone(): void;
  /** the client takes more of the answer again */
  resumeResponse(): void;
}

/** What an exchange needs of its client's side. */
export interface ExchangeClient {
  /** an answer that is not the final one (RFC 9110 §15.2) */
  interim(head: ResponseHead): void;
  /** @param startedAt start of the fetch: the WARC-Date of its records */
  head(head: ResponseHead, framing: Framing, startedAt: Date): void;
  /**
   * @param bytes a piece of the body with its framing
   * @param payload the slices of it that are not transfer-coding
   * @returns false to be given no more before `Exchange.resumeResponse()`
   */
  body(bytes: Buffer, payload: readonly Buffer[]): boolean;
  /** everything that came in one read of the origin has been handed over */
  flush(): void;
  /**
   * The response is whole, and no more of the request is wanted.
   *
   * @param accepted settled, it lets the client's next request begin
   * @param exact false when another reader could see another end of the body, so that nothing may follow it
   */
  end(accepted: Promise<void> | undefined, exact: boolean): void;
  /** There will be no answer, or no more of the one that has begun. */
  fail(error: FetchError, accepted: Promise<void> | undefined): void;
  /** go on with the body of the request */
  resumeRequest(): void;
}
