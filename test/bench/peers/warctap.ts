/**
 * Ourselves, from dist/.
 */
import { resolve } from 'node:path';
import type { Peer } from './peer.ts';

export const warctap: Peer = {
  name: 'warctap',
  warcs: 'warcs',
  deduplicates: true,
  start: ({ dir, port, gzip }) => ({
    command: process.execPath,
    args: [resolve('bin/warctap.js'), `--port=${port}`, '--address=127.0.0.1', '--allow-localhost', '--quiet', ...(gzip ? ['--gzip'] : [])],
    cwd: dir,
  }),
};

/** The same under V8's profiler, which writes a file when it ends. */
export const profiled: Peer = {
  ...warctap,
  start: (options) => {
    const { args, ...rest } = warctap.start(options);
    return { ...rest, args: ['--cpu-prof', `--cpu-prof-dir=${options.dir}/profile`, '--cpu-prof-interval=250', ...args] };
  },
};
