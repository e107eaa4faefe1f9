/**
 * Connections to origins that have room for a request, kept for the next one to the same scheme, host and port.
 *
 * The one used last goes first: it is the least likely to have been closed by the origin.
 */
import { performance } from 'node:perf_hooks';
import { afterReading, sweep } from '../util/after-reading.ts';
import { Linked, type Link } from '../util/linked.ts';
import type { OriginConnection } from './origin-connection.ts';

/** To one origin. Source: what browsers open to one host at a time. */
const MAX_PER_ORIGIN = 6;
/** So long more than those are kept, because many clients at once use them again and again. An origin that closes after its answer has done so by then. */
const FRESH_MS = 1000;

interface Idle {
  readonly connection: OriginConnection;
  readonly sinceMs: number;
}

export class OriginPool {
  readonly #maxIdle: number;
  /** the one used last last; where the last was taken an empty list stays for a while */
  readonly #byKey = new Map<string, Link<Idle>[]>();
  /** the longest idle first */
  readonly #idle = new Linked<Idle>();
  readonly #endSweeping: () => void;
  #closed = false;

  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
    this.#endSweeping = sweep(FRESH_MS, () => this.#closeSpare());
  }

  /** Connections that are kept, and how many may be. */
  get idle(): { readonly open: number; readonly max: number } {
    return { open: this.#idle.size, max: this.#maxIdle };
  }

  /** The connection is the caller's, who puts it back as soon as it is not busy any more. */
  take(key: string): OriginConnection | undefined {
    const link = this.#byKey.get(key)?.pop();
    const connection = link?.item?.connection;
    if (link !== undefined) this.#idle.remove(link);
    return connection;
  }

  /**
   * The same for what must not be sent twice: only one that was in use within the last second, and is open after it was looked at once more.
   *
   * @param taken called once, at once if there is none
   */
  takeFresh(key: string, taken: (connection: OriginConnection | undefined) => void): void {
    const { connection: latest, sinceMs } = this.#byKey.get(key)?.at(-1)?.item ?? NONE;
    if (latest === undefined || performance.now() - sinceMs > FRESH_MS) return taken(undefined);
    // One that can carry more stays here for the others, who would connect anew meanwhile.
    if (latest.capacity === 1) this.#forget(latest);
    afterReading(() => {
      this.#forget(latest);
      if (latest.usable && !latest.busy) return taken(latest);
      if (!latest.usable) latest.destroy();
      taken(undefined);
    });
  }

  /** One that is here already stays. */
  put(connection: OriginConnection): void {
    const stack = this.#byKey.get(connection.key);
    if (stack?.some((link) => link.item?.connection === connection) === true) return;
    if (this.#closed || !connection.usable) return connection.destroy();
    const link = this.#idle.add({ connection, sinceMs: performance.now() });
    if (stack === undefined) this.#byKey.set(connection.key, [link]);
    else stack.push(link);
    connection.park(this.#unusable);
    if (this.#idle.size > this.#maxIdle) this.#idle.first?.connection.destroy();
  }

  close(): void {
    this.#closed = true;
    this.#endSweeping();
    for (const { connection } of this.#idle) connection.destroy();
  }

  readonly #unusable = (connection: OriginConnection): void => {
    this.#forget(connection);
    connection.destroy();
  };

  #closeSpare(): void {
    const beforeMs = performance.now() - FRESH_MS;
    for (const { connection, sinceMs } of this.#idle) {
      if (sinceMs > beforeMs) break;
      if ((this.#byKey.get(connection.key)?.length ?? 0) > MAX_PER_ORIGIN) connection.destroy();
    }
    for (const [key, { length }] of this.#byKey) if (length === 0) this.#byKey.delete(key);
  }

  #forget(connection: OriginConnection): void {
    const stack = this.#byKey.get(connection.key) ?? [];
    const at = stack.findLastIndex((link) => link.item?.connection === connection);
    for (const link of at === -1 ? [] : stack.splice(at, 1)) this.#idle.remove(link);
  }
}

const NONE = { connection: undefined, sinceMs: 0 };
