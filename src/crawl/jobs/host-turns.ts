/**
 * Whose turn it is at a host: one request at a time, and a delay from the end of one to the start of the next, for all jobs together.
 *
 * Source: the delays of the settings, `Retry-After` (RFC 9110 §10.2.3), `Crawl-delay` where a policy obeys it.
 */
import type { Clock, Delays } from './types.ts';
import { inLine } from '../../util/in-line.ts';

export interface TurnsParts {
  readonly delays: Delays;
  readonly clock: Pick<Clock, 'elapsed'>;
  /** somebody who was not let go may go now */
  readonly onFree: () => void;
}

/** Ends once, one way or the other. */
export interface Turn {
  /** The request has ended. @param pauseMs until the next, should the host's delay be shorter */
  end(pauseMs?: number): void;
  /** There was no request. */
  giveBack(): void;
}

interface Host {
  busy: boolean;
  endedAt: number;
  /** not to be asked before */
  notBefore: number;
  readonly waiting: (() => void)[];
  timer: NodeJS.Timeout | undefined;
}

/** Hosts that are remembered: past them, those go that may be asked again. */
const MAX_HOSTS = 10_000;

export class HostTurns {
  readonly #parts: TurnsParts;
  readonly #hosts = new Map<string, Host>();
  #waiting = 0;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
  }

  /** Requests that wait for their turn here. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Milliseconds until a turn can be taken; Infinity while another has it, or waits for it. */
  readyIn(host: string): number {
    const known = this.#hosts.get(host);
    if (known === undefined) return 0;
    return known.busy || known.waiting.length > 0 ? Infinity : this.#pauseOf(host, known);
  }

  /** At once, for who was told that it is ready. */
  take(host: string): Turn {
    const known = this.#hostOf(host);
    known.busy = true;
    let over = false;
    const leave = (asked: boolean, pauseMs = 0) => {
      if (over) return;
      over = true;
      known.busy = false;
      if (asked) {
        known.endedAt = this.#parts.clock.elapsed();
        known.notBefore = Math.max(known.notBefore, known.endedAt + pauseMs);
      }
      this.#next(host, known);
      if (known.waiting.length === 0) this.#parts.onFree();
    };
    return { end: (pauseMs) => leave(true, pauseMs), giveBack: () => leave(false) };
  }

  /** As soon as it is one's turn. @throws the signal's reason */
  async turn(host: string, signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted();
    if (this.readyIn(host) === 0) return this.take(host);
    const known = this.#hostOf(host);
    this.#waiting++;
    try {
      const turn = inLine({
        line: known.waiting,
        signal,
        go: () => this.take(host),
        left: () => {
          this.#next(host, known);
          this.#parts.onFree();
        },
      });
      this.#next(host, known);
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  close(): void {
    for (const { timer } of this.#hosts.values()) clearTimeout(timer);
  }

  #next(host: string, known: Host): void {
    clearTimeout(known.timer);
    known.timer = undefined;
    if (known.busy || known.waiting.length === 0) return;
    const pause = this.#pauseOf(host, known);
    if (pause > 0) known.timer = setTimeout(() => this.#next(host, known), pause);
    else known.waiting.shift()?.();
  }

  #pauseOf(host: string, { endedAt, notBefore }: Host): number {
    const { delays, clock } = this.#parts;
    const at = Math.max(endedAt + delays.delayOf(host) * 1000, notBefore);
    return Math.max(0, Math.ceil(at - clock.elapsed()));
  }

  #hostOf(host: string): Host {
    const known = this.#hosts.get(host) ?? { busy: false, endedAt: -Infinity, notBefore: -Infinity, waiting: [], timer: undefined };
    this.#hosts.set(host, known);
    if (this.#hosts.size > MAX_HOSTS) this.#forgetIdle();
    return known;
  }

  #forgetIdle(): void {
    for (const [host, known] of this.#hosts) {
      if (this.#hosts.size <= MAX_HOSTS / 2) return;
      if (!known.busy && known.waiting.length === 0 && this.#pauseOf(host, known) === 0) this.#hosts.delete(host);
    }
  }
}
