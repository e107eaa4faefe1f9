/**
 * A listening socket, and all connections of clients made to it: each is served by one handler, in tunnels too.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { ClientTunnel } from '../http/sides.ts';
import { sweep } from '../util/after-reading.ts';
import { Linked } from '../util/linked.ts';
import { listen } from '../util/listen.ts';
import { Repeats } from '../util/repeats.ts';
import type { Http2Connection, Http2Services } from './http2-connection.ts';
import type { ConnectionServices } from './connection-services.ts';
import { Http1Connection } from './http1-connection.ts';
import { slowReaders } from './taking.ts';
import { tlsFailures, TRUST_THE_FILE, type TlsFailures } from './tls-failures.ts';
import { openTunnel, type SecureContexts, type TunnelServices } from './tunnel.ts';

export interface ListenerOptions extends Omit<ConnectionServices, 'openTunnel'> {
  readonly secureContexts: SecureContexts;
  /** every connection begins with TLS, by this certificate */
  readonly secure?: SecureContext | undefined;
  /** what clients say first in tunnels is read, for origins to hear the same */
  readonly imitate?: boolean | undefined;
  /** HTTP/2 inside of tunnels: streams at a time of one connection; undefined or 0 without it */
  readonly http2Streams?: number | undefined;
  readonly maxConnections: number;
  /** others wait because of what clients hold */
  readonly crowded?: () => boolean;
}

const LOOK_MS = 1000;
/** To plain HTTP where TLS is spoken. */
const SPEAKS_TLS =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 38\r\nConnection: close\r\n\r\nthis port speaks TLS: use an https URL';

export class Listener {
  readonly #server: Server;
  #address: AddressInfo | undefined;
  readonly #sockets = new Linked<Socket>();
  readonly #connections = new Linked<readonly [Http1Connection, Socket]>();
  readonly #http2 = new Set<Http2Connection>();
  /** once a client may have chosen it */
  #serveHttp2: typeof Http2Connection | undefined;
  /** TLS is still to begin */
  readonly #beginning = new Set<Socket>();
  readonly #endLooking: () => void;
  readonly #maxConnections: number;
  #stopped = false;
  readonly #failures: TlsFailures;
  readonly #dropped = new Repeats();

  constructor(options: ListenerOptions) {
    const { maxConnections, secure, http2Streams = 0, log } = options;
    const failures = (this.#failures = secure === undefined ? tlsFailures(log) : tlsFailures(log, TRUST_THE_FILE));
    const http2 =
      http2Streams > 0 ? async () => void (this.#serveHttp2 ??= (await import('./http2-connection.ts')).Http2Connection) : undefined;
    const services: ConnectionServices = {
      ...options,
      openTunnel: (socket, authority, first) => openTunnel({ ...options, failures, http2, serve }, socket, authority, first),
    };
    const serve = (socket: Socket, tunnel?: ClientTunnel, first?: Buffer) => {
      if (tunnel !== undefined && socket instanceof TLSSocket && socket.alpnProtocol === 'h2')
        return this.#beginHttp2(socket, { ...options, maxStreams: http2Streams }, tunnel);
      const connection = new Http1Connection(socket, services, tunnel);
      const link = this.#connections.add([connection, socket]);
      socket.once('close', () => this.#connections.remove(link));
      if (first !== undefined && first.length > 0) connection.receive(first);
      socket.resume();
    };
    // A client may close its side after its last request and still wait for the answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const link = this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.remove(link));
      if (secure === undefined) serve(socket);
      else this.#beginTls({ ...options, imitate: false, failures, serve, secureContexts: () => secure }, socket);
    });
    this.#maxConnections = this.#server.maxConnections = maxConnections;
    this.#server.on('drop', () =>
      this.#dropped.add('dropped', (more) => {
        log.warn({ maxConnections, dropped: Math.max(1, more) }, 'too many client connections, new ones are dropped');
      }),
    );
    const look = slowReaders(options.minRate, options.log);
    this.#endLooking = sweep(LOOK_MS, () => {
      const crowded = options.crowded?.() === true;
      look(
        [...this.#connections].map(([, socket]) => socket),
        crowded,
      );
      for (const connection of this.#http2) connection.look(crowded);
    });
  }

  #beginHttp2(socket: Socket, services: Http2Services, tunnel: ClientTunnel): void {
    if (this.#serveHttp2 === undefined) throw new Error('HTTP/2 was not offered');
    const connection = new this.#serveHttp2(socket, services, tunnel);
    this.#http2.add(connection);
    socket.once('close', () => this.#http2.delete(connection));
    if (this.#stopped) connection.shutDown();
  }

  #beginTls(services: TunnelServices, socket: Socket): void {
    this.#beginning.add(socket);
    socket.once('close', () => this.#beginning.delete(socket));
    const serve: TunnelServices['serve'] = (secured, tunnel, first) => {
      this.#beginning.delete(socket);
      if (tunnel.scheme === 'https') services.serve(secured, tunnel, first);
      else secured.on('error', () => undefined).end(SPEAKS_TLS);
    };
    openTunnel({ ...services, serve }, socket, { host: socket.localAddress ?? '', port: socket.localPort ?? 0 }, Buffer.alloc(0));
  }

  /** @throws the system's error, as EADDRINUSE */
  async listen(port: number, address: string): Promise<AddressInfo> {
    return (this.#address = await listen(this.#server, port, address));
  }

  /**
   * Have another process listen, which hands over the connections that it accepts there.
   *
   * @returns takes one of them, of which nothing has been read
   */
  listenBy(address: AddressInfo): (socket: Socket) => void {
    this.#address = address;
    return (socket) => {
      // As those that are accepted here.
      socket.allowHalfOpen = true;
      if (this.#stopped) socket.destroy();
      else if (this.#sockets.size < this.#maxConnections) this.#server.emit('connection', socket);
      else {
        socket.destroy();
        this.#server.emit('drop');
      }
    };
  }

  /** Where it listens, or has listened. */
  get address(): AddressInfo | undefined {
    return this.#address;
  }

  /** Clients that are connected, and how many may be. */
  get connections(): { readonly open: number; readonly max: number } {
    return { open: this.#sockets.size, max: this.#server.maxConnections };
  }

  /** Take no more connections and no more requests; what is being answered goes on. */
  stop(): void {
    this.#stopped = true;
    this.#server.close();
    for (const [connection] of this.#connections) connection.shutDown();
    for (const connection of this.#http2) connection.shutDown();
    for (const socket of this.#beginning) socket.destroy();
  }

  /** Resolves when everything that was being answered has been, or the time is over. To be called after `stop`. */
  async drained(ms: number): Promise<void> {
    const open = [...this.#sockets].filter((socket) => !socket.writableFinished);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([late, Promise.all(open.map(finished))]);
    clearTimeout(timer);
  }

  /** Close what is left; what was written has a moment to leave. */
  async close(): Promise<void> {
    this.stop();
    this.#endLooking();
    const sockets = [...this.#sockets];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => lastWords(socket, resolve))));
    this.#failures.close();
    this.#dropped.close();
  }
}

function finished(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('finish', resolve);
    socket.once('close', () => resolve());
  });
}

const LAST_WORDS_MS = 1000;

function lastWords(socket: Socket, done: () => void): void {
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  socket.once('close', () => {
    clearTimeout(timer);
    done();
  });
  socket.destroySoon();
}
