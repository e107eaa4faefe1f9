/**
 * Idle connections to origins, kept for the next request to the same scheme, host and port.
 *
 * The one used last goes first: it is the least likely to have been closed by the origin.
 */
import type { UpstreamConnection } from './http1-origin.ts';

export class UpstreamPool {
  readonly #maxIdle: number;
  readonly #byKey = new Map<string, UpstreamConnection[]>();
  /** all of them, the longest idle first */
  readonly #idle = new Set<UpstreamConnection>();
  #closed = false;

  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
  }

  take(key: string): UpstreamConnection | undefined {
    const connection = this.#byKey.get(key)?.at(-1);
    if (connection !== undefined) this.#forget(connection);
    return connection;
  }

  put(connection: UpstreamConnection): void {
    if (this.#closed || !connection.usable) return connection.destroy();
    const stack = this.#byKey.get(connection.key);
    if (stack === undefined) this.#byKey.set(connection.key, [connection]);
    else stack.push(connection);
    this.#idle.add(connection);
    connection.park(() => {
      this.#forget(connection);
      connection.destroy();
    });
    const [oldest] = this.#idle;
    if (this.#idle.size > this.#maxIdle) oldest?.destroy();
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#idle]) connection.destroy();
  }

  #forget(connection: UpstreamConnection): void {
    this.#idle.delete(connection);
    const stack = this.#byKey.get(connection.key);
    const at = stack?.lastIndexOf(connection) ?? -1;
    if (stack === undefined || at === -1) return;
    stack.splice(at, 1);
    if (stack.length === 0) this.#byKey.delete(connection.key);
  }
}
