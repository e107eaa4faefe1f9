/**
 * Limits of time that leave out what has come but was not read yet.
 *
 * After a stop of the process (SIGSTOP, a laptop that slept) timers are due before sockets are read: who is then looked at first has done
 * nothing wrong.
 */
import { performance } from 'node:perf_hooks';
import type { Socket } from 'node:net';

/** Calls back when each socket has been read once of what waits in it now: the second turn has asked the system after the first. */
export function afterReading(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}

/** Calls back after so long, and a reading. @returns what calls it off */
export function timeLimit(limitMs: number, late: () => void): () => void {
  let over = false;
  const timer = setTimeout(() => afterReading(() => over || late()), limitMs);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** For a socket's event `timeout`: calls back only when nothing has come after all. */
export function ifIdle(socket: Socket, idle: () => void): void {
  const { bytesRead } = socket;
  afterReading(() => {
    if (!socket.destroyed && socket.bytesRead === bytesRead) idle();
  });
}

/**
 * Look at something again and again, but not when it is overdue: then what has come meanwhile is read first, until the next time.
 *
 * @returns what ends it
 */
export function sweep(everyMs: number, look: () => void): () => void {
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const overdue = nowMs - lastMs > 1.5 * everyMs;
    lastMs = nowMs;
    if (!overdue) look();
  }, everyMs).unref();
  return () => clearInterval(timer);
}
