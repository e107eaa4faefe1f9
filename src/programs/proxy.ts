/**
 * Wires the rooms together, and closes them in reverse. Nothing else.
 *
 *   listener ─ authenticator ─ gate ─ admission ─ exchange ─► chain ─► WARC files, stores, logs
 *   playback listener ─► index, WARC files
 */
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { hostname as machineName, tmpdir } from 'node:os';
import { createPages } from '../web/pages.ts';
import { statusPage, type StatusSource } from '../web/status.ts';
import { digestOf, newRecordId, now, openArchive } from './archiving.ts';
import type { Archive, ArchiveState } from '../capture/archive.ts';
import type { Capture } from '../capture/capture.ts';
import { metaCache } from '../meta/cache.ts';
import { createRegexes } from '../regex/regex.ts';
import { timeSlices } from '../util/slices.ts';
import { openAll, type Opened } from './open.ts';
import type { ResolvedOptions } from '../options/table.ts';
import { playback } from '../playback/answer.ts';
import { playbackHandler } from '../playback/handler.ts';
import type { RunningStats } from '../archive/running-stats.ts';
import { addressRules } from '../fetch/address-rules.ts';
import { Admission } from '../fetch/admission.ts';
import { Connector } from '../fetch/connector.ts';
import { reasonOf, throwAll } from '../util/thrown.ts';
import { createGate } from '../proxy/gate.ts';
import { Listener } from '../serve/listener.ts';
import { OriginPool } from '../fetch/pool.ts';
import { createResolver, type Resolve } from '../fetch/resolver.ts';
import { originSecureContext } from '../fetch/tls-profiles.ts';
import { withTunnels } from '../serve/connect.ts';
import { withLogin } from '../auth/login.ts';
import { createPassage } from '../proxy/passage.ts';
import { createRoad } from '../proxy/road.ts';
import type { Log } from '../util/log.ts';
import { FreeSpace } from '../util/free-space.ts';
import { MemoryBudget } from '../util/memory-budget.ts';
import { isLoopback } from '../util/network.ts';
import { readVersion } from '../util/version.ts';
import { warcDate } from '../warc/fields.ts';

/** What happens while a proxy runs. */
export interface ProxyEvents {
  /** A capture has left the chain. Its bytes are let go of when the listeners have returned. */
  capture: [capture: Capture];
  /** Nothing can be archived any more; the proxy refuses requests from now on and should be closed. */
  fatal: [error: Error];
}

/** Idle connections to origins that are kept. */
const MAX_IDLE_CONNECTIONS = 512;

/** A proxy that runs. */
export class WarctapProxy extends EventEmitter<ProxyEvents> implements AsyncDisposable {
  /** file of the certificate authority, key and certificate */
  readonly caFile: string;
  /** the certificate that clients have to trust */
  readonly caCertificatePem: string;
  readonly warcDir: string;
  readonly #options: ResolvedOptions;
  readonly #opened: Opened;
  readonly #log: Log;
  readonly #version: string;
  readonly #startedAt = now();
  readonly #archive: Archive & ArchiveState;
  readonly #totals: RunningStats;
  readonly #origins: OriginPool;
  readonly #space: FreeSpace;
  readonly #admission: Admission;
  readonly #listener: Listener;
  readonly #playback: { readonly listener: Listener; readonly settled: () => Promise<void> } | undefined;
  #playbackAddress: AddressInfo | undefined;
  #closing: Promise<void> | undefined;

  /** Everything opened already, but not listening. */
  constructor(options: ResolvedOptions, opened: Opened, version: string, log: Log, resolve: Resolve) {
    super();
    this.#options = options;
    this.#opened = opened;
    this.#log = log;
    this.#version = version;
    this.caFile = opened.ca.file;
    this.caCertificatePem = opened.ca.certificatePem;
    this.warcDir = options.dir;

    const recording = {
      digest: digestOf(options),
      spool: { maxMemoryBytes: options.tmpFileMaxMemorySize, budget: new MemoryBudget(options.maxMemory), dir: tmpdir() },
    };
    const minRate = { bytesPerSecond: options.minRate, windowMs: options.socketTimeout * 1000 };
    const slices = timeSlices();
    const { archive, totals } = openArchive({
      options,
      opened,
      version,
      slices,
      port: () => this.port,
      done: (capture) => this.#tell(capture),
      onFatal: (error) => {
        // What is not archived must not look as if it were: requests that run are answered 503 or cut.
        this.#admission.close(`nothing can be archived any more: ${reasonOf(error.cause ?? error)}`);
        this.emit('fatal', error);
      },
      log,
    });
    this.#archive = archive;
    this.#totals = totals;

    this.#origins = new OriginPool(MAX_IDLE_CONNECTIONS);
    this.#space = new FreeSpace({
      dir: options.dir,
      minBytes: options.minFreeSpace,
      onChange: (low, freeBytes) => {
        if (low) log.error({ dir: options.dir, freeBytes }, 'too little space left: requests are answered 503 until there is more');
        else log.info({ dir: options.dir, freeBytes }, 'enough space again');
      },
    });
    const connector = this.#connector(resolve);
    const sink = (capture: Capture) => archive.push(capture);
    this.#admission = new Admission(
      {
        connect: connector.connect.bind(connector),
        pool: this.#origins,
        recording,
        now,
        newRecordId,
        sink,
        maxResourceBytes: options.maxResourceSize ?? 0,
        minRate,
      },
      { maxExchanges: options.maxThreads, fetchTimeoutMs: options.fetchTimeout * 1000, noSpace: () => this.#space.low },
    );

    const { stats, authenticator } = opened;
    const listening = {
      secureContexts: (host: string) => opened.leaves.secureContext(host),
      maxConnections: options.maxConnections,
      socketTimeoutMs: options.socketTimeout * 1000,
      headTimeoutMs: options.headTimeout * 1000,
      minRate,
      log,
    };
    const passage = createPassage({
      gate: createGate({
        cache: metaCache({ regexes: createRegexes(), slices }),
        slices,
        statistics: stats && { settled: () => archive.settled(), get: (bucket) => stats.get(bucket) },
        log,
      }),
      admission: this.#admission,
      records: { recording, now, newRecordId, record: (capture) => this.#record(capture) },
      warcPrefix: options.prefix,
      warcDate: (date) => warcDate(date, options.warcVersion),
    });
    const pages = createPages({ '/status': statusPage(() => this.#status()) }, log);
    const road = createRoad({ passage, pages, via: options.via });
    this.#listener = new Listener({ ...listening, handler: withLogin(authenticator, withTunnels(road), log) });
    const played = opened.playback && playbackHandler({ playback: playback({ index: opened.playback, dir: options.dir, log }), log });
    this.#playback = played && {
      listener: new Listener({ ...listening, handler: withLogin(authenticator, withTunnels(played.handler), log) }),
      settled: () => played.settled(),
    };
  }

  /** Address that the proxy listens on. */
  get address(): string {
    return this.#listener.address.address;
  }

  get port(): number {
    return this.#listener.address.port;
  }

  /** Such as `http://127.0.0.1:8000`. */
  get url(): string {
    return urlOf(this.#listener.address);
  }

  /** Where the playback proxy listens, if there is one. */
  get playbackUrl(): string | undefined {
    return this.#playbackAddress && urlOf(this.#playbackAddress);
  }

  /** @throws the system's error, as EADDRINUSE */
  async listen(): Promise<void> {
    const { port, playbackPort } = this.#options;
    // A name would be resolved to either loopback address, and clients try 127.0.0.1.
    const address = this.#options.address === 'localhost' ? '127.0.0.1' : this.#options.address;
    await this.#space.check();
    await this.#listener.listen(port, address);
    if (playbackPort !== undefined) this.#playbackAddress = await this.#playback?.listener.listen(playbackPort, address);
    if (this.#opened.authenticator === undefined && !isLoopback(this.address)) {
      this.#log.warn({ address: this.address }, 'other machines can use this proxy without a password, see --proxy-auth-file');
    }
  }

  /** Stop accepting, cut what runs, write everything that has come, close all files. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#listener.stop();
    this.#admission.close();
    const errors: unknown[] = [];
    // Who waits for a record to be written is answered before the connections are closed.
    const playback = { close: () => this.#closePlayback() };
    const rooms = [playback, this.#archive, this.#listener, this.#opened.leaves, this.#opened.databases];
    for (const room of rooms) await room.close().catch((error: unknown) => errors.push(error));
    this.#origins.close();
    this.#space.close();
    throwAll(errors, 'closing failed');
  }

  async #closePlayback(): Promise<void> {
    await this.#playback?.listener.close();
    await this.#playback?.settled();
  }

  #connector(resolve: Resolve): Connector {
    const options = this.#options;
    const listening = () => [this.#listener.address, ...(this.#playbackAddress === undefined ? [] : [this.#playbackAddress])];
    return new Connector({
      resolve,
      rules: addressRules({ ...options, listening }),
      secureContext: originSecureContext(options.sslContext, options.unsafeLegacyRenegotiation),
      socks: options.socksProxy && {
        ...options.socksProxy,
        username: options.socksProxyUsername,
        password: options.socksProxyPassword,
      },
      onionSocks: options.onionTorSocksProxy,
      timeoutMs: options.socketTimeout * 1000,
      onFault: (error) => this.#log.error({ err: error }, 'a fault in warctap: the connection to an origin was closed'),
    });
  }

  #status(): StatusSource {
    const { oldest } = this.#archive;
    return {
      version: this.#version,
      host: machineName(),
      address: this.address,
      port: this.port,
      startedAt: this.#startedAt,
      maxExchanges: this.#options.maxThreads,
      activeRequests: this.#admission.active,
      waitingRequests: this.#admission.waiting,
      queued: this.#archive.queued,
      maxQueued: this.#archive.maxQueued,
      secondsBehind: oldest === undefined ? 0 : (Date.now() - oldest.startedAt.getTime() - oldest.durationMs) / 1000,
      urlsProcessed: this.#totals.urlsProcessed,
      warcBytesWritten: this.#totals.warcBytesWritten,
      earliestFetchStart: this.#admission.earliestStart,
      processors: this.#archive.processors,
      rate: (minutes) => this.#totals.rate(minutes),
    };
  }

  async #record(capture: Capture): Promise<void> {
    await this.#archive.push(capture);
    await this.#archive.settled();
  }

  #tell(capture: Capture): void {
    try {
      this.emit('capture', capture);
    } catch (error) {
      this.#log.error({ err: error }, 'a listener of the event "capture" has thrown');
    }
  }
}

/**
 * Open what the proxy needs, then listen.
 *
 * @param resolve names of origins to addresses
 * @throws OptionError, or an error whose message is one line, when it cannot start
 */
export async function startProxy(options: ResolvedOptions, log: Log, resolve: Resolve = createResolver()): Promise<WarctapProxy> {
  const version = readVersion();
  const proxy = new WarctapProxy(options, await openAll(options, version, log), version, log, resolve);
  try {
    await proxy.listen();
  } catch (error) {
    await proxy.close();
    throw new Error(`cannot listen on ${options.address}:${options.port}: ${(error as Error).message}`, { cause: error });
  }
  return proxy;
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
