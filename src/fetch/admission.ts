/**
 * Which exchanges run: at most so many at once, the others wait their turn; none longer than the time limit of a fetch.
 *
 * A WebSocket is an exchange for as long as it is open, which nobody can tell before. So half of the places are kept for what ends.
 */
import { performance } from 'node:perf_hooks';
import { FetchError } from '../http/fetch-error.ts';
import { sweep } from '../util/after-reading.ts';
import { Linked, type Link } from '../util/linked.ts';
import type { ExchangeClient, ExchangeRequest, ExchangeServices } from './exchange-parts.ts';
import { Exchange } from './exchange.ts';

export interface AdmissionOptions {
  readonly maxExchanges: number;
  /** of a fetch in all; 0 is none */
  readonly fetchTimeoutMs: number;
  /** why there is too little space left to archive anything more, if so */
  readonly noSpace: () => string | undefined;
}

interface Active {
  readonly exchange: Exchange;
  readonly client: ExchangeClient;
}

const SWEEP_MS = 1000;

export class Admission {
  #services: ExchangeServices;
  readonly #options: AdmissionOptions;
  readonly #active = new Linked<Active>();
  readonly #waiting = new Set<() => void>();
  /** of those that are active */
  #webSockets = 0;
  #settling: (() => void)[] = [];
  readonly #endSweeping: (() => void) | undefined;
  #closed: FetchError | undefined;

  constructor(services: ExchangeServices, options: AdmissionOptions) {
    this.#services = services;
    this.#options = options;
    // One timer for all of them: a timer for each request costs more than looking once a second.
    if (options.fetchTimeoutMs > 0) this.#endSweeping = sweep(SWEEP_MS, () => this.#endLate());
  }

  get active(): number {
    return this.#active.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** WebSockets that are open or being opened, and how many may be. */
  get webSockets(): { readonly open: number; readonly max: number } {
    return { open: this.#webSockets, max: Math.ceil(this.#options.maxExchanges / 2) };
  }

  /** Why nothing more is begun at the moment, if so. */
  get closed(): FetchError | undefined {
    if (this.#closed !== undefined) return this.#closed;
    const why = this.#options.noSpace();
    return why === undefined ? undefined : new FetchError('no-space', why);
  }

  /** The fetch that has been running longest, and where its client connects from: undefined when it has left, or is none that connects. */
  get earliest(): { readonly startedAt: Date; readonly clientAddress: readonly [host: string, port: number] | undefined } | undefined {
    const earliest = this.#active.first;
    if (earliest === undefined) return undefined;
    const { address, port } = earliest.client;
    return {
      startedAt: earliest.exchange.startedAt,
      clientAddress: address === undefined || port === undefined ? undefined : [address, port],
    };
  }

  /**
   * Call back once there is room, at once if there is now.
   *
   * @returns a function that gives up waiting; undefined when there was nothing to wait for
   */
  enter(admitted: () => void): (() => void) | undefined {
    if (this.#active.size < this.#options.maxExchanges) {
      admitted();
      return undefined;
    }
    this.#waiting.add(admitted);
    return () => void this.#waiting.delete(admitted);
  }

  /** From now on exchanges reach their origins like this; those that run go on as they began. */
  connectBy(way: Pick<ExchangeServices, 'connect' | 'pool'>): void {
    this.#services = { ...this.#services, ...way };
  }

  /**
   * To be called by the one that was admitted, in that call.
   *
   * @returns an error where it is one WebSocket too many
   */
  exchange(request: ExchangeRequest, client: ExchangeClient): Exchange | FetchError {
    const isWebSocket = request.outgoing.webSocket === true;
    if (isWebSocket && this.#webSockets >= this.webSockets.max) {
      this.#next();
      return new FetchError('too-many-websockets', 'as many WebSockets are open as may be (half of --max-threads)');
    }
    const exchange = new Exchange(this.#services, request, client, () => this.#ended(link, isWebSocket));
    const link = this.#active.add({ exchange, client });
    if (isWebSocket) this.#webSockets++;
    exchange.start();
    return exchange;
  }

  /**
   * Begin nothing more, and cut what runs. Who waits is admitted, to find that it is `closed`.
   *
   * @param reason what clients are told; that of the first call counts
   */
  close(reason = 'proxy is shutting down'): void {
    this.#closed ??= new FetchError('shutting-down', reason);
    for (const admitted of [...this.#waiting]) admitted();
    this.#waiting.clear();
    this.#endSweeping?.();
    for (const { exchange } of this.#active) exchange.shutDown(this.#closed);
  }

  /** Resolves when no exchange is active any more: after `close` that takes WebSockets a moment. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#active.size === 0) resolve();
      else this.#settling.push(resolve);
    });
  }

  #ended(link: Link<Active>, isWebSocket: boolean): void {
    this.#active.remove(link);
    if (isWebSocket) this.#webSockets--;
    if (this.#active.size === 0) for (const resolve of this.#settling.splice(0)) resolve();
    this.#next();
  }

  #next(): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      next();
    }
  }

  #endLate(): void {
    const beforeMs = performance.now() - this.#options.fetchTimeoutMs;
    for (const { exchange } of this.#active) {
      if (exchange.startedMs > beforeMs) break;
      exchange.outOfTime();
    }
  }
}
