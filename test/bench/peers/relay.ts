/**
 * The cheapest proxy there can be in Node: bytes there and back, nothing opened or kept. A limit, no peer.
 */
import { resolve } from 'node:path';
import type { Peer } from './peer.ts';

export const relay: Peer = {
  name: 'relay',
  start: ({ dir, port }) => ({ command: process.execPath, args: [resolve('test/bench/peers/relay-start.js'), String(port)], cwd: dir }),
};
