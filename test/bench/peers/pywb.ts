/**
 * pywb as a recording proxy. It always compresses, does not deduplicate, and writes request records.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { installed, PYTHON, type Peer } from './peer.ts';

export const pywb: Peer = {
  name: 'pywb',
  alwaysGzip: true,
  warcs: 'collections/bench/archive',
  installedFile: 'venv/bin/wayback',
  install: [
    [PYTHON, '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', 'pywb==2.10.0', 'setuptools<81'],
  ],
  start: ({ dir, port }) => {
    for (const folder of ['archive', 'indexes', 'templates', 'static'])
      mkdirSync(join(dir, 'collections/bench', folder), { recursive: true });
    return {
      command: installed('pywb', 'venv/bin/wayback'),
      args: ['--bind=127.0.0.1', `--port=${port}`, '--live', '--proxy=bench', '--proxy-record'],
      cwd: dir,
      env: { PYTHONPATH: resolve('test/bench/peers/python') },
    };
  },
};
