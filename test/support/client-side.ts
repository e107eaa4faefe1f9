/**
 * A client without a socket, for tests of handlers: notes what it is told, and leaves when it is told to.
 */
import type { Answer } from '../../src/http/answer.ts';
import type { FetchError } from '../../src/http/fetch-error.ts';
import { fieldOf, Fields } from '../../src/http/fields.ts';
import type { ResponseHead } from '../../src/http/message.ts';
import type { ClientSide, RequestBody } from '../../src/http/sides.ts';
import type { Authority } from '../../src/http/authority.ts';
import { reasonOf } from '../../src/util/thrown.ts';

export class FakeClient implements ClientSide {
  readonly address = '192.0.2.7';
  readonly port = 50_000;
  /** what it was told, in order, a word and what tells it from others of its kind */
  readonly told: string[] = [];
  readonly answers: { readonly answer: Answer; readonly last: boolean }[] = [];
  readonly failures: FetchError[] = [];
  readonly refused: unknown[] = [];
  readonly tunnels: Authority[] = [];
  served: RequestBody | undefined;
  readonly #left = new AbortController();

  get gone(): boolean {
    return this.#left.signal.aborted;
  }

  /** As when its connection is closed. */
  leave(): void {
    this.#left.abort();
    this.served?.clientGone();
  }

  readonly untilGone = (): AbortSignal => this.#left.signal;

  serve(body: RequestBody): void {
    this.told.push('serve');
    this.served = body;
  }

  askForBody(): void {
    this.told.push('askForBody');
  }

  resumeRequest(): void {
    this.told.push('resumeRequest');
  }

  interim({ status }: ResponseHead): boolean {
    this.told.push(`interim ${status}`);
    return true;
  }

  head({ status }: ResponseHead): void {
    this.told.push(`head ${status}`);
  }

  body(bytes: Buffer): boolean {
    this.told.push(`body ${bytes.toString('latin1')}`);
    return true;
  }

  flush(): void {
    // Says nothing of its own.
  }

  end(): void {
    this.told.push('end');
  }

  fail(error: FetchError): void {
    this.told.push(`fail ${error.code}`);
    this.failures.push(error);
  }

  answer(answer: Answer, last = false): void {
    this.told.push(`answer ${answer.status}`);
    this.answers.push({ answer, last });
  }

  refuse(thrown: unknown): void {
    this.told.push(`refuse ${reasonOf(thrown)}`);
    this.refused.push(thrown);
  }

  openTunnel(authority: Authority): void {
    this.told.push(`openTunnel ${authority.host}:${authority.port}`);
    this.tunnels.push(authority);
  }

  upgrade(): undefined {
    this.told.push('upgrade');
  }
}

/** Takes a body and hears of its client, as far as a test wants to know. */
export function bodySink(wanted: Partial<RequestBody> = {}): RequestBody {
  const nothing = () => undefined;
  return { write: () => true, endRequest: nothing, clientGone: nothing, resumeResponse: nothing, ...wanted };
}

/** A head as an origin sends it. */
export function responseHead(status: number, reason: string, ...fields: readonly (readonly [name: string, value: string])[]): ResponseHead {
  return { status, reason, minor: 1, fields: new Fields(fields.map(([name, value]) => fieldOf(name, value))) };
}
