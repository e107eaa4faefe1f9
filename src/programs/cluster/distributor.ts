/**
 * Connections of clients, accepted here and handed to workers: each to the one that has the fewest, among those that have taken their last.
 *
 * Not by Node's `cluster`: a connection on its way to a worker that is killed stays open there for ever, with nobody behind it, and with the last
 * worker the port goes. `subprocess.send()` alone does the same: what was sent and not taken Node never closes. So each connection stays open here
 * (`keepOpen`) until its worker says that it has it: what it had not taken when it died is closed, what had not left goes to another.
 * Source: Node's documentation of `subprocess.send()` with a socket, and of `pauseOnConnect`; lib/internal/child_process.js (`target.disconnect`).
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { listen } from '../../util/listen.ts';
import type { Log } from '../../util/log.ts';
import { Repeats } from '../../util/repeats.ts';
import { listenAt, type Place } from '../listening.ts';
import type { Door } from './said.ts';

/** Who takes connections. */
export interface Taker {
  /**
   * Have it handed over; it stays open here, too. Once it is taken, `took` of the distributor is called.
   *
   * @param sent called once it has left this process: with false when it has not, and never will
   */
  hand(door: Door, socket: Socket, sent: (sent: boolean) => void): void;
}

/** What a taker has. */
interface Taking {
  /** connections */
  open: number;
  /** the one that it was handed and has not taken yet */
  handed: Handed | undefined;
}

interface Handed {
  readonly atMs: number;
  /** until it has left for it, it may go to another */
  sent: boolean;
  /** undefined: it could not be sent */
  socket: Socket | undefined;
}

/** Who has not taken a connection for so long, though it lives, has not received it: one that has no file handle left cannot. */
const MAX_HANDED_MS = 30_000;
const LOOK_MS = 5000;

export class Distributor {
  readonly #door: Door;
  readonly #maxConnections: number;
  readonly #server: Server;
  readonly #takers = new Map<Taker, Taking>();
  readonly #waiting = new Set<Socket>();
  readonly #dropped = new Repeats();
  readonly #now: () => number;
  readonly #looking: NodeJS.Timeout;
  #address: AddressInfo | undefined;
  #closed = false;

  /**
   * @param maxConnections of all workers together
   * @param now in ms, monotonic
   */
  constructor(door: Door, maxConnections: number, log: Log, now = () => performance.now()) {
    this.#now = now;
    this.#looking = setInterval(() => this.giveUp(), LOOK_MS).unref();
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
    this.#takers.set(taker, { open: 0, handed: undefined });
    this.#handOut();
  }

  /** It is gone: what it has goes with it, and what was on its way to it, of which it may have read something. */
  remove(taker: Taker): void {
    const { handed } = this.#takers.get(taker) ?? {};
    this.#takers.delete(taker);
    if (handed?.sent === true) handed.socket?.destroy();
    else this.#takeBack(handed?.socket);
    this.#handOut();
  }

  /** It has taken what it was handed last. */
  took(taker: Taker): void {
    this.#letGo(taker);
    this.#handOut();
  }

  /** What was on its way for too long. */
  giveUp(): void {
    const beforeMs = this.#now() - MAX_HANDED_MS;
    for (const [taker, { handed }] of this.#takers) if (handed !== undefined && handed.atMs < beforeMs) this.#letGo(taker);
    this.#handOut();
  }

  /** Only the taker has it open now. */
  #letGo(taker: Taker): void {
    const known = this.#takers.get(taker);
    if (known === undefined) return;
    known.handed?.socket?.destroy();
    known.handed = undefined;
  }

  /** So many of its connections are closed. */
  left(taker: Taker, count: number): void {
    const known = this.#takers.get(taker);
    if (known !== undefined) known.open -= count;
  }

  /** Accept no more. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#looking);
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
      for (const [taker, { open, handed }] of this.#takers) {
        if (handed !== undefined || open >= fewest) continue;
        best = taker;
        fewest = open;
      }
      const known = best && this.#takers.get(best);
      if (best === undefined || known === undefined) return;
      this.#waiting.delete(socket);
      const handed: Handed = { atMs: this.#now(), sent: false, socket };
      known.handed = handed;
      known.open++;
      best.hand(this.#door, socket, (sent) => {
        handed.sent = sent;
        if (sent || handed.socket === undefined) return;
        handed.socket = undefined;
        known.open--;
        this.#takeBack(socket);
      });
    }
  }

  /** It goes to another. */
  #takeBack(socket: Socket | undefined): void {
    if (socket === undefined || socket.destroyed) return;
    if (this.#closed) return void socket.destroy();
    this.#waiting.add(socket);
    this.#handOut();
  }
}
