/**
 * The listening socket of the playback proxy, and all connections made to it.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Tunnel } from '../http/target.ts';
import { listen } from '../util/listen.ts';
import { serveConnection, type PlaybackServices } from './connection.ts';

export interface PlaybackListenerOptions extends PlaybackServices {
  readonly maxConnections: number;
}

export class PlaybackListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: PlaybackListenerOptions) {
    const serve = (socket: Socket, tunnel: Tunnel | undefined, first: Buffer): void => {
      const served = serveConnection(socket, options, serve, tunnel, first).finally(() => this.#running.delete(served));
      this.#running.add(served);
    };
    // A client may close its side after its last request and still wait for the answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      serve(socket, undefined, Buffer.alloc(0));
    });
    this.#server.maxConnections = options.maxConnections;
  }

  /** @throws the system's error, as EADDRINUSE */
  listen(port: number, address: string): Promise<AddressInfo> {
    return listen(this.#server, port, address);
  }

  /** Close all connections, answers that are under way cut off, and wait for their files to be let go of. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await Promise.all(this.#running);
  }
}
