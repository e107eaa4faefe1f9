/**
 * mitmproxy without a window (mitmdump). Records nothing; bodies from 100 kB on are passed through as they come.
 */
import { resolve } from 'node:path';
import { installed, PYTHON, type Peer } from './peer.ts';

export const mitmproxy: Peer = {
  name: 'mitmproxy',
  installedFile: 'venv/bin/mitmdump',
  install: [
    [PYTHON, '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', 'mitmproxy'],
  ],
  start: ({ dir, port, http2 }) => ({
    command: installed('mitmproxy', 'venv/bin/mitmdump'),
    args: [
      '--quiet',
      '--listen-host=127.0.0.1',
      `--listen-port=${port}`,
      ...OPTIONS.flatMap((option) => ['--set', option]),
      '--set',
      `confdir=${dir}/ca`,
      '--set',
      `http2=${http2}`,
    ],
    cwd: dir,
    env: { PYTHONPATH: resolve('test/bench/peers/python') },
  }),
};

const OPTIONS = ['flow_detail=0', 'ssl_insecure=true', 'connection_strategy=lazy', 'upstream_cert=false', 'stream_large_bodies=100k'];
