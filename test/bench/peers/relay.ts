/**
 * The cheapest proxies there can be in Node, limits and no peers: bytes there and back, nothing opened or kept, with and without the two
 * digests that every recorder owes; and one that opens TLS, and passes on what is inside.
 */
import { resolve } from 'node:path';
import type { Peer } from './peer.ts';

const relayWith = (name: string, hashes: number): Peer => ({
  name,
  start: ({ dir, port }) => ({
    command: process.execPath,
    args: [resolve('test/bench/peers/relay-start.js'), String(port), String(hashes)],
    cwd: dir,
  }),
});

export const relay = relayWith('relay', 0);
export const hashingRelay = relayWith('relay and SHA-1 twice', 2);

export const openingRelay: Peer = {
  name: 'relay that opens TLS',
  start: ({ port }) => ({
    command: process.execPath,
    args: ['--import', 'tsx', resolve('test/bench/peers/opening-relay-start.ts'), String(port)],
  }),
};
