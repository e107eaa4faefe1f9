/**
 * Wires the rooms together, and closes them in reverse. Nothing else.
 *
 *   listener ─ admission ─ exchange ─► chain ─► WARC files
 */
import { EventEmitter } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname as machineName, networkInterfaces, tmpdir } from 'node:os';
import { performance } from 'node:perf_hooks';
import { statusPage } from './api/status.ts';
import { loadOrCreateCa } from './ca/authority.ts';
import { openLeafStore, type LeafStore } from './ca/contexts.ts';
import type { Capture } from './capture/capture.ts';
import { NO_META } from './meta/meta.ts';
import type { ResolvedOptions } from './options/table.ts';
import { OptionError } from './options/error.ts';
import { Chain } from './postfetch/chain.ts';
import { runningStats } from './postfetch/running-stats.ts';
import { warcWriter } from './postfetch/warc-writer.ts';
import { addressRules } from './proxy/address-rules.ts';
import { Admission } from './proxy/admission.ts';
import { Connector } from './proxy/connector.ts';
import { Listener } from './proxy/listener.ts';
import { UpstreamPool } from './proxy/pool.ts';
import { createResolver, type Resolve } from './proxy/resolver.ts';
import { originSecureContext } from './proxy/tls-profiles.ts';
import type { Log } from './util/log.ts';
import { readVersion } from './util/version.ts';
import { WarcOptionError, WarcWriteError } from './warc/errors.ts';
import { warcDate } from './warc/fields.ts';
import { nameTemplate, type NameTemplate } from './warc/filename.ts';
import { prepareFolder } from './warc/folder.ts';
import { Names } from './warc/names.ts';
import { createExclusively, loadLock } from './warc/output.ts';
import { WriterPool } from './warc/pool.ts';

/** What happens while a proxy runs. */
export interface ProxyEvents {
  /** A capture has left the chain. Its bytes are let go of when the listeners have returned. */
  capture: [capture: Capture];
  /** Nothing can be archived any more; the proxy refuses requests from now on and should be closed. */
  fatal: [error: Error];
}

/** Idle connections to origins that are kept. */
const MAX_IDLE_UPSTREAM = 1024;
const MAX_OPEN_WARCS = 256;
const RANDOM_TOKEN_LENGTH = 8;

/** A proxy that runs. */
export class WarctapProxy extends EventEmitter<ProxyEvents> implements AsyncDisposable {
  /** file of the certificate authority, key and certificate */
  readonly caFile: string;
  /** the certificate that clients have to trust */
  readonly caCertificatePem: string;
  readonly warcDir: string;
  readonly #listener: Listener;
  readonly #admission: Admission;
  readonly #upstreams: UpstreamPool;
  readonly #chain: Chain;
  readonly #leaves: LeafStore;
  #closing: Promise<void> | undefined;

  /** Everything opened already, but not listening. */
  constructor(options: ResolvedOptions, opened: Opened, log: Log) {
    super();
    const hostname = machineName();
    const version = readVersion();
    const startedAt = new Date();
    const now = () => new Date();
    const newRecordId = () => `<urn:uuid:${randomUUID()}>`;
    const listening = (): AddressInfo => this.#listener.address;
    this.caFile = opened.ca.file;
    this.caCertificatePem = opened.ca.certificatePem;
    this.warcDir = options.dir;
    this.#leaves = opened.leaves;

    const digest = { algorithm: options.digestAlgorithm, base32: options.base32 };
    const warcs = new WriterPool({
      dir: options.dir,
      subdirPrefix: options.subdirPrefix,
      names: new Names({ template: opened.template, hostname, port: () => listening().port, now, newRandomToken: randomToken }),
      gzip: options.gzip,
      version: options.warcVersion,
      info: { software: `warctap ${version}`, hostname, ip: machineAddress() },
      output: { openSuffix: !options.noWarcOpenSuffix, lock: opened.lock, create: createExclusively },
      maxBytes: options.size,
      idleMs: options.rolloverIdleTime === undefined ? undefined : options.rolloverIdleTime * 1000,
      maxOpenFiles: MAX_OPEN_WARCS,
      now,
      newRecordId,
      log,
    });
    const stats = runningStats(
      () => warcs.bytesWritten,
      () => performance.now(),
    );
    this.#chain = new Chain({
      processors: [
        warcWriter({
          pool: warcs,
          records: { version: options.warcVersion, digest, newRecordId },
          methods: options.methodFilter,
          log,
        }),
        stats,
      ],
      done: (capture) => this.#tell(capture, log),
      maxQueued: options.queueSize,
      log,
      isFatal: (error) => error instanceof WarcWriteError,
      onFatal: (error) => {
        this.#admission.stop();
        this.emit('fatal', error);
      },
    });

    const recording = { digest, spool: { maxMemoryBytes: options.tmpFileMaxMemorySize, dir: tmpdir() } };
    this.#upstreams = new UpstreamPool(MAX_IDLE_UPSTREAM);
    const connector = new Connector({
      resolve: opened.resolve,
      rules: addressRules(options.allowLocalhost, () => [listening()]),
      secureContext: originSecureContext(options.sslContext, options.unsafeLegacyRenegotiation),
      socks: options.socksProxy && {
        ...options.socksProxy,
        username: options.socksProxyUsername,
        password: options.socksProxyPassword,
      },
      onionSocks: options.onionTorSocksProxy,
      timeoutMs: options.socketTimeout * 1000,
    });
    this.#admission = new Admission(
      {
        connector,
        pool: this.#upstreams,
        recording,
        now,
        newRecordId,
        sink: (capture) => this.#chain.push(capture),
        maxResourceBytes: options.maxResourceSize ?? 0,
      },
      { maxExchanges: options.maxThreads, fetchTimeoutMs: options.fetchTimeout * 1000 },
    );
    const status = () => {
      const { oldest } = this.#chain;
      return statusPage({
        version,
        host: hostname,
        address: listening().address,
        port: listening().port,
        startedAt,
        maxExchanges: options.maxThreads,
        activeRequests: this.#admission.active,
        waitingRequests: this.#admission.waiting,
        queued: this.#chain.queued,
        maxQueued: this.#chain.maxQueued,
        secondsBehind: oldest === undefined ? 0 : (Date.now() - oldest.startedAt.getTime() - oldest.durationMs) / 1000,
        urlsProcessed: stats.urlsProcessed,
        warcBytesWritten: warcs.bytesWritten,
        earliestFetchStart: this.#admission.earliestStart,
        processors: this.#chain.processors,
        rate: (minutes) => stats.rate(minutes),
      });
    };
    this.#listener = new Listener({
      gate: { judge: () => ({ meta: NO_META, refusal: undefined }) },
      admission: this.#admission,
      records: { recording, now, newRecordId, record: (capture) => this.#record(capture) },
      warcDate: (date) => warcDate(date, options.warcVersion),
      secureContexts: (host) => opened.leaves.secureContext(host),
      ownPage: ({ method, target }) => ((method === 'GET' || method === 'HEAD') && target === '/status' ? status() : undefined),
      maxConnections: options.maxConnections,
      socketTimeoutMs: options.socketTimeout * 1000,
      warcPrefix: options.prefix,
      via: options.via,
      log,
    });
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
    const { address, family, port } = this.#listener.address;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  async listen(port: number, address: string): Promise<void> {
    await this.#listener.listen(port, address);
  }

  /** Stop accepting, cut what runs, write everything that has come, close all files. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #record(capture: Capture): Promise<void> {
    await this.#chain.push(capture);
    await this.#chain.settled();
  }

  #tell(capture: Capture, log: Log): void {
    try {
      this.emit('capture', capture);
    } catch (error) {
      log.error({ err: error }, 'a listener of the event "capture" has thrown');
    }
  }

  async #close(): Promise<void> {
    this.#listener.stop();
    this.#admission.close();
    const errors: unknown[] = [];
    // Who waits for a record to be written is answered before the connections are closed.
    for (const room of [this.#chain, this.#listener, this.#leaves]) await room.close().catch((error: unknown) => errors.push(error));
    this.#upstreams.close();
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, 'closing failed');
  }
}

/** What must be there before a proxy can be put together. */
export interface Opened {
  readonly ca: { readonly file: string; readonly certificatePem: string };
  readonly leaves: LeafStore;
  readonly template: NameTemplate;
  readonly lock: (fd: number) => boolean;
  readonly resolve: Resolve;
}

/**
 * Open what the proxy needs, then listen.
 *
 * @throws OptionError, or an error whose message is one line, when it cannot start
 */
export async function startProxy(options: ResolvedOptions, log: Log): Promise<WarctapProxy> {
  const hostname = machineName();
  const template = templateOf(options, hostname);
  const lock = options.noWarcOpenSuffix ? loadLock() : () => true;
  await prepareFolder(options.dir);
  const ca = await loadOrCreateCa({ file: options.cacert, hostname, log });
  const leaves = await openLeafStore({ ca, dir: options.certsDir, log });
  const proxy = new WarctapProxy(options, { ca, leaves, template, lock, resolve: createResolver() }, log);
  try {
    // A name would be resolved to either loopback address, and clients try 127.0.0.1.
    await proxy.listen(options.port, options.address === 'localhost' ? '127.0.0.1' : options.address);
  } catch (error) {
    await leaves.close();
    throw new Error(`cannot listen on ${options.address}:${options.port}: ${(error as Error).message}`, { cause: error });
  }
  return proxy;
}

function templateOf(options: ResolvedOptions, hostname: string): NameTemplate {
  try {
    return nameTemplate(options.warcFilename, options.gzip, hostname);
  } catch (error) {
    if (error instanceof WarcOptionError)
      throw new OptionError('warcFilename', options.warcFilename, `a usable template for file names (this one has ${error.message})`);
    throw error;
  }
}

function randomToken(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from(randomBytes(RANDOM_TOKEN_LENGTH), (byte) => letters[byte % letters.length]).join('');
}

/** An address of this machine that others could know it by. */
function machineAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return (
    addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ??
    addresses.find(({ internal }) => !internal)?.address
  );
}
