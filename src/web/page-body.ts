/**
 * The body of a request to one of our own pages, as the stream that fetch handlers read: no more is asked of the client than is read.
 */
import type { ClientSide, RequestBody } from '../http/sides.ts';

/** What reads the body of a client that has left. */
export class ClientLeftError extends Error {
  override readonly name = 'ClientLeftError';
  readonly code = 'CLIENT_LEFT';
}

export class PageBody implements RequestBody {
  /** undefined for a request without a body */
  readonly stream: ReadableStream<Uint8Array> | undefined;
  /** the head of the answer has been handed over */
  answerBegun = false;
  /** called when the client leaves */
  onLeft: () => void = () => undefined;
  readonly #client: ClientSide;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #gone = false;
  #wake: (() => void) | undefined;

  constructor(hasBody: boolean, client: ClientSide) {
    this.#client = client;
    if (!hasBody) return;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => {
          client.askForBody();
          client.resumeRequest();
        },
        cancel: () => void (this.#controller = undefined),
      },
      { highWaterMark: 0 },
    );
  }

  write(_bytes: Buffer, payload: readonly Buffer[]): boolean {
    const controller = this.#controller;
    if (controller === undefined) return true;
    for (const slice of payload) controller.enqueue(new Uint8Array(slice));
    return (controller.desiredSize ?? 0) > 0;
  }

  endRequest(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }

  clientGone(): void {
    this.#gone = true;
    this.#controller?.error(new ClientLeftError('the client has left'));
    this.#controller = undefined;
    this.#wake?.();
    this.onLeft();
  }

  resumeResponse(): void {
    this.#wake?.();
  }

  /** The client has left. */
  isLeft(): boolean {
    return this.#gone || this.#client.gone;
  }

  /** Resolves when the client takes more of the answer, or never will. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isLeft()) resolve();
      else this.#wake = resolve;
    });
  }
}
