/**
 * Reads a socket into memory that is used again, and gives out what has come as its event `data`: a stream makes a new buffer for each read,
 * and an object besides.
 *
 * One buffer serves all sockets, as each is read and copied from before the next. Source: Node's `onread` of `net.Socket`.
 */
import type { OnReadOpts, Socket } from 'node:net';

/** As much as Node reads at once into a buffer of its own; with four times that much, floods of heads stand in memory for longer. */
const READ_BYTES = 64 * 1024;
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** @param socket whose these are, asked for when something has come */
export function readBuffers(socket: () => Socket): OnReadOpts {
  return {
    buffer: shared,
    callback(size) {
      const bytes = Buffer.allocUnsafe(size);
      shared.copy(bytes, 0, 0, size);
      socket().emit('data', bytes);
      return true;
    },
  };
}
