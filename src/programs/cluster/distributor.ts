/**
 * Connections of clients, accepted here and handed to workers: each to the one that has the fewest, among those that have taken their last.
 *
 * Not by Node's `cluster`: a connection on its way to a worker that is killed stays open there for ever, with nobody behind it, and with the last
 * worker the port goes. Here what a worker has not taken goes to another, and the port is open as long as this process is.
 * Source: Node's documentation of `subprocess.send()` with a socket, and of `pauseOnConnect`.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { listen } from '../../util/listen.ts';
import type { Log } from '../../util/log.ts';
import { Repeats } from '../../util/repeats.ts';
import { listenAt, type Place } from '../listening.ts';
import type { Door } from './said.ts';

/** Who takes connections. */
export interface Taker {
  /**
   * Have it handed over. Once it is taken, `took` of the distributor is called.
   *
   * @param back called when it was not sent, and never will be
   */
  hand(door: Door, socket: Socket, back: () => void): void;
}

export class Distributor {
  readonly #door: Door;
  readonly #maxConnections: number;
  readonly #server: Server;
  readonly #takers = new Map<Taker, { open: number; busy: boolean }>();
  readonly #waiting = new Set<Socket>();
  readonly #dropped = new Repeats();
  #address: AddressInfo | undefined;
  #closed = false;

  /** @param maxConnections of all workers together */
  constructor(door: Door, maxConnections: number, log: Log) {
    this.#door = door;
    this.#maxConnections = maxConnections;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      socket.on('error', () => undefined);
      if (this.#open >= this.#maxConnections) {
        socket.destroy();
        this.#dropped.add('dropped', (more) => {
          log.warn({ maxConnections, dropped: Math.max(1, more) }, 'too many client connections, new ones are dropped');
        });
        return;
      }
      this.#waiting.add(socket);
      this.#handOut();
    });
  }

  /** @throws ListenError */
  async listen(place: Place): Promise<AddressInfo> {
    const listenThere = async (port: number, address: string) => (this.#address = await listen(this.#server, port, address));
    await listenAt({ listen: listenThere }, place);
    return this.address;
  }

  get address(): AddressInfo {
    if (this.#address === undefined) throw new Error('not listening');
    return this.#address;
  }

  /** One more who takes connections. */
  add(taker: Taker): void {
    this.#takers.set(taker, { open: 0, busy: false });
    this.#handOut();
  }

  /** It takes none any more: what it has goes with it. */
  remove(taker: Taker): void {
    this.#takers.delete(taker);
    this.#handOut();
  }

  /** It has taken what it was handed last. */
  took(taker: Taker): void {
    const known = this.#takers.get(taker);
    if (known !== undefined) known.busy = false;
    this.#handOut();
  }

  /** So many of its connections are closed. */
  left(taker: Taker, count: number): void {
    const known = this.#takers.get(taker);
    if (known !== undefined) known.open -= count;
  }

  /** Accept no more. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
    this.#dropped.close();
  }

  get #open(): number {
    let open = this.#waiting.size;
    for (const known of this.#takers.values()) open += known.open;
    return open;
  }

  #handOut(): void {
    for (const socket of this.#waiting) {
      let best: Taker | undefined;
      let fewest = Infinity;
      for (const [taker, { open, busy }] of this.#takers) {
        if (busy || open >= fewest) continue;
        best = taker;
        fewest = open;
      }
      const known = best && this.#takers.get(best);
      if (best === undefined || known === undefined) return;
      this.#waiting.delete(socket);
      known.busy = true;
      known.open++;
      best.hand(this.#door, socket, () => this.#takeBack(socket));
    }
  }

  /** It goes to another. What has left this process already, and arrived nowhere, is closed by Node. */
  #takeBack(socket: Socket): void {
    if (socket.destroyed || socket.remoteAddress === undefined) return;
    if (this.#closed) return void socket.destroy();
    this.#waiting.add(socket);
    this.#handOut();
  }
}
