/**
 * The moments at which people look into the archive: who has chosen one sees each URL as it was then, with all that a page asks for.
 *
 * A browser cannot be had to send Accept-Datetime, so it is known by its address and its User-Agent. Bounded, and forgotten when nobody has
 * looked for long.
 */
import { performance } from 'node:perf_hooks';

export interface Moments {
  /** @returns undefined for who has chosen none: the latest */
  of(viewer: string): Promise<Date | undefined>;
  /** @param at undefined: the latest, from now on */
  choose(viewer: string, at: Date | undefined): Promise<void>;
}

const MAX_VIEWERS = 10_000;
const MAX_AGENT = 512;
const FORGOTTEN_MS = 12 * 60 * 60 * 1000;

/** Who looks. @param address of the client */
export function viewerOf(address: string | undefined, userAgent: string | null | undefined): string {
  return `${address ?? ''} ${(userAgent ?? '').slice(0, MAX_AGENT)}`;
}

/** Those of this process. The one that has not been used for longest goes first. */
export class KnownMoments implements Moments {
  readonly #known = new Map<string, { readonly at: Date; readonly usedMs: number }>();
  readonly #max: number;
  readonly #nowMs: () => number;

  constructor({ max = MAX_VIEWERS, nowMs = () => performance.now() }: { readonly max?: number; readonly nowMs?: () => number } = {}) {
    this.#max = max;
    this.#nowMs = nowMs;
  }

  of(viewer: string): Promise<Date | undefined> {
    const known = this.#known.get(viewer);
    if (known === undefined) return Promise.resolve(undefined);
    const isOver = this.#nowMs() - known.usedMs > FORGOTTEN_MS;
    this.#put(viewer, isOver ? undefined : known.at);
    return Promise.resolve(isOver ? undefined : known.at);
  }

  choose(viewer: string, at: Date | undefined): Promise<void> {
    this.#put(viewer, at);
    return Promise.resolve();
  }

  #put(viewer: string, at: Date | undefined): void {
    this.#known.delete(viewer);
    if (at === undefined) return;
    this.#known.set(viewer, { at, usedMs: this.#nowMs() });
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#max && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** `20260102030405`, or its beginning down to the year, of UTC. @returns undefined for what is no time */
export function momentIn(stamp: string): Date | undefined {
  if (!/^\d{4,14}$/.test(stamp) || stamp.length % 2 !== 0) return undefined;
  const [year, month, day, hours, minutes, seconds] = `${stamp}${'00000101000000'.slice(stamp.length)}`.match(/^\d{4}|\d\d/g) ?? [];
  const text = `${year}-${month}-${day}T${hours}:${minutes}:${seconds}`;
  const date = new Date(`${text}Z`);
  return !Number.isNaN(Number(date)) && date.toISOString().startsWith(text) ? date : undefined;
}
