/**
 * The last captures, as events, and who waits for further ones.
 *
 * Bounded by number and by bytes: the oldest go first. Whoever reads keeps the number of the next one that it wants, and nothing is kept for
 * it: one that is slow finds that some have gone.
 */
import { randomUUID } from 'node:crypto';
import type { Capture } from '../../capture/capture.ts';
import { copyOf, emptyEvent, fillEvent, type CaptureEvent, type ReusedEvent } from './event.ts';

export interface RecentOptions {
  readonly maxEvents?: number;
  /** of texts, about */
  readonly maxBytes?: number;
  /** so many share both */
  readonly of?: number;
  /** told of each who begins to wait for further ones */
  readonly onWanted?: () => void;
}

const MAX_EVENTS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;
/** What an event takes beside its URL, about, with the line that is made of it when somebody watches. */
const EVENT_BYTES = 1000;
/** Who waits is told of many at a time. */
const GATHER_MS = 100;

export class Recent {
  /** differs for each start: numbers of another one mean nothing here */
  readonly instance = randomUUID().slice(0, 8);
  readonly maxEvents: number;
  readonly #maxBytes: number;
  readonly #events: (Kept | undefined)[];
  /** of the capture that has gone last, to be used for the next */
  #spare: Kept | undefined;
  #first = 1;
  #next = 1;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();
  readonly #ending = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  readonly #onWanted: () => void;
  #closed = false;

  constructor({ maxEvents = MAX_EVENTS, maxBytes = MAX_BYTES, of = 1, onWanted = () => undefined }: RecentOptions = {}) {
    this.#onWanted = onWanted;
    this.maxEvents = Math.ceil(maxEvents / of);
    this.#maxBytes = Math.ceil(maxBytes / of);
    this.#events = new Array<Kept | undefined>(this.maxEvents);
  }

  /** Number of the oldest that is kept. */
  get first(): number {
    return this.#first;
  }

  /** Number that the next one will have. */
  get next(): number {
    return this.#next;
  }

  get size(): number {
    return this.#next - this.#first;
  }

  /** Somebody waits for further ones. */
  get wanted(): boolean {
    return this.#waiting.size > 0;
  }

  /** It takes nothing more, and nobody need wait. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @returns its event, as `peek` */
  add(capture: Capture): CaptureEvent {
    this.#makeRoom();
    const kept = this.#spare ?? { event: emptyEvent(), text: undefined };
    this.#spare = undefined;
    fillEvent(kept.event, this.#next, capture);
    kept.text = undefined;
    return this.#keep(kept);
  }

  /** One that another process has made; it gets its number here. */
  put(made: CaptureEvent): void {
    this.#makeRoom();
    this.#keep({ event: copyOf(made, this.#next), text: undefined });
  }

  /** So many were never heard of: they have numbers, and nothing more. */
  skip(count: number): void {
    this.#next += count;
    while (this.size > this.maxEvents) this.#drop();
  }

  /** @returns undefined for one that has gone, or has not come */
  get(id: number): CaptureEvent | undefined {
    const event = this.peek(id);
    return event && copyOf(event);
  }

  /** The same to be looked at now: when it is kept no more, it becomes another. */
  peek(id: number): CaptureEvent | undefined {
    return id >= this.#first && id < this.#next ? this.#events[id % this.maxEvents]?.event : undefined;
  }

  /** One line of JSON, made once. */
  textOf(event: CaptureEvent): string {
    const kept = this.#events[event.id % this.maxEvents];
    if (kept?.event !== event) return JSON.stringify(event);
    return (kept.text ??= JSON.stringify(event));
  }

  /** Call back once, soon after there is a further one, or there will be none. @returns a function that gives up waiting */
  onNews(callback: () => void): () => void {
    this.#waiting.add(callback);
    this.#onWanted();
    return () => void this.#waiting.delete(callback);
  }

  /** Call back when there will be none any more. @returns a function that gives up waiting */
  onEnd(callback: () => void): () => void {
    this.#ending.add(callback);
    return () => void this.#ending.delete(callback);
  }

  /** Who waits is told that nothing more comes. */
  close(): void {
    this.#closed = true;
    this.#wake();
    for (const callback of this.#ending) callback();
  }

  #makeRoom(): void {
    if (this.size === this.maxEvents) this.#drop();
  }

  #keep(kept: Kept): CaptureEvent {
    this.#events[this.#next % this.maxEvents] = kept;
    this.#next++;
    this.#bytes += sizeOf(kept.event);
    while (this.#bytes > this.#maxBytes && this.size > 1) this.#drop();
    if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => this.#wake(), GATHER_MS).unref();
    return kept.event;
  }

  #drop(): void {
    const index = this.#first % this.maxEvents;
    const kept = this.#events[index];
    if (kept !== undefined) this.#bytes -= sizeOf(kept.event);
    this.#spare = kept;
    this.#events[index] = undefined;
    this.#first++;
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}

interface Kept {
  readonly event: ReusedEvent;
  text: string | undefined;
}

function sizeOf({ url, referer }: CaptureEvent): number {
  // The text that is made of it has the URL once more.
  return EVENT_BYTES + 2 * (url.length + (referer?.length ?? 0));
}
