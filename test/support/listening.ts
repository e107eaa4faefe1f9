/**
 * A listener of the proxy's with a made-up handler behind it, so that a test decides what becomes of each request.
 */
import assert from 'node:assert/strict';
import type { Handler } from '../../src/http/sides.ts';
import { Listener, type ListenerOptions } from '../../src/serve/listener.ts';
import { recordingLog } from '../ca/support.ts';

export interface Listening extends AsyncDisposable {
  readonly listener: Listener;
  readonly port: number;
  /** what was logged, as `level message` */
  logged(level: string): readonly string[];
}

export async function startListening(handler: Handler, options: Partial<ListenerOptions> = {}): Promise<Listening> {
  const { log, lines } = recordingLog();
  const listener = new Listener({
    handler,
    secureContexts: () => assert.fail('no TLS expected'),
    socketTimeoutMs: 60_000,
    headTimeoutMs: 60_000,
    minRate: { bytesPerSecond: 0, windowMs: 1000 },
    maxConnections: 10,
    log,
    ...options,
  });
  const { port } = await listener.listen(0, '127.0.0.1');
  return {
    listener,
    port,
    logged: (level) => lines.filter((line) => line.level === level).map(({ message }) => message),
    [Symbol.asyncDispose]: () => listener.close(),
  };
}
