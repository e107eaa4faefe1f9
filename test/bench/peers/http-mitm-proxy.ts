/**
 * http-mitm-proxy on the same Node. Records nothing. With kept connections towards origins and one server for all host names.
 */
import { resolve } from 'node:path';
import { installed, type Peer } from './peer.ts';

export const httpMitmProxy: Peer = {
  name: 'http-mitm-proxy',
  installedFile: 'node_modules/http-mitm-proxy/package.json',
  install: [['npm', 'install', '--prefix', '.', '--no-audit', '--no-fund', 'http-mitm-proxy@1.1.0']],
  start: ({ dir, port }) => ({
    command: process.execPath,
    args: [
      `--import=${resolve('test/bench/peers/localhost.js')}`,
      resolve('test/bench/peers/http-mitm-proxy-start.js'),
      installed('http-mitm-proxy', ''),
      String(port),
    ],
    cwd: dir,
    env: { NODE_ENV: 'production' },
  }),
};
