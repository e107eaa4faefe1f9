/**
 * Makes connections to origins: resolve, check the address, connect directly or by a proxy, then TLS.
 *
 * Remembers for a minute which hosts could not be reached. Never keeps a connection: that is the pool's work.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { LRUCache } from 'lru-cache';
import type { AddressRules } from './address-rules.ts';
import type { HeadMemory } from '../http1/head-memory.ts';
import { FetchError } from '../http/fetch-error.ts';
import type { Http2Manner } from '../http/imitation.ts';
import { timeLimit } from '../util/after-reading.ts';
import { isOutOf, reasonOf } from '../util/thrown.ts';
import { loopbackNamed, type Resolve } from './resolver.ts';
import { established } from './established.ts';
import { Http1Origin } from './http1-origin.ts';
import type { OriginConnection } from './origin-connection.ts';
import { OriginTls, type OriginTlsOptions } from './origin-tls.ts';
import { originKey, type Origin } from './origin.ts';
import { readBuffers } from './read-buffers.ts';
import { isHttpProxy, upstreamKey, type Upstream } from './upstream.ts';

export interface SocksProxy {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** 5 by default */
  readonly version?: 4 | 5;
  /** false: it is given an address, which is looked up here */
  readonly byName?: boolean;
}

export interface ConnectorOptions extends OriginTlsOptions {
  readonly resolve: Resolve;
  readonly rules: AddressRules;
  /** for all origins */
  readonly socks?: SocksProxy | undefined;
  /** for .onion hosts */
  readonly onionSocks?: SocksProxy | undefined;
  /** how sessions of HTTP/2 begin, where they are not to begin as a client's; ours by default */
  readonly http2Manner?: Http2Manner | undefined;
  /** limit of connecting and of a handshake, and idle time-out of the connection made; 0 is none */
  readonly timeoutMs: number;
  /** where unfinished heads of origins find room */
  readonly heads?: HeadMemory;
  /** told of each origin to which there is TLS now */
  readonly onSecured: (origin: Origin) => void;
  /** told of each origin that has refused to be asked by HTTP/2 */
  readonly onHttp1Wanted?: (origin: Origin) => void;
  /** what should not have been thrown while bytes of an origin were read; its connection is closed */
  readonly onFault: (error: unknown) => void;
}

const FAILED_HOSTS = 1024;
const FAILED_HOST_TTL_MS = 60_000;
/** As the library says that the proxy could not reach the origin (RFC 1928 §6). */
const SOCKS_REJECTED = 'rejected connection';
/** Time for each of several addresses but the last: Node gives up on one before it tries the next, by default after 250 ms, which a far host needs. */
const ADDRESS_ATTEMPT_MS = 3000;

export class Connector {
  readonly #options: ConnectorOptions;
  readonly #failed = new LRUCache<string, FetchError>({ max: FAILED_HOSTS, ttl: FAILED_HOST_TTL_MS });
  readonly #tls: OriginTls;
  /** other proxies are none whose pages are archived: theirs are not looked at */
  readonly #toProxy: OriginTls;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#tls = new OriginTls(options);
    this.#toProxy = new OriginTls({ secureContext: options.secureContext, timeoutMs: options.timeoutMs });
  }

  /** @throws FetchError */
  async connect(origin: Origin): Promise<OriginConnection> {
    const { upstream } = origin;
    const hostPort = `${origin.host}:${origin.port}${upstream === undefined ? '' : ` by ${upstreamKey(upstream)}`}`;
    // A host that speaks no TLS on a port may well speak HTTP there.
    const withTls = `TLS ${hostPort}`;
    const failed = this.#failed.get(hostPort) ?? (origin.scheme === 'https' ? this.#failed.get(withTls) : undefined);
    if (failed !== undefined && origin.afresh !== true) {
      const message = `${failed.message} (failed less than a minute ago, not tried again)`;
      throw new FetchError('failed-before', message, { cause: failed, status: failed.status, ipAddress: failed.ipAddress });
    }
    let reached: string | undefined;
    try {
      const socks = this.#socksFor(origin);
      const [tcp, ipAddress] =
        upstream !== undefined && isHttpProxy(upstream)
          ? [await this.#byHttpProxy(origin, upstream)]
          : socks !== undefined
            ? [await this.#bySocks(origin, socks)]
            : await this.#direct(origin).then((socket) => [socket, socket.remoteAddress] as const);
      reached = ipAddress;
      const { timeoutMs, onFault, heads } = this.#options;
      const key = originKey(origin, origin.servername, upstream, origin.http2, origin.imitation);
      if (origin.scheme === 'http') return new Http1Origin(tcp, key, ipAddress, timeoutMs, onFault, heads);
      const { socket, facts } = await this.#tls.secure(tcp, origin, key);
      this.#options.onSecured(origin);
      if (socket.alpnProtocol !== 'h2') return new Http1Origin(socket, key, ipAddress, timeoutMs, onFault, heads, facts);
      const onHttp1Wanted = () => this.#options.onHttp1Wanted?.(origin);
      const manner = origin.imitation?.http2 ?? this.#options.http2Manner;
      const { Http2Origin } = await import('./http2-origin.ts');
      return new Http2Origin(socket, { key, ipAddress, tls: facts, manner, idleMs: timeoutMs, onFault, onHttp1Wanted });
    } catch (error) {
      const failure = error instanceof FetchError ? error : new FetchError('not-connected', reasonOf(error), { cause: error });
      failure.ipAddress ??= reached ?? addressIn(failure.cause);
      if (isOfOrigin(failure)) this.#failed.set(failure.code === 'tls-failed' ? withTls : hostPort, failure);
      throw failure;
    }
  }

  #socksFor(origin: Origin): SocksProxy | undefined {
    const { upstream } = origin;
    if (upstream !== undefined) return { ...upstream, byName: upstream.kind !== 'socks4', version: upstream.kind === 'socks5' ? 5 : 4 };
    const { onionSocks, socks } = this.#options;
    return onionSocks !== undefined && /\.onion\.?$/.test(origin.host) ? onionSocks : socks;
  }

  async #direct(origin: Origin): Promise<Socket> {
    const { host, port } = origin;
    const found = this.#lookUp(host);
    const allowed = this.#allowed(found instanceof Promise ? await found : found, port);
    const [first] = allowed;
    if (first === undefined) throw new FetchError('not-resolved', `host name ${host} has no address`);
    const socket: Socket = connectTcp({
      port,
      noDelay: true,
      // TLS reads the socket below the stream.
      ...(origin.scheme === 'http' && { onread: readBuffers(() => socket) }),
      host: allowed.length === 1 ? first.address : host,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
      // The addresses that were checked are the ones connected to: nothing is resolved again.
      lookup: (_host, _options, callback) => {
        callback(null, [...allowed]);
      },
    });
    await this.#connected(socket, `connection to ${host}:${port}`);
    return socket;
  }

  #lookUp(host: string): readonly LookupAddress[] | Promise<readonly LookupAddress[]> {
    const found = this.#options.resolve(host);
    return found instanceof Promise ? this.#inTime(found, host) : found;
  }

  /** A look-up may ask several sources one after the other: all together have the time that connecting has. */
  async #inTime(looking: Promise<readonly LookupAddress[]>, host: string): Promise<readonly LookupAddress[]> {
    const { timeoutMs } = this.#options;
    if (timeoutMs === 0) return looking;
    let settled = (): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const message = `look-up of host name ${host} timed out after ${timeoutMs / 1000} s`;
      settled = timeLimit(timeoutMs, () => reject(new FetchError('connect-timeout', message)));
    });
    try {
      return await Promise.race([looking, late]);
    } finally {
      settled();
    }
  }

  #allowed(addresses: readonly LookupAddress[], port: number): readonly LookupAddress[] {
    let refusal: string | undefined;
    const allowed = addresses.filter(({ address }) => {
      const reason = this.#options.rules.refuse(address, port);
      refusal ??= reason;
      return reason === undefined;
    });
    if (allowed.length === 0 && refusal !== undefined) throw new FetchError('forbidden-address', refusal);
    return allowed;
  }

  async #bySocks(origin: Origin, proxy: SocksProxy): Promise<Socket> {
    const { username, password, version = 5, byName = true } = proxy;
    // A name is the SOCKS proxy's to resolve; what is known without can be checked here.
    const family = isIP(origin.host);
    const known = family === 0 ? loopbackNamed(origin.host) : [{ address: origin.host, family }];
    const looked = byName ? known : await this.#lookUp(origin.host);
    const allowed = looked && this.#allowed(looked, origin.port);
    const v4 = allowed?.find((each) => each.family === 4)?.address;
    if (!byName && v4 === undefined) throw new FetchError('not-resolved', `host name ${origin.host} has no IPv4 address`);
    const { SocksClient } = await import('socks');
    try {
      const { socket } = await SocksClient.createConnection({
        proxy: {
          host: proxy.host,
          port: proxy.port,
          type: version,
          ...(username === undefined ? {} : { userId: username, password: password ?? '' }),
        },
        command: 'connect',
        destination: { host: byName ? origin.host : (v4 ?? origin.host), port: origin.port },
        set_tcp_nodelay: true,
        ...(this.#options.timeoutMs > 0 ? { timeout: this.#options.timeoutMs } : {}),
      });
      return socket;
    } catch (error) {
      const reason = reasonOf(error);
      const code = /timed out/i.test(reason) ? 'connect-timeout' : 'proxy-failed';
      throw new FetchError(code, `connection to ${origin.host}:${origin.port} by SOCKS proxy failed: ${reason}`, { cause: error });
    }
  }

  /** A connection to the proxy for plain requests, a tunnel for others. */
  async #byHttpProxy(origin: Origin, upstream: Upstream): Promise<Socket> {
    const { kind, host, port } = upstream;
    // As by SOCKS: a name is the proxy's to resolve.
    const family = isIP(origin.host);
    const known = family === 0 ? loopbackNamed(origin.host) : [{ address: origin.host, family }];
    if (known !== undefined) this.#allowed(known, origin.port);
    const tcp = connectTcp({ host, port, noDelay: true });
    await this.#connected(tcp, `connection to the proxy ${host}:${port}`);
    const socket =
      kind === 'https' ? (await this.#toProxy.secure(tcp, { scheme: 'https', host, port }, upstreamKey(upstream))).socket : tcp;
    if (origin.scheme === 'http') return socket;
    const { tunnelThrough } = await import('./http-proxy.ts');
    const name = origin.host.includes(':') ? `[${origin.host}]` : origin.host;
    await tunnelThrough(socket, `${name}:${origin.port}`, upstream, this.#options.timeoutMs);
    return socket;
  }

  #connected(socket: Socket, what: string): Promise<void> {
    return established(socket, { event: 'connect', what, code: 'not-connected', timeoutMs: this.#options.timeoutMs });
  }
}

/** It says something of the origin, and not of this machine, its rules, or the SOCKS proxy itself. */
function isOfOrigin(failure: FetchError): boolean {
  // Another name may be asked for on the same port.
  if (failure.code === 'forbidden-address' || failure.code === 'certificate-refused' || isOutOf(failure)) return false;
  // What the proxy has answered of the origin; any other failure is one with the proxy.
  return failure.code !== 'proxy-failed' || failure.message.includes(SOCKS_REJECTED);
}

/** The one address that was tried, as the system's error names it. */
function addressIn(cause: unknown): string | undefined {
  return cause instanceof Error && 'address' in cause && typeof cause.address === 'string' ? cause.address : undefined;
}
