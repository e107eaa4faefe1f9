/**
 * Ourselves, from dist/.
 */
import { resolve } from 'node:path';
import type { Peer } from './peer.ts';

export const warctap: Peer = warctapOf('warctap', '.');

/** Another checkout, built: the commit before, to be compared with in the same run. */
export const before = (checkout: string): Peer => warctapOf('before', checkout);

function warctapOf(name: string, checkout: string): Peer {
  return {
    name,
    warcs: 'warcs',
    deduplicates: true,
    installedFile: resolve(checkout, 'dist/index.js'),
    start: ({ dir, port, gzip, workers, store }) => ({
      command: process.execPath,
      args: [
        resolve(checkout, 'bin/warctap.js'),
        `--port=${port}`,
        '--address=127.0.0.1',
        '--allow-localhost',
        '--quiet',
        ...(gzip ? ['--gzip'] : []),
        ...(workers === 0 ? [] : [`--workers=${workers}`]),
        // As with the database of this machine: what is asked is what sharing costs, not what syncing does.
        ...(store === undefined ? [] : [`--store=unix://${store}`, '--fsync=close']),
      ],
      cwd: dir,
    }),
  };
}

/** The same under V8's profiler, which writes a file when it ends. */
export const profiled: Peer = {
  ...warctap,
  start: (options) => {
    const { args, ...rest } = warctap.start(options);
    return { ...rest, args: ['--cpu-prof', `--cpu-prof-dir=${options.dir}/profile`, '--cpu-prof-interval=250', ...args] };
  },
};
