/**
 * Messages between two processes, both ways: calls, which are answered, and tells, which are not.
 *
 * Owns both streams. What one side says arrives in that order, and before its end is seen: so who waits for `closed` has heard everything that a
 * process has said before it died. For that they are two: a write to who is gone ends a stream both ways, with what has not been read from it.
 * Knows nothing of what is said.
 *
 * ```
 * [0, name, …]     a tell
 * [n, name, …]     a call
 * [-n, result]     its answer
 * [-n, null, {…}]  its error
 * ```
 *
 * One JSON text in each line: writing and reading it costs 0.6 µs a key of deduplication, as much as `process.send`, whose messages wait for
 * every connection that is handed over (docs/decisions.md).
 */
import type { Readable, Writable } from 'node:stream';
import { codeOf, reasonOf } from './thrown.ts';

/** What the other side has answered in place of a result, or that it is gone. */
export class WireError extends Error {
  override readonly name = 'WireError';
  /** that of the other side's error; WIRE_CLOSED when it is gone */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** By name. What is returned, or what the promise of it becomes, is the answer. Of a tell it is thrown away, and so must not fail. */
export type WireHandlers = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: WireError) => void;
}

export class Wire {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #handlers = new Map<string, (...args: unknown[]) => unknown>();
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #line = '';
  #corked = false;
  #over = false;
  readonly closed: Promise<void>;

  constructor(input: Readable, output: Writable, handlers: WireHandlers = {}) {
    this.#input = input;
    this.#output = output;
    this.serve(handlers);
    input.setEncoding('utf8');
    input.on('data', (text: string) => this.#read(text));
    // Who is gone is seen by the end.
    for (const stream of [input, output]) stream.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      input.once('close', () => {
        this.#over = true;
        output.end();
        for (const { reject } of this.#waiting.values()) reject(gone());
        this.#waiting.clear();
        resolve();
      }),
    );
  }

  /** Answer these, too. */
  serve(handlers: WireHandlers): void {
    for (const [name, handler] of Object.entries(handlers)) this.#handlers.set(name, handler as (...args: unknown[]) => unknown);
  }

  /** Nothing that is said now will be heard. */
  get over(): boolean {
    return this.#over;
  }

  /** @throws WireError: what the other side has thrown, or that it is gone */
  call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    if (this.#over) return Promise.reject(gone());
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#write([id, name, ...args]);
    });
  }

  tell(name: string, ...args: readonly unknown[]): void {
    if (!this.#over) this.#write([0, name, ...args]);
  }

  /** Say nothing more; what was said is still sent. Resolves when the other side has ended, too. */
  end(): Promise<void> {
    this.#output.end();
    return this.closed;
  }

  destroy(): void {
    this.#input.destroy();
    this.#output.destroy();
  }

  #write(message: readonly unknown[]): void {
    // What is said in one turn leaves in one write.
    if (!this.#corked) {
      this.#corked = true;
      this.#output.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#output.uncork();
      });
    }
    this.#output.write(`${JSON.stringify(message)}\n`);
  }

  #read(text: string): void {
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.#hear(JSON.parse(this.#line + text.slice(from, end)) as [number, ...unknown[]]);
      this.#line = '';
      from = end + 1;
    }
    this.#line += text.slice(from);
  }

  #hear([id, ...rest]: [number, ...unknown[]]): void {
    if (id < 0) return this.#answered(-id, rest);
    const [name, ...args] = rest as [string, ...unknown[]];
    const handler = this.#handlers.get(name);
    if (handler === undefined) throw new Error(`the other process asks for ${name}, which there is not`);
    if (id === 0) return void handler(...args);
    this.#answer(id, handler, args);
  }

  #answer(id: number, handler: (...args: unknown[]) => unknown, args: readonly unknown[]): void {
    const answer = (result: unknown): void => {
      if (!this.#over) this.#write([-id, result ?? null]);
    };
    const fail = (error: unknown): void => {
      if (!this.#over) this.#write([-id, null, { code: codeOf(error) ?? 'FAILED', message: reasonOf(error) }]);
    };
    try {
      const result = handler(...args);
      if (result instanceof Promise) result.then(answer, fail);
      else answer(result);
    } catch (error) {
      fail(error);
    }
  }

  #answered(id: number, [result, error]: readonly unknown[]): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) return waiting?.resolve(result ?? undefined);
    const { code, message } = error as { code: string; message: string };
    waiting?.reject(new WireError(code, message));
  }
}

function gone(): WireError {
  return new WireError('WIRE_CLOSED', 'the other process is gone');
}
