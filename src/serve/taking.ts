/**
 * How fast a client takes what is written to it, looked at while something waits for it.
 *
 * The system's own buffers count as taken: what the client does with them cannot be seen.
 */
import type { Socket } from 'node:net';
import type { Log } from '../util/log.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';

/**
 * Bytes per second below which nobody may keep others from their turn. Source: Apache's mod_reqtimeout, whose `MinRate` this is by default.
 */
const CROWDED_RATE = 500;

/**
 * Closes the connections of clients that take too little of what waits for them.
 *
 * @returns to be called about once a second, with all connections; `crowded` when others wait for their turn
 */
export function slowReaders(minRate: MinimumRateOptions, log: Log): (sockets: Iterable<Socket>, crowded: boolean) => void {
  let watched = new Map<Socket, Taking>();
  return (sockets, crowded) => {
    const before = watched;
    watched = new Map();
    for (const socket of sockets) {
      if (socket.writableLength === 0) continue;
      const taking = before.get(socket) ?? new Taking(socket, minRate);
      watched.set(socket, taking);
      if (!taking.tooSlow(crowded)) continue;
      log.info({ client: socket.remoteAddress }, 'a client takes its answer too slowly: its connection was closed');
      socket.destroy();
    }
  };
}

/** How fast one client takes what waits for it. */
export class Taking {
  readonly #socket: Socket;
  readonly #rate: MinimumRate;
  #takenBytes: number;

  constructor(socket: Socket, minRate: MinimumRateOptions) {
    this.#socket = socket;
    this.#rate = new MinimumRate(minRate);
    this.#takenBytes = takenBytes(socket);
  }

  /** To be called about once a second while something waits. @param crowded others wait for their turn */
  tooSlow(crowded: boolean): boolean {
    const before = this.#takenBytes;
    this.#takenBytes = takenBytes(this.#socket);
    return this.#rate.tooSlow(this.#takenBytes - before, crowded ? CROWDED_RATE : 0);
  }
}

interface Handle {
  readonly bytesWritten: number;
  /** of those, bytes that the system has not taken */
  readonly writeQueueSize: number;
  /** what TLS stands on */
  readonly _parent?: Handle;
}

/** As Node's own idle time-out sees it: a piece of 64 KiB takes a slow client minutes, and moves meanwhile. */
function takenBytes(socket: Socket): number {
  let handle = Reflect.get(socket, '_handle') as Handle | null | undefined;
  while (handle?._parent !== undefined) handle = handle._parent;
  return handle === null || handle === undefined ? 0 : handle.bytesWritten - handle.writeQueueSize;
}
