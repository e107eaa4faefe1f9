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
import { boundedTarget } from '../http/target.ts';
import { afterReading } from '../util/after-reading.ts';

import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';
import { bodyReader, type BodyReader } from './body.ts';
import { requestFraming } from './framing.ts';
import { FIELD_BYTES, NO_CEILING, type HeadMemory, type HeadOwner } from './head-memory.ts';
import { HeadReader, parseRequestHead } from './head.ts';

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
  /** where heads find room */
  readonly heads?: HeadMemory;
}

export class RequestReader implements HeadOwner {
  readonly #source: ByteSource;
  readonly #events: RequestEvents;
  readonly #options: RequestReaderOptions;
  readonly #memory: HeadMemory;
  readonly #heads: HeadReader;
  #state: 'head' | 'body' | 'answer' | 'over' = 'head';
  #body: BodyReader | undefined;
  /** when the head came that is not complete yet */
  #headSinceMs: number | undefined;
  #rate: MinimumRate | undefined;
  #serving: RequestBody | undefined;
  /** bytes that came before their turn */
  #early: Buffer[] = [];
  /** of the current request, and of what came before its turn */
  #takenBytes = 0;

  constructor(source: ByteSource, events: RequestEvents, options: RequestReaderOptions) {
    this.#source = source;
    this.#events = events;
    this.#options = options;
    this.#memory = options.heads ?? NO_CEILING;
    this.#heads = new HeadReader(this.#memory, this);
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
    else if (this.#state !== 'over') {
      const noRoom = this.#keepIfRoom(bytes);
      if (noRoom !== undefined) this.#refuse(noRoom);
    }
  }

  onGivenUp(error: MessageError): void {
    this.#events.onMalformed(error);
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
    this.#giveBack();
    this.#goOn();
  }

  /** Read nothing any more. @returns what came before its turn */
  stop(): Buffer {
    this.#state = 'over';
    this.#heads.release();
    this.#giveBack();
    return this.#takeEarly();
  }

  #readHead(bytes: Buffer): void {
    try {
      const received = this.#heads.withoutEmptyLines(bytes);
      const found = received.length === 0 ? undefined : this.#heads.push(received);
      if (found === undefined) return this.#awaitHead();
      this.#headSinceMs = undefined;
      const head = parseRequestHead(found.head);
      boundedTarget(head.target);
      this.#take(found.head.length + FIELD_BYTES * head.fields.list.length);
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
    const sinceMs = (this.#headSinceMs ??= nowMs);
    if (nowMs - sinceMs <= this.#options.headTimeoutMs) return;
    const { pending } = this.#heads;
    afterReading(() => {
      if (this.#state === 'head' && this.#headSinceMs === sinceMs && this.#heads.pending === pending)
        this.#events.onTooSlow('request head not complete within the time limit');
    });
  }

  #readBody(bytes: Buffer, body: BodyReader, serving: RequestBody): void {
    const payload: Buffer[] = [];
    let end: number;
    try {
      end = body.read(bytes, 0, payload);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return this.#refuse(error);
    }
    const ready = serving.write(end === bytes.length ? bytes : bytes.subarray(0, end), payload);
    if (body.done) {
      this.#state = 'answer';
      const noRoom = end < bytes.length ? this.#keepIfRoom(bytes.subarray(end)) : undefined;
      serving.endRequest();
      if (noRoom !== undefined) this.#refuse(noRoom);
      return;
    }
    this.#rate ??= new MinimumRate(this.#options.minRate);
    if (this.#rate.tooSlow(bytes.length)) {
      this.unserve()?.clientGone();
      this.#events.onTooSlow('request body comes too slowly');
    } else if (!ready) {
      this.#rate.hold();
      this.#source.pause();
    }
  }

  /** @throws MessageError when there is no room */
  #keep(bytes: Buffer): void {
    this.#take(bytes.length);
    this.#early.push(bytes);
    this.#source.pause();
  }

  #keepIfRoom(bytes: Buffer): MessageError | undefined {
    try {
      this.#keep(bytes);
      return undefined;
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return error;
    }
  }

  /** More of the body may come. */
  resume(): void {
    if (this.#state !== 'body') return;
    this.#rate?.resume();
    this.#source.resume();
  }

  /** The request, or what came after it, cannot be read on. */
  #refuse(error: MessageError): void {
    this.unserve()?.clientGone();
    this.#events.onMalformed(error);
  }

  #take(bytes: number): void {
    this.#memory.take(bytes);
    this.#takenBytes += bytes;
  }

  #giveBack(): void {
    this.#memory.give(this.#takenBytes);
    this.#takenBytes = 0;
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
