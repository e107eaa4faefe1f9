/** An address of this machine that others could know it by. */
import { networkInterfaces } from 'node:os';

/** @returns an IPv4 address where there is one; undefined where the machine has only its own loopback */
export function machineAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return (
    addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ??
    addresses.find(({ internal }) => !internal)?.address
  );
}
