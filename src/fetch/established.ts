/**
 * Waits for a connection to stand: TCP, or TLS on it.
 */
import type { Socket } from 'node:net';
import { FetchError } from '../http/fetch-error.ts';
import { timeLimit } from '../util/after-reading.ts';
import { reasonOf } from '../util/thrown.ts';

export interface Establishing {
  readonly event: 'connect' | 'secureConnect';
  /** begins the line that says why not */
  readonly what: string;
  readonly code: 'not-connected' | 'tls-failed';
  /** 0 is none */
  readonly timeoutMs: number;
}

/** Resolves with the event; otherwise destroys the socket. @throws FetchError */
export function established(socket: Socket, { event, what, code, timeoutMs }: Establishing): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const settle = (error?: FetchError) => {
      callOff?.();
      socket.removeListener(event, onReady).removeListener('error', onError).removeListener('close', onClose);
      if (error === undefined) return resolve();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onReady = () => settle();
    const onError = (cause: Error) => settle(new FetchError(code, `${what} failed: ${connectReason(cause)}`, { cause }));
    const onClose = () => settle(new FetchError(code, `${what} failed: closed by the other side`));
    const onTimeout = () => settle(new FetchError('connect-timeout', `${what} timed out after ${timeoutMs / 1000} s`));
    const callOff = timeoutMs > 0 ? timeLimit(timeoutMs, onTimeout) : undefined;
    socket.once(event, onReady).once('error', onError).once('close', onClose);
  });
}

function connectReason(error: Error): string {
  // OpenSSL's own line holds addresses and file names of its source.
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : reasonOf(error);
}
