/** Listening as a promise. */
import type { AddressInfo, Server } from 'node:net';

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
