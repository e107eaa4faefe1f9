/**
 * The proxy: a core, and in front of it the listener of its clients, and the one of playback.
 *
 *   listener ─ log-in ─ CONNECT ─ road ─► core
 *   playback listener ─ log-in ─ CONNECT ─► index, WARC files
 *
 * Wires rooms together, and closes them in reverse. Nothing else.
 */
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { hostname as machineName } from 'node:os';
import type { UserAuthenticator } from '../auth/authenticator.ts';
import { withLogin } from '../auth/login.ts';
import type { CertificateAuthority } from '../ca/authority.ts';
import type { LeafStore } from '../ca/contexts.ts';
import type { Handler } from '../http/sides.ts';
import { changesOf, type Changes } from '../options/changes.ts';
import { resolveOptions } from '../options/resolve.ts';
import { PROXY_OPTIONS, type ResolvedOptions, type WarctapOptions } from '../options/table.ts';
import { playback } from '../playback/answer.ts';
import { playbackHandler, type PlaybackHandler } from '../playback/handler.ts';
import { noWebSockets, webSocketPlayback } from '../playback/websocket.ts';
import { createRoad } from '../proxy/road.ts';
import { createSteering } from '../proxy/steering.ts';
import { withTunnels } from '../serve/connect.ts';
import { Listener } from '../serve/listener.ts';
import { KnownMoments, type Moments } from '../store/moments.ts';
import type { Log } from '../util/log.ts';
import { allInOrder } from '../util/thrown.ts';
import { usersOf } from './access-files.ts';
import type { Bound } from '../web/metrics/bound.ts';
import type { Core, CoreEvents } from './core.ts';
import type { Among } from './core-parts.ts';
import type { Figures } from './figures.ts';
import type { Handles } from './handles.ts';
import { listenAt, warnIfOpen } from './listening.ts';
import { pagesFirst } from '../web/pages.ts';
import { OPEN_PATHS, ownPages } from './own-pages.ts';
import { archivedPages, livePages, lookAtCore, watchCore, type LivePages, type Watched } from './watching.ts';
import { recentCaptures, type KnownCaptures } from '../web/archived/find.ts';
import type { Looked } from '../web/looked.ts';

/** What happens while a proxy runs. */
export type ProxyEvents = CoreEvents;

export interface ProxyParts {
  readonly options: ResolvedOptions;
  readonly core: Core;
  readonly ca: CertificateAuthority;
  readonly leaves: LeafStore;
  /** undefined: everybody may use the proxy */
  readonly authenticator: UserAuthenticator | undefined;
  /** undefined: Warcprox-Meta counts from everybody */
  readonly metaSecret: string | undefined;
  readonly later: Later;
  readonly handles: Handles;
  readonly others: OneOfMany | undefined;
  readonly log: Log;
}

/** A proxy that is one of many processes. */
export interface OneOfMany {
  readonly among: Among;
  /** told of what it is put together from, before it listens */
  readonly onOpen: (opened: OpenedProxy) => void;
  /** at which people look into the archive, by whichever of them */
  readonly moments: Moments;
  /** those of all of them */
  readonly pages: LivePages;
  readonly known: KnownCaptures;
  /** Whoever reads one of these pages is told that it is over. */
  readonly endPages: () => void;
  /** Have the clients of a listener come by the process that listens for all. */
  readonly listen: (listener: Listener, of: 'proxy' | 'playback') => void;
}

/** What those who have others beside them tell of themselves. */
export interface OpenedProxy {
  readonly core: Core;
  readonly watched: Watched;
  readonly look: () => Promise<Looked>;
}

/** What a core asks for is opened after it. */
export interface Later {
  /** never connected to */
  proxy?: Listener;
  playback?: Listener;
  /** told of origins that have been reached */
  leaves?: LeafStore;
}

const ADDRESS_OPTIONS = ['allowLocalhost', 'allow', 'deny'] as const;

/** A proxy that runs. */
export class WarctapProxy extends EventEmitter<ProxyEvents> implements AsyncDisposable {
  /** file of the certificate authority, key and certificate */
  readonly caFile: string;
  /** the certificate that clients have to trust */
  readonly caCertificatePem: string;
  /** of the key of all certificates that clients are shown: SHA-256 of its SubjectPublicKeyInfo, Base64 */
  readonly keySha256: string;
  readonly warcDir: string;
  readonly #parts: ProxyParts;
  readonly #listener: Listener;
  readonly #played: PlaybackHandler | undefined;
  readonly #playbackListener: Listener | undefined;
  readonly #endPages: () => void;
  #inForce: ResolvedOptions;
  #closing: Promise<void> | undefined;

  /** Everything opened already, but not listening. */
  constructor(parts: ProxyParts) {
    super();
    const { options, core, ca, leaves, authenticator, metaSecret, later, handles, others, log } = parts;
    this.#parts = parts;
    this.#inForce = options;
    this.caFile = ca.file;
    this.caCertificatePem = ca.certificatePem;
    this.keySha256 = leaves.keySha256;
    this.warcDir = core.warcDir;
    core.on('capture', (capture) => this.emit('capture', capture));
    core.on('fatal', (error) => this.emit('fatal', error));

    const listenerFor = (handler: Handler) =>
      new Listener({
        handler: withLogin(authenticator, withTunnels(handler), log, OPEN_PATHS),
        secureContexts: (host) => leaves.secureContext(host),
        http2Streams: options.http2 === 'auto' ? options.http2Streams : 0,
        maxConnections: handles.maxConnections,
        socketTimeoutMs: options.socketTimeout * 1000,
        imitate: options.sslContext === 'mirror',
        headTimeoutMs: options.headTimeout * 1000,
        minRate: { bytesPerSecond: options.minRate, windowMs: options.socketTimeout * 1000 },
        heads: core.heads,
        crowded: () => core.crowded,
        log,
      });
    const steering = createSteering(metaSecret);
    const state = () => ({ ...core.state(), host: machineName(), address: this.address, port: this.port, metaIgnored: steering.ignored });
    const watched = watchCore(core, others?.among.of);
    const connections = () =>
      [boundOf('max-connections', this.#listener), boundOf('max-connections of playback', this.#playbackListener)].flat();
    const look = () => lookAtCore(core, state(), connections());
    this.#endPages = others?.endPages ?? (() => watched.recent.close());
    const moments = others?.moments ?? new KnownMoments();
    const archived = core.playbackIndex && { index: core.playbackIndex, dir: core.warcDir, moments, log };
    const pages = ownPages({
      options,
      ca,
      login: authenticator !== undefined,
      listening: () => this.#bound(this.#listener),
      playbackUrl: () => this.playbackUrl,
      live:
        others?.pages ??
        livePages({ ...watched, look, status: state, bucket: core.insides.bucket, hasIndex: core.playbackIndex !== undefined }),
      shown: archivedPages(core, others?.known ?? recentCaptures(watched.recent)),
      archived: archived && { ...archived, playback: playback(archived) },
      log,
    });
    others?.onOpen({ core, watched, look });
    this.#listener = later.proxy = listenerFor(
      createRoad({ passage: core.passage, pages: pages.ofProxy, steering, via: options.via, webSockets: options.websocket }),
    );
    const webSockets = archived && (options.playbackWebsocket === 'log' ? webSocketPlayback(archived) : noWebSockets);
    this.#played = archived && playbackHandler({ playback: playback(archived), ...(webSockets && { webSockets }), moments, log });
    if (this.#played !== undefined)
      this.#playbackListener = later.playback = listenerFor(pagesFirst(pages.ofPlayback, this.#played.handler));
  }

  /** Address that the proxy listens on. */
  get address(): string {
    return this.#bound(this.#listener).address;
  }

  get port(): number {
    return this.#bound(this.#listener).port;
  }

  /** Such as `http://127.0.0.1:8000`. */
  get url(): string {
    return urlOf(this.#bound(this.#listener));
  }

  /** Where the playback proxy listens, if there is one. */
  get playbackUrl(): string | undefined {
    const address = this.#playbackListener?.address;
    return address && urlOf(address);
  }

  /** Whether what nobody caught is the fault of a plugin: it is told and counted as a call that throws, and the proxy goes on. */
  blame(error: unknown): boolean {
    return this.#parts.core.blame(error);
  }

  /** What it has done so far, in numbers. */
  figures(): Figures {
    return this.#parts.core.figures();
  }

  /** @throws ListenError */
  async listen(): Promise<void> {
    const { options, authenticator, others, log } = this.#parts;
    if (others !== undefined) {
      others.listen(this.#listener, 'proxy');
      if (this.#playbackListener !== undefined) others.listen(this.#playbackListener, 'playback');
      return;
    }
    // A name would be resolved to either loopback address, and clients try 127.0.0.1.
    const address = options.address === 'localhost' ? '127.0.0.1' : options.address;
    await listenAt(this.#listener, { address, port: options.port, portFlag: '--port' });
    if (options.playbackPort !== undefined && this.#playbackListener !== undefined) {
      await listenAt(this.#playbackListener, { address, port: options.playbackPort, portFlag: '--playback-port' });
    }
    warnIfOpen(this.address, authenticator !== undefined, log);
  }

  /**
   * Take over what is reloadable of these options (addresses that may be reached, users of the file of `proxyAuthFile`), without closing
   * a connection. All of it or, with an error, nothing. Whether there is a log-in at all is for the next start. One call at a time.
   *
   * @param options all of them, as for `createProxy`: one that is left out has its default
   * @throws OptionError
   */
  async reload(options: WarctapOptions): Promise<Changes> {
    const { core, authenticator, log } = this.#parts;
    const next = resolveOptions(options);
    const { now, atNextStart } = changesOf(PROXY_OPTIONS, this.#inForce, next);
    const file = authenticator && next.proxyAuthFile;
    const users = file === undefined ? undefined : await usersOf(file, log);
    const changed = new Set(now);
    if (users === undefined) changed.delete('proxyAuthFile');
    else if (authenticator?.replace(users) === true) changed.add('proxyAuthFile');
    if (ADDRESS_OPTIONS.some((name) => changed.has(name))) core.replaceAddressRules(next);
    const { allowLocalhost, allow, deny, proxyAuthFile } = next;
    this.#inForce = { ...this.#inForce, allowLocalhost, allow, deny, ...(users === undefined ? {} : { proxyAuthFile }) };
    return { now: [...changed], atNextStart: [...atNextStart, ...now.filter((name) => !changed.has(name))] };
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
    const { core, leaves } = this.#parts;
    this.#endPages();
    this.#listener.stop();
    core.stop();
    await allInOrder([
      () => this.#playbackListener?.close(),
      () => this.#played?.settled(),
      () => core.stopped(),
      // Who waits for a record to be written is answered before the connections are closed.
      () => core.archive.close(),
      () => this.#listener.close(),
      () => leaves.close(),
      () => core.close(),
    ]);
  }

  #bound({ address }: Listener): AddressInfo {
    if (address === undefined) throw new Error('not listening');
    return address;
  }
}

function boundOf(name: string, listener: Listener | undefined): readonly Bound[] {
  return listener === undefined ? [] : [{ name, unit: 'number', used: listener.connections.open, limit: listener.connections.max }];
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
