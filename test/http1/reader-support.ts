/**
 * A request reader between a source that can be paused and handlers of several tempers; what happens is written down as a trace.
 *
 * The source is a socket's in all that matters: while it is paused it gives nothing, and it gives nothing from within a call.
 */
import type { MessageError } from '../../src/http/errors.ts';
import type { Framing, RequestHead } from '../../src/http/message.ts';
import { RequestReader, type ByteSource, type RequestEvents, type RequestReaderOptions } from '../../src/http1/request-reader.ts';
import { bodySink } from '../support/client-side.ts';

export class FakeSource implements ByteSource {
  paused = false;
  pauses = 0;
  resumes = 0;

  pause(): void {
    if (!this.paused) this.pauses++;
    this.paused = true;
  }

  resume(): void {
    if (this.paused) this.resumes++;
    this.paused = false;
  }
}

/** When a request is served: in the call that tells of it, soon, or when all has come that will come without being asked for. */
export type Temper = 'at once' | 'in a microtask' | 'after more bytes';

export const TEMPERS: readonly Temper[] = ['at once', 'in a microtask', 'after more bytes'];

export const UNHURRIED: RequestReaderOptions = { headTimeoutMs: 60_000, minRate: { bytesPerSecond: 0, windowMs: 1000 } };

export class Trace implements RequestEvents {
  readonly source = new FakeSource();
  readonly reader: RequestReader;
  readonly #lines: string[] = [];
  #served = 0;
  /** what becomes of a request whose head has come */
  onRequest: (head: RequestHead, framing: Framing, hasBody: boolean) => void = () => {};
  /** whether a served body takes more */
  ready: () => boolean = () => true;

  constructor(options: RequestReaderOptions = UNHURRIED) {
    this.reader = new RequestReader(this.source, this, options);
  }

  /** What has happened; pieces of a body that followed each other are one. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  onHead(head: RequestHead, framing: Framing, hasBody: boolean): void {
    this.#lines.push(`head ${head.method} ${head.target} ${framing.kind}`);
    this.onRequest(head, framing, hasBody);
  }

  onMalformed(error: MessageError): void {
    this.#lines.push(`malformed: ${error.message}`);
    this.reader.stop();
  }

  onTooSlow(line: string): void {
    this.#lines.push(`too slow: ${line}`);
    this.reader.stop();
  }

  onTurn(bytes: Buffer): void {
    this.reader.receive(bytes);
  }

  /** Serve the current request, and go on to the next when it is complete. */
  serve(): void {
    const number = ++this.#served;
    this.#lines.push('serve');
    this.reader.serve(
      bodySink({
        write: (bytes, payload) => {
          this.#body(number, bytes, payload);
          return this.ready();
        },
        endRequest: () => {
          this.#lines.push('end');
          this.reader.unserve();
          this.reader.next();
        },
        clientGone: () => void this.#lines.push('clientGone'),
      }),
    );
  }

  serveAs(temper: Temper): void {
    this.onRequest = () => {
      if (temper === 'at once') this.serve();
      else if (temper === 'in a microtask') queueMicrotask(() => this.serve());
      else setImmediate(() => setImmediate(() => this.serve()));
    };
  }

  /** Give the pieces, each as soon as the source is not paused, and wait until nothing happens any more. */
  async deliver(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      for (let turns = 0; this.source.paused; turns++) {
        if (turns > 10 || this.reader.state === 'over') return;
        await turn();
      }
      this.reader.receive(piece);
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    for (let quiet = 0; quiet < 5;) {
      const before = this.#lines.length;
      await turn();
      quiet = this.#lines.length === before ? quiet + 1 : 0;
    }
  }

  #body(number: number, bytes: Buffer, payload: readonly Buffer[]): void {
    const prefix = `body ${number} `;
    const last = this.#lines.at(-1);
    const raw = bytes.toString('latin1');
    const data = Buffer.concat(payload).toString('latin1');
    if (last?.startsWith(prefix) !== true) return void this.#lines.push(`${prefix}${JSON.stringify([raw, data])}`);
    const [rawBefore, dataBefore] = JSON.parse(last.slice(prefix.length)) as [string, string];
    this.#lines[this.#lines.length - 1] = `${prefix}${JSON.stringify([rawBefore + raw, dataBefore + data])}`;
  }
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whole, in two pieces at every place, and byte by byte. */
export function* splitsOf(whole: Buffer): Generator<{ readonly how: string; readonly pieces: readonly Buffer[] }> {
  yield { how: 'whole', pieces: [whole] };
  for (let at = 1; at < whole.length; at++) yield { how: `split at ${at}`, pieces: [whole.subarray(0, at), whole.subarray(at)] };
  yield { how: 'byte by byte', pieces: Array.from(whole, (byte) => Buffer.of(byte)) };
}
