/**
 * A client in this process: the client's side of what `Core.fetch` asks for, as a promise of an answer and a body to be read.
 *
 * No faster than it is read: what the caller leaves unread holds the origin back, as a slow client of the proxy does.
 */
import type { Answer } from '../http/answer.ts';
import { MessageError } from '../http/errors.ts';
import { FetchError } from '../http/fetch-error.ts';
import type { ResponseHead } from '../http/message.ts';
import type { ClientSide, RequestBody } from '../http/sides.ts';
import { chunkOf, LAST_CHUNK } from '../http1/chunked.ts';
import { errorOf } from '../util/thrown.ts';
import { hasLength, type FetchInit } from './request.ts';

/** The gate does not let a request go on. Nothing of it has reached an origin. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code = 'REFUSED';
  /** what a client of the proxy would have been answered: 400, 403, 420, 430 … */
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];

  constructor({ status, fields = [], body }: Answer) {
    super(body.trim());
    this.status = status;
    this.fields = fields;
  }
}

/** Pieces that wait for the caller before the origin is held back, in bytes. */
const MAX_WAITING_BYTES = 64 * 1024;

export class InnerClient implements ClientSide {
  readonly address = undefined;
  readonly port = undefined;
  /** resolves with the head of the answer; rejects with FetchError, RefusedError or MessageError */
  readonly answered: Promise<ResponseHead>;
  #resolve: (head: ResponseHead) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  readonly #left = new AbortController();
  readonly #body: FetchInit['body'];
  readonly #cutsOff: boolean;
  #serving: RequestBody | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #over = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #resumeRequest: (() => void) | undefined;

  constructor({ body, cutsOff = false }: Pick<FetchInit, 'body' | 'cutsOff'>) {
    this.#body = body;
    this.#cutsOff = cutsOff;
    this.answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get gone(): boolean {
    return this.#left.signal.aborted;
  }

  readonly untilGone = (): AbortSignal => this.#left.signal;

  /**
   * Wait for nothing any more. What the origin has been asked for goes on as far as `finishAbandoned` wants it, unless it is to be cut off,
   * and is archived.
   */
  leave(reason: unknown): void {
    if (this.gone) return;
    const serving = this.#serving;
    this.#finish(errorOf(reason));
    this.#left.abort();
    if (this.#cutsOff && serving?.cutOff !== undefined) serving.cutOff();
    else serving?.clientGone();
    this.#waiting = [];
  }

  serve(body: RequestBody): void {
    this.#serving = body;
    this.#send(body).catch((error: unknown) => this.leave(error));
  }

  askForBody(): void {
    // It comes anyway.
  }

  resumeRequest(): void {
    this.#resumeRequest?.();
  }

  interim(): boolean {
    return true; // nobody here waits for one
  }

  head(head: ResponseHead): void {
    this.#resolve(head);
  }

  body(_bytes: Buffer, payload: readonly Buffer[]): boolean {
    for (const slice of payload) {
      this.#waiting.push(slice);
      this.#waitingBytes += slice.length;
    }
    this.#wake?.();
    return this.#waitingBytes < MAX_WAITING_BYTES;
  }

  flush(): void {
    // Nothing is held back.
  }

  end(accepted: Promise<void> | undefined): void {
    this.#finishAfter(accepted, undefined);
  }

  fail(error: FetchError, accepted: Promise<void> | undefined): void {
    this.#finishAfter(accepted, error);
  }

  answer(answer: Answer): void {
    this.#finish(new RefusedError(answer));
  }

  refuse(thrown: unknown): void {
    this.#finish(errorOf(thrown));
  }

  openTunnel(): void {
    this.#finish(new MessageError('syntax', 'CONNECT is not for programs'));
  }

  upgrade(): undefined {
    this.#finish(new MessageError('syntax', 'there is no connection that could speak another protocol'));
  }

  /** The body without transfer-coding, as it comes. To be read once. @throws FetchError when it breaks off */
  async *pieces(): AsyncGenerator<Buffer, void> {
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next !== undefined) {
          this.#waitingBytes -= next.length;
          if (this.#waitingBytes < MAX_WAITING_BYTES) this.#serving?.resumeResponse();
          yield next;
        } else if (this.#error !== undefined) {
          throw this.#error;
        } else if (this.#over) {
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      if (!this.#over) this.leave(new Error('the body was not read to its end'));
    }
  }

  /** A full queue of captures holds back whoever would ask for more. */
  #finishAfter(accepted: Promise<void> | undefined, error: Error | undefined): void {
    if (accepted === undefined) this.#finish(error);
    else void accepted.then(() => this.#finish(error));
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    if (error !== undefined) this.#reject(error);
    this.#serving = undefined;
    this.#wake?.();
    this.#resumeRequest?.();
  }

  async #send(to: RequestBody): Promise<void> {
    const body = this.#body;
    if (body === undefined || (hasLength(body) && body.length === 0)) return to.endRequest();
    if (hasLength(body)) {
      const bytes = Buffer.from(body);
      await this.#give(to, bytes, [bytes]);
    } else {
      for await (const piece of body) {
        const payload = Buffer.from(piece);
        if (payload.length > 0 && !(await this.#give(to, chunkOf(payload), [payload]))) return;
      }
      await this.#give(to, LAST_CHUNK, []);
    }
    if (this.#serving === to) to.endRequest();
  }

  /** @returns false when no more is wanted */
  async #give(to: RequestBody, bytes: Buffer, payload: readonly Buffer[]): Promise<boolean> {
    if (this.#serving !== to) return false;
    const resumed = new Promise<void>((resolve) => (this.#resumeRequest = resolve));
    if (!to.write(bytes, payload)) await resumed;
    return this.#serving === to;
  }
}
