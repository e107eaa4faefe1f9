/**
 * The listening socket and all client connections made to it.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { listen } from '../util/listen.ts';
import type { Log } from '../util/log.ts';
import { ClientConnection, type ClientServices } from './http1-connection.ts';
import type { ClientTunnel } from '../proxy/router.ts';
import { openTunnel, type SecureContexts } from './tunnel.ts';

export interface ListenerOptions extends Omit<ClientServices, 'openTunnel'> {
  readonly secureContexts: SecureContexts;
  readonly maxConnections: number;
  readonly log: Log;
}

export class Listener {
  readonly #server: Server;
  #address: AddressInfo | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<ClientConnection>();

  constructor(options: ListenerOptions) {
    const services: ClientServices = {
      ...options,
      openTunnel: (socket, authority, first) => openTunnel({ ...options, serve }, socket, authority, first),
    };
    const serve = (socket: Socket, tunnel?: ClientTunnel, first?: Buffer) => {
      const connection = new ClientConnection(socket, services, tunnel);
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
      if (first !== undefined && first.length > 0) connection.receive(first);
      socket.resume();
    };
    // A client may close its side after its last request and still wait for the answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      serve(socket);
    });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('drop', () =>
      options.log.warn({ maxConnections: options.maxConnections }, 'too many client connections: one was dropped'),
    );
  }

  /** @throws the system's error, as EADDRINUSE */
  async listen(port: number, address: string): Promise<void> {
    this.#address = await listen(this.#server, port, address);
  }

  /** Where it listens, or has listened. */
  get address(): AddressInfo {
    if (this.#address === undefined) throw new Error('not listening');
    return this.#address;
  }

  /** Take no more connections and no more requests; what is being answered goes on. */
  stop(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.shutDown();
  }

  /** Close what is left. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.shutDown();
    const sockets = [...this.#sockets];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => lastWords(socket, resolve))));
  }
}

const LAST_WORDS_MS = 1000;

/** Give what was written a moment to leave. */
function lastWords(socket: Socket, done: () => void): void {
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  socket.once('close', () => {
    clearTimeout(timer);
    done();
  });
  socket.destroySoon();
}
