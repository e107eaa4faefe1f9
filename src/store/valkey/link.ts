/**
 * The connection to a shared store, and whether it can be used.
 *
 * ```
 * in use ── no answer in time, connection lost, refused ──► away: nothing is asked ── a write that is tried goes through ──► in use
 *    └───── no memory left ──► full: only asked ──────────────────────────────────────────────┘
 * ```
 *
 * What fails is never sent again from here: whoever asked knows whether it may be done twice. Who comes while the store is away is told at
 * once, and does not wait for an answer that does not come.
 * Source: https://github.com/redis/ioredis (6).
 */
import type { Redis, RedisOptions } from 'ioredis';
import { performance } from 'node:perf_hooks';
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import { StoreError } from '../errors.ts';
import type { StoreAddress } from './address.ts';
import { FORMAT, FORMAT_KEY, type Script } from './scripts.ts';
import { serverInfo, storeError, unsuitable, type ServerInfo } from './server.ts';

export interface LinkOptions {
  readonly address: StoreAddress;
  readonly log: Log;
  /** how long an answer may take */
  readonly timeoutMs?: number;
}

export type ScriptArgument = string | number | Buffer;

const TIMEOUT_MS = 2000;
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 2000;
/** Reasons that are told of one time that it is away. */
const MAX_TOLD = 10;
/** A store that works for so long has come back for good. */
const STEADY_MS = 30_000;

export class Link {
  readonly shown: string;
  readonly #client: Redis;
  readonly #db: number;
  readonly #log: Log;
  #info: ServerInfo | undefined;
  #problem: StoreError | undefined;
  /** the last thing that went wrong with the connection */
  #fault: unknown;
  #running = false;
  #closed = false;
  #upSinceMs = 0;
  #waitMs = 0;
  /** what has been said of this time that it is away */
  #told = new Set<string>();
  /** ends the wait for the next try */
  #wake: (() => void) | undefined;
  #returning: Promise<void> | undefined;
  readonly #onBack = new Set<() => void>();
  readonly #onAway = new Set<() => void>();

  private constructor(Client: typeof Redis, options: LinkOptions) {
    const client = new Client(clientOptions(options, () => this.isRunning));
    this.shown = options.address.shown;
    this.#client = client;
    this.#db = options.address.db;
    this.#log = options.log;
    client.on('error', (error: unknown) => {
      // At the start what comes after the first one follows from it.
      if (this.#running || this.#fault === undefined) this.#fault = error;
    });
    client.on('close', () => {
      if (this.#running && !this.#closed) this.#away(this.#fault ?? new Error('connection lost'));
    });
    client.on('ready', () => this.#wake?.());
  }

  /** @throws StoreError when it cannot be reached, or cannot be a store */
  static async open(options: LinkOptions): Promise<Link> {
    const { Redis: Client } = await import('ioredis');
    const link = new Link(Client, options);
    try {
      await link.#client.connect();
      await link.#prove();
    } catch (error) {
      // What the client says of its connection then is not why it is gone.
      const isGone = /^(?:Connection is closed|Stream isn't writeable)/.test(reasonOf(error));
      const fault = isGone ? (link.#fault ?? error) : error;
      link.#closed = true;
      link.#client.disconnect();
      throw storeError(link.shown, fault, false);
    }
    link.#running = true;
    link.#upSinceMs = performance.now();
    return link;
  }

  /** Why it cannot be used; undefined while it works. */
  get problem(): StoreError | undefined {
    return this.#problem;
  }

  get isRunning(): boolean {
    return this.#running && !this.#closed;
  }

  get #isReady(): boolean {
    return !this.#closed && this.#client.status === 'ready';
  }

  /** As of the last time that it was connected to. */
  get info(): ServerInfo | undefined {
    return this.#info;
  }

  /** @param back called each time it can be used again */
  whenBack(back: () => void): void {
    this.#onBack.add(back);
  }

  /** @param away called each time it cannot be used any more */
  whenAway(away: () => void): void {
    this.#onAway.add(away);
  }

  /** @throws StoreError when the store is away, or goes away with this: whether the script has run is not known then */
  async run(script: Script, parameters: readonly ScriptArgument[]): Promise<unknown> {
    if (this.#problem !== undefined && !(this.#problem.code === 'STORE_FULL' && script.reads)) throw this.#problem;
    try {
      return await this.#evaluate(script, parameters);
    } catch (error) {
      throw this.#away(error);
    }
  }

  /** Any other command, for tools. @throws StoreError */
  async call(command: string, ...parameters: ScriptArgument[]): Promise<unknown> {
    try {
      return await this.#client.callBuffer(command, ...parameters);
    } catch (error) {
      throw storeError(this.shown, error, this.#running);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    this.#client.disconnect();
    await this.#returning;
  }

  async #evaluate({ lua, sha }: Script, parameters: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await this.#client.callBuffer('EVALSHA', sha, 0, ...parameters);
    } catch (error) {
      if (!reasonOf(error).startsWith('NOSCRIPT')) throw error;
      return await this.#client.callBuffer('EVAL', lua, 0, ...parameters);
    }
  }

  /** That it is a store, takes writes, and keeps what this version understands. @throws StoreError, or the client's error */
  async #prove(): Promise<void> {
    // The client goes on in another database when there is no such one.
    await this.#client.select(this.#db);
    this.#info = serverInfo(await this.#client.info());
    const problem = unsuitable(this.#info);
    if (problem !== undefined) throw new StoreError('STORE_UNSUITABLE', this.shown, problem);
    await this.#client.set(FORMAT_KEY, FORMAT, 'NX');
    const format = await this.#client.get(FORMAT_KEY);
    if (format === FORMAT) return;
    throw new StoreError('STORE_UNSUITABLE', this.shown, `was made by another version of warctap (format ${format}, here ${FORMAT})`);
  }

  #away(error: unknown): StoreError {
    const problem = storeError(this.shown, error, true);
    if (this.#closed) return problem;
    const before = this.#problem;
    this.#problem = problem;
    if (before !== undefined) this.#tellOther(problem);
    else {
      const steady = performance.now() - this.#upSinceMs > STEADY_MS;
      this.#waitMs = steady ? 0 : Math.min(this.#waitMs * 2, MAX_WAIT_MS);
      const told = problem.code === 'STORE_FULL' ? 'duplicates that are known are still found' : 'captures are written as responses';
      this.#log.error({ store: this.shown, err: problem }, `${problem.message}; ${told}, and what belongs in it is put in later`);
      this.#told = new Set([problem.message]);
      for (const away of this.#onAway) away();
    }
    this.#returning ??= this.#return().finally(() => (this.#returning = undefined));
    return problem;
  }

  /** That something else keeps it away now. */
  #tellOther({ message }: StoreError): void {
    if (this.#told.has(message) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(message);
    this.#log.warn({ store: this.shown }, `still away: ${message}`);
  }

  /** Never rejects. */
  async #return(): Promise<void> {
    while (this.#problem !== undefined && !this.#closed) {
      await this.#wait();
      if (!this.#isReady) continue;
      try {
        await this.#prove();
      } catch (error) {
        if (!this.isRunning) return;
        this.#problem = storeError(this.shown, error, true);
        this.#tellOther(this.#problem);
        // Another server may have its place by now, and a connection that is silent may be dead.
        if (this.#problem.code !== 'STORE_FULL') this.#client.disconnect(true);
        continue;
      }
      this.#problem = undefined;
      this.#fault = undefined;
      this.#upSinceMs = performance.now();
      this.#log.warn({ store: this.shown }, `store ${this.shown} is in use again`);
      for (const back of this.#onBack) back();
    }
  }

  async #wait(): Promise<void> {
    this.#waitMs = Math.min(Math.max(this.#waitMs * 2, FIRST_WAIT_MS), MAX_WAIT_MS);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

function clientOptions(
  { address, timeoutMs = TIMEOUT_MS }: LinkOptions,
  isRunning: () => boolean,
): RedisOptions & { replyMapping: 'legacy' } {
  const { hosts, path, username, password, db, tls, sentinel } = address;
  const [first] = hosts;
  // At the start one failure is enough; afterwards it is tried for as long as it takes.
  const retry = (times: number) => (isRunning() ? Math.min(times * FIRST_WAIT_MS, MAX_WAIT_MS) : null);
  const where: RedisOptions =
    path !== undefined ? { path } : sentinel === undefined ? { ...first } : { sentinels: [...hosts], name: sentinel, role: 'master' };
  return {
    ...where,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {}, ...(sentinel === undefined ? {} : { enableTLSForSentinelMode: true }) } : {}),
    sentinelRetryStrategy: retry,
    retryStrategy: retry,
    protocol: 2,
    replyMapping: 'legacy',
    connectionName: 'warctap',
    disableClientInfo: true,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs,
  };
}
