/**
 * Connections to origins that have room for a request, kept for the next one to the same scheme, host and port.
 *
 * The one used last goes first: it is the least likely to have been closed by the origin.
 */
import type { OriginConnection } from './origin-connection.ts';

export class OriginPool {
  readonly #maxIdle: number;
  readonly #byKey = new Map<string, OriginConnection[]>();
  /** all of them, the longest idle first */
  readonly #idle = new Set<OriginConnection>();
  #closed = false;

  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
  }

  /** The connection is the caller's, who puts it back as soon as it is not busy any more. */
  take(key: string): OriginConnection | undefined {
    const connection = this.#byKey.get(key)?.at(-1);
    if (connection !== undefined) this.#forget(connection);
    return connection;
  }

  /** One that is here already stays. */
  put(connection: OriginConnection): void {
    if (this.#idle.has(connection)) return;
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

  #forget(connection: OriginConnection): void {
    this.#idle.delete(connection);
    const stack = this.#byKey.get(connection.key);
    const at = stack?.lastIndexOf(connection) ?? -1;
    if (stack === undefined || at === -1) return;
    stack.splice(at, 1);
    if (stack.length === 0) this.#byKey.delete(connection.key);
  }
}
