/**
 * Reads the requests of one client, one after the other, strictly: heads are told of, bodies go to whoever serves the request, and what comes
 * before its turn waits while its source is paused.
 *
 * No sockets: bytes in, calls out. Source: RFC 9112 §2.2, §6.3, §9.3.2 (pipelining).
 *
 *   head ──► body ──► answer ──► head …        `next` begins the next one
 */
import { MessageError } from '../http/errors.ts';
import type { Framing, RequestHead } from '../http/message.ts';
import type { RequestBody } from '../http/sides.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';
import { bodyReader, type BodyReader } from './body.ts';
import { requestFraming } from './framing.ts';
import { HeadReader, leadingEmptyLines, parseRequestHead } from './head.ts';

/** What gives the bytes. */
export interface ByteSource {
  pause(): unknown;
  resume(): unknown;
}

export interface RequestEvents {
  /** Whoever shall serve it is named by `serve`; until then nothing of its body is read. */
  onHead(head: RequestHead, framing: Framing, hasBody: boolean): void;
  /** The request, or the rest of it, cannot be read; nobody serves it any more. */
  onMalformed(error: MessageError): void;
  /** It comes too slowly, and is given up. */
  onTooSlow(line: string): void;
  /** These bytes came before their turn, which is now: they are to be given to `receive` again. */
  onTurn(bytes: Buffer): void;
}

export interface RequestReaderOptions {
  /** from the first byte of a head to its last */
  readonly headTimeoutMs: number;
  /** of the body of a request */
  readonly minRate: MinimumRateOptions;
}

export class RequestReader {
  readonly #source: ByteSource;
  readonly #events: RequestEvents;
  readonly #options: RequestReaderOptions;
  readonly #heads = new HeadReader();
  #state: 'head' | 'body' | 'answer' | 'over' = 'head';
  #body: BodyReader | undefined;
  /** when the head came that is not complete yet */
  #headSinceMs: number | undefined;
  #rate: MinimumRate | undefined;
  #serving: RequestBody | undefined;
  /** bytes that came before their turn */
  #early: Buffer[] = [];

  constructor(source: ByteSource, events: RequestEvents, options: RequestReaderOptions) {
    this.#source = source;
    this.#events = events;
    this.#options = options;
  }

  /** `head`: between two requests, or in a head; `body`: one is not complete; `answer`: it is, and the next has not begun */
  get state(): 'head' | 'body' | 'answer' | 'over' {
    return this.#state;
  }

  /** A head has begun and is not complete. */
  get inHead(): boolean {
    return this.#state === 'head' && this.#heads.pending > 0;
  }

  get hasEarly(): boolean {
    return this.#early.length > 0;
  }

  get serving(): RequestBody | undefined {
    return this.#serving;
  }

  receive(bytes: Buffer): void {
    if (this.#state === 'head') this.#readHead(bytes);
    else if (this.#state === 'body' && this.#body !== undefined && this.#serving !== undefined)
      this.#readBody(bytes, this.#body, this.#serving);
    else if (this.#state !== 'over') this.#keep(bytes);
  }

  /** The current request is served by this, which is given what has come of its body. */
  serve(body: RequestBody): void {
    this.#serving = body;
    if (this.#state === 'answer') body.endRequest();
    else this.#goOn();
  }

  /** Nobody serves the current request any more. @returns who did */
  unserve(): RequestBody | undefined {
    const serving = this.#serving;
    this.#serving = undefined;
    return serving;
  }

  /** On to the next request. */
  next(): void {
    this.#state = 'head';
    this.#body = undefined;
    this.#rate = undefined;
    this.#goOn();
  }

  /** Read nothing any more. @returns what came before its turn */
  stop(): Buffer {
    this.#state = 'over';
    return this.#takeEarly();
  }

  #readHead(bytes: Buffer): void {
    const empty = this.#heads.pending === 0 ? leadingEmptyLines(bytes) : 0;
    const received = empty === 0 ? bytes : bytes.subarray(empty);
    try {
      const found = received.length === 0 ? undefined : this.#heads.push(received);
      if (found === undefined) return this.#awaitHead();
      this.#headSinceMs = undefined;
      const head = parseRequestHead(found.head);
      const framing = requestFraming(head);
      this.#body = bodyReader(framing, true);
      const hasBody = !this.#body.done;
      this.#state = hasBody ? 'body' : 'answer';
      // Kept for its turn, which begins when this request has been let in or answered.
      if (found.rest.length > 0) this.#keep(found.rest);
      this.#events.onHead(head, framing, hasBody);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#events.onMalformed(error);
    }
  }

  /** Looked at when a byte comes: that none comes is for the idle time-out to see. */
  #awaitHead(): void {
    const nowMs = performance.now();
    this.#headSinceMs ??= nowMs;
    if (nowMs - this.#headSinceMs > this.#options.headTimeoutMs) this.#events.onTooSlow('request head not complete within the time limit');
  }

  #readBody(bytes: Buffer, body: BodyReader, serving: RequestBody): void {
    const payload: Buffer[] = [];
    let end: number;
    try {
      end = body.read(bytes, 0, payload);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.unserve()?.clientGone();
      return this.#events.onMalformed(error);
    }
    const ready = serving.write(end === bytes.length ? bytes : bytes.subarray(0, end), payload);
    if (body.done) {
      this.#state = 'answer';
      if (end < bytes.length) this.#early.push(bytes.subarray(end));
      serving.endRequest();
    } else if (!ready) {
      this.#rate?.restart();
      this.#source.pause();
    } else {
      this.#rate ??= new MinimumRate(this.#options.minRate);
      if (!this.#rate.tooSlow(bytes.length)) return;
      this.unserve()?.clientGone();
      this.#events.onTooSlow('request body comes too slowly');
    }
  }

  #keep(bytes: Buffer): void {
    this.#early.push(bytes);
    this.#source.pause();
  }

  /** What came before its turn is told of, but not from within the answer to what came before it. */
  #goOn(): void {
    if (this.#early.length === 0) return void this.#source.resume();
    process.nextTick(() => {
      const bytes = this.#takeEarly();
      if (this.#state === 'over') return;
      this.#source.resume();
      this.#events.onTurn(bytes);
    });
  }

  #takeEarly(): Buffer {
    const [first, ...more] = this.#early;
    this.#early = [];
    return first === undefined ? NOTHING : more.length === 0 ? first : Buffer.concat([first, ...more]);
  }
}

const NOTHING = Buffer.alloc(0);
