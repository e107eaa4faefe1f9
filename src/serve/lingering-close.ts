/**
 * The end of a connection whose client may still be sending: closing on unread bytes would reset it before the client has read its answer,
 * so what comes is read and thrown away, but not for ever.
 *
 * Source: RFC 9112 §9.6; nginx's `lingering_close`, `lingering_timeout` and `lingering_time`, whose times these are.
 */
import type { Socket } from 'node:net';

/** An upload that is refused. More than this stays in the client's own buffers, and holds it back. */
const MAX_BYTES = 16 * 1024 * 1024;
/** between two readings, after everything was sent */
const IDLE_MS = 5_000;
/** in all, after everything was sent */
const ALL_MS = 30_000;

export interface Lingering {
  readonly maxBytes?: number;
  readonly idleMs?: number;
  readonly allMs?: number;
}

/** What was written goes out, and nothing more. */
export function lingeringClose(socket: Socket, { maxBytes, idleMs = IDLE_MS, allMs = ALL_MS }: Lingering = {}): void {
  socket.once('finish', () => {
    socket.setTimeout(idleMs, () => socket.destroy());
    const limit = setTimeout(() => socket.destroy(), allMs);
    socket.once('close', () => clearTimeout(limit));
  });
  throwAway(socket, maxBytes);
  socket.end();
}

/** Read on without a use for it, so that a client which sends first and reads later comes to read. */
export function throwAway(socket: Socket, maxBytes = MAX_BYTES): void {
  let left = maxBytes;
  socket.on('data', (bytes: Buffer) => {
    left -= bytes.length;
    if (left < 0) socket.pause();
  });
  socket.resume();
}
