/**
 * warcprox, the program: deduplication, statistics and SHA-1 are its defaults, and so is its number of threads.
 */
import { resolve } from 'node:path';
import { installed, PYTHON, type Peer } from './peer.ts';

export const warcprox: Peer = {
  name: 'warcprox',
  warcs: 'warcs',
  deduplicates: true,
  // It looks duplicates up in batches; those of a batch do not see each other.
  originalsAtMost: 500,
  installedFile: 'venv/bin/warcprox',
  install: [
    [PYTHON, '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', 'warcprox==2.13.1'],
  ],
  start: ({ dir, port, gzip }) => ({
    command: installed('warcprox', 'venv/bin/warcprox'),
    args: [`--port=${port}`, '--address=127.0.0.1', '--quiet', ...(gzip ? ['--gzip'] : [])],
    cwd: dir,
    env: { PYTHONPATH: resolve('test/bench/peers/python') },
  }),
};
