/**
 * Proxies on loopback for browsers of our own, with certificates of an authority that nobody else has to trust.
 *
 *   browser ─► listener ─ CONNECT ─► handler
 */
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateCa } from '../ca/authority.ts';
import { openLeafStore, type LeafStore } from '../ca/contexts.ts';
import type { Handler } from '../http/sides.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { withTunnels } from '../serve/connect.ts';
import { Listener } from '../serve/listener.ts';
import type { Log } from '../util/log.ts';
import { allInOrder } from '../util/thrown.ts';
import type { Core } from './core.ts';

/** The proxy of one browser, or of one page. */
export interface BrowserWay extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** of the key of its certificates, Base64 */
  readonly keySha256: string;
}

export interface BrowserWaysParts {
  readonly core: Core;
  readonly options: Pick<ResolvedCoreOptions, 'socketTimeout' | 'minRate' | 'sslContext'>;
  /** for `browser-ca.pem` and `browser-certs` */
  readonly dir: string;
  /** HTTP/2 with the browser, and so with origins: streams at once; 0 without it */
  readonly http2Streams: number;
  readonly log: Log;
}

/** A page has as many as a browser opens to all of its hosts. */
const MAX_CONNECTIONS = 256;
const HEAD_TIMEOUT_MS = 60_000;

export class BrowserWays {
  readonly #parts: BrowserWaysParts;
  readonly #listeners = new Set<Listener>();
  #leaves: Promise<LeafStore> | undefined;

  constructor(parts: BrowserWaysParts) {
    this.#parts = parts;
  }

  /** Never connected to. */
  get listening(): AddressInfo[] {
    return [...this.#listeners].flatMap(({ address }) => address ?? []);
  }

  async open(handler: Handler): Promise<BrowserWay> {
    const { core, options, http2Streams, log } = this.#parts;
    this.#leaves ??= this.#openLeaves();
    const leaves = await this.#leaves;
    const listener = new Listener({
      handler: withTunnels(handler),
      secureContexts: (host) => leaves.secureContext(host),
      http2Streams,
      maxConnections: MAX_CONNECTIONS,
      socketTimeoutMs: options.socketTimeout * 1000,
      imitate: options.sslContext === 'mirror',
      headTimeoutMs: HEAD_TIMEOUT_MS,
      minRate: { bytesPerSecond: options.minRate, windowMs: options.socketTimeout * 1000 },
      heads: core.heads,
      log,
    });
    this.#listeners.add(listener);
    const { port } = await listener.listen(0, '127.0.0.1');
    const close = async () => {
      await listener.close();
      this.#listeners.delete(listener);
    };
    return { url: `http://127.0.0.1:${port}`, keySha256: leaves.keySha256, [Symbol.asyncDispose]: close };
  }

  close(): Promise<void> {
    return allInOrder([
      ...[...this.#listeners].map((listener) => () => listener.close()),
      async () => (await this.#leaves?.catch(() => undefined))?.close(),
    ]);
  }

  async #openLeaves(): Promise<LeafStore> {
    const { dir, log } = this.#parts;
    const ca = await loadOrCreateCa({ file: join(dir, 'browser-ca.pem'), hostname: hostname(), log });
    return openLeafStore({ ca, dir: join(dir, 'browser-certs'), log });
  }
}
