/**
 * Connections to origins that have room for a request, kept for the next one to the same scheme, host and port.
 *
 * The one used last goes first: it is the least likely to have been closed by the origin.
 */
import { performance } from 'node:perf_hooks';
import { afterReading, sweep } from '../util/after-reading.ts';
import type { OriginConnection } from './origin-connection.ts';

/** To one origin. Source: what browsers open to one host at a time. */
const MAX_PER_ORIGIN = 6;
/** So long more than those are kept, because many clients at once use them again and again. An origin that closes after its answer has done so by then. */
const FRESH_MS = 1000;

export class OriginPool {
  readonly #maxIdle: number;
  readonly #byKey = new Map<string, OriginConnection[]>();
  /** all of them and since when, the longest idle first */
  readonly #idle = new Map<OriginConnection, number>();
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
    const connection = this.#byKey.get(key)?.at(-1);
    if (connection !== undefined) this.#forget(connection);
    return connection;
  }

  /**
   * The same for what must not be sent twice: only one that was in use within the last second, and is open after it was looked at once more.
   *
   * @param taken called once, at once if there is none
   */
  takeFresh(key: string, taken: (connection: OriginConnection | undefined) => void): void {
    const latest = this.#byKey.get(key)?.at(-1);
    const sinceMs = latest && this.#idle.get(latest);
    if (latest === undefined || sinceMs === undefined || performance.now() - sinceMs > FRESH_MS) return taken(undefined);
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
    if (this.#idle.has(connection)) return;
    if (this.#closed || !connection.usable) return connection.destroy();
    const stack = this.#byKey.get(connection.key);
    if (stack === undefined) this.#byKey.set(connection.key, [connection]);
    else stack.push(connection);
    this.#idle.set(connection, performance.now());
    connection.park(() => {
      this.#forget(connection);
      connection.destroy();
    });
    const [oldest] = this.#idle.keys();
    if (this.#idle.size > this.#maxIdle) oldest?.destroy();
  }

  close(): void {
    this.#closed = true;
    this.#endSweeping();
    for (const connection of [...this.#idle.keys()]) connection.destroy();
  }

  #closeSpare(): void {
    const beforeMs = performance.now() - FRESH_MS;
    for (const [connection, sinceMs] of this.#idle) {
      if (sinceMs > beforeMs) break;
      if ((this.#byKey.get(connection.key)?.length ?? 0) > MAX_PER_ORIGIN) connection.destroy();
    }
  }

  #forget(connection: OriginConnection): void {
    this.#idle.delete(connection);
    const stack = this.#byKey.get(connection.key);
    const at = stack?.lastIndexOf(connection) ?? -1;
    if (stack === undefined || at === -1) return;
    stack.splice(at, 1);
    if (stack.length === 0) this.#byKey.delete(connection.key);
  }
}
