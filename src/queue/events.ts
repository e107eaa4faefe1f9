/**
 * Accepted reports as they come, for who listens: server-sent events out of one ring in memory.
 *
 * A listener is no more than a place in the ring: who is slow costs nothing, and is told how many events it has missed.
 * Source: HTML Standard §9.2 (server-sent events).
 */

/** Of the ring, and of those who listen. */
export interface EventBounds {
  readonly events: number;
  readonly chars: number;
  readonly listeners: number;
  /** of silence, after which a comment says that the connection is alive; it is also what finds out that a client has left */
  readonly heartbeatMs: number;
}

export const EVENT_BOUNDS: EventBounds = { events: 10_000, chars: 8 * 1024 * 1024, listeners: 32, heartbeatMs: 5_000 };

const REPORT = 'heroshi-report';
const MISSED = 'heroshi-missed';
const HEARTBEAT = ': alive\n\n';
/** Told in one go. */
const PIECE_CHARS = 65_536;

export class Events {
  readonly #bounds: EventBounds;
  /** tells the identifiers of this run from those of another */
  readonly #run: string;
  /** by number, oldest first, without gaps */
  readonly #ring = new Map<number, string>();
  #chars = 0;
  #last = 0;
  #listeners = 0;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(startedMs: number, bounds: EventBounds = EVENT_BOUNDS) {
    this.#run = startedMs.toString(36);
    this.#bounds = bounds;
  }

  publish(event: object): void {
    const text = `id: ${this.#run}-${++this.#last}\nevent: ${REPORT}\ndata: ${JSON.stringify(event)}\n\n`;
    this.#ring.set(this.#last, text);
    this.#chars += text.length;
    for (const [number, { length }] of this.#ring) {
      if (this.#ring.size <= this.#bounds.events && this.#chars <= this.#bounds.chars) break;
      this.#ring.delete(number);
      this.#chars -= length;
    }
    this.#wake();
  }

  /**
   * @param after identifier of the last event that is known; null: what comes from now on
   * @returns undefined when too many listen
   */
  listen(after: string | null): ReadableStream<Uint8Array> | undefined {
    if (this.#listeners >= this.#bounds.listeners) return undefined;
    this.#listeners++;
    let listens = true;
    const leave = () => {
      if (listens) this.#listeners--;
      listens = false;
      this.#wake();
    };
    const told = this.#tell(after === null ? this.#last + 1 : this.#following(after), () => listens);
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { value } = await told.next();
          if (value !== undefined) return controller.enqueue(Buffer.from(value));
          if (listens) controller.close();
          leave();
        },
        cancel: leave,
      },
      { highWaterMark: 0 },
    );
  }

  /** Who listens is told what there is, and no more. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** @param from undefined: all that there is, after more that nobody knows the number of */
  async *#tell(from: number | undefined, listens: () => boolean): AsyncGenerator<string, undefined> {
    if (from === undefined) yield missed(null);
    let next = from ?? this.#oldest;
    while (listens()) {
      const oldest = this.#oldest;
      if (next < oldest) {
        yield missed(oldest - next);
        next = oldest;
        continue;
      }
      let text = '';
      for (; next <= this.#last && text.length < PIECE_CHARS; next++) text += this.#ring.get(next) ?? '';
      if (text === '' && this.#closed) return undefined;
      const said = text === '' ? await this.#change() : text;
      if (said !== '' && listens()) yield said;
    }
    return undefined;
  }

  get #oldest(): number {
    return this.#last - this.#ring.size + 1;
  }

  /** The number behind an identifier. @returns undefined for one of another run */
  #following(id: string): number | undefined {
    const [run, digits = ''] = id.split('-');
    const number = /^\d{1,15}$/.test(digits) ? Number(digits) : Infinity;
    return run === this.#run && number <= this.#last ? number + 1 : undefined;
  }

  /** There is something new, or it has been silent for long. @returns what is to be told then */
  #change(): Promise<string> {
    return new Promise((resolve) => {
      const end = (text: string) => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(text);
      };
      const wake = () => end('');
      const timer = setTimeout(end, this.#bounds.heartbeatMs, HEARTBEAT).unref();
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

function missed(count: number | null): string {
  return `event: ${MISSED}\ndata: ${JSON.stringify({ missed: count })}\n\n`;
}
