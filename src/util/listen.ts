/** Listening as a promise, and the error of a place where nobody can listen. */
import type { AddressInfo, Server } from 'node:net';

/** `code` is the system's, such as EADDRINUSE. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;
  readonly address: string;
  readonly port: number;

  constructor({ address, port, code, why, cause }: { address: string; port: number; code: string; why: string; cause?: unknown }) {
    super(`cannot listen on ${address} port ${port}: ${why}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.address = address;
    this.port = port;
  }
}

/**
 * @returns where it listens: the port that was picked for port 0, the address of a name
 * @throws the system's error, as EADDRINUSE
 */
export async function listen(server: Server, port: number, address: string): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error(`listening on ${String(bound)} instead of ${address}:${port}`);
  return bound;
}
