/**
 * The streams of a session: those that are open, those that are over and of which something may still come, and the last that has begun.
 *
 * Source: RFC 9113 §5.1 (states), §5.1.1 (numbers).
 */
import { CODE, Http2Error } from './frames.ts';
import { PastStreams, type Ending } from './past-streams.ts';
import type { SessionStream } from './stream.ts';

/** Emptied when it is over: a Map keeps what it had in tables that it has outgrown (util/linked.ts). */
interface Place {
  stream: SessionStream | undefined;
}

export class Streams {
  readonly #open = new Map<number, Place>();
  readonly #past = new PastStreams();
  /** of those that clients open */
  last = 0;

  get size(): number {
    return this.#open.size;
  }

  *values(): IterableIterator<SessionStream> {
    for (const { stream } of this.#open.values()) if (stream !== undefined) yield stream;
  }

  get(id: number): SessionStream | undefined {
    return this.#open.get(id)?.stream;
  }

  has(id: number): boolean {
    return this.#open.has(id);
  }

  /** How one that is over came to that; undefined when it is not, or has been forgotten. */
  endingOf(id: number): Ending | undefined {
    return this.#past.endingOf(id);
  }

  add(stream: SessionStream): void {
    this.#open.set(stream.id, { stream });
  }

  /** How it ends is known, though it may have something to tell yet. */
  ends(id: number, ending: Ending): void {
    this.#past.add(id, ending);
  }

  /** @returns whether it was open */
  forget(id: number, ending: Ending): boolean {
    const place = this.#open.get(id);
    if (place === undefined) return false;
    place.stream = undefined;
    this.#open.delete(id);
    if (!this.#past.has(id)) this.#past.add(id, ending);
    return true;
  }

  clear(): void {
    this.#open.clear();
  }

  /** @throws Http2Error when a client cannot begin this one now (RFC 9113 §5.1.1) */
  begin(id: number): void {
    if (id % 2 === 0 || id <= this.last) throw new Http2Error(CODE.protocol, `stream ${id} cannot begin`);
    this.last = id;
  }

  /** @throws Http2Error for something of a stream that has not begun */
  checkBegun(id: number, what: string): void {
    if (id % 2 === 0 || id > this.last) throw new Http2Error(CODE.protocol, `${what} of stream ${id}, which has not begun`);
  }
}
