/**
 * The cheapest proxies there can be in Node: bytes there and back, nothing opened or kept, with and without the two digests that every
 * recorder owes. Limits, no peers.
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
