/**
 * Connecting to origins that may speak HTTP/2: of many requests at once one connects, and the others wait for what it finds.
 *
 *   h2        they share the session, as far as it has room; the next one of those that are left connects again
 *   HTTP/1.1  each has a connection of its own, and that origin is remembered for a while
 */
import { LRUCache } from 'lru-cache';
import type { Http2Origin } from './http2-origin.ts';
import { originKey, type Connect, type Origin } from './origin.ts';
import type { OriginConnection } from './origin-connection.ts';
import type { OriginPool } from './pool.ts';

const REMEMBERED = 4096;
const REMEMBERED_MS = 600_000;

/** What was found: a session to share, or that there is nothing to share. */
type Found = Http2Origin | undefined;

export interface SessionSharingOptions {
  readonly connect: Connect;
  readonly pool: Pick<OriginPool, 'put'>;
}

export class SessionSharing {
  readonly #options: SessionSharingOptions;
  /** by the key of the origin: sessions that are being made, or have not said how much they take */
  readonly #young = new Map<string, Promise<Found>>();
  readonly #http1 = new LRUCache<string, 'chosen' | 'wanted'>({ max: REMEMBERED, ttl: REMEMBERED_MS });

  constructor(options: SessionSharingOptions) {
    this.#options = options;
  }

  /** @throws FetchError (rejects with it) */
  connect(origin: Origin): Promise<OriginConnection> {
    return origin.http2 === true && origin.scheme === 'https' ? this.#shared(origin) : this.#options.connect(origin);
  }

  async #shared(origin: Origin): Promise<OriginConnection> {
    const { connect } = this.#options;
    const key = originKey(origin, origin.servername, origin.upstream, true, origin.imitation);
    for (let young = this.#young.get(key); young !== undefined; young = this.#young.get(key)) {
      const session = await young;
      if (session?.usable === true && !session.busy) {
        session.reserve();
        return session;
      }
      if (this.#young.get(key) === young) this.#young.delete(key);
      if (this.#http1.has(key)) break;
    }
    return this.#http1.has(key) ? this.#remember(key, await connect(this.#asKnown(origin, key))) : this.#first(key, origin);
  }

  /** HTTP/1.1 is all that this origin wants to be asked by. */
  wantsHttp1(origin: Origin): void {
    this.#http1.set(originKey(origin, origin.servername, origin.upstream, true, origin.imitation), 'wanted');
  }

  #asKnown(origin: Origin, key: string): Origin {
    return this.#http1.get(key) === 'wanted' ? { ...origin, onlyHttp1: true } : origin;
  }

  async #first(key: string, origin: Origin): Promise<OriginConnection> {
    const made = this.#options.connect(origin).then((connection) => this.#remember(key, connection));
    const young = made.then(async (connection): Promise<Found> => {
      if (!isSession(connection)) return undefined;
      const late = await connection.settled;
      if (late !== undefined) throw late;
      return connection;
    });
    this.#young.set(key, young);
    young
      .then((session) => {
        if (session?.usable === true && !session.busy) this.#options.pool.put(session);
      })
      .catch(() => undefined)
      .finally(() => this.#young.get(key) === young && this.#young.delete(key));
    return made;
  }

  #remember(key: string, connection: OriginConnection): OriginConnection {
    if (isSession(connection)) this.#http1.delete(key);
    else if (!this.#http1.has(key)) this.#http1.set(key, 'chosen');
    return connection;
  }
}

/** HTTP/1 has nothing to say before it is asked. */
function isSession(connection: OriginConnection): connection is Http2Origin {
  return 'settled' in connection;
}
