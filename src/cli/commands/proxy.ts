/**
 * `warctap` itself, without a command's name: runs the proxy until a signal.
 */
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Changes } from '../../options/changes.ts';
import { OptionError } from '../../options/error.ts';
import { resolveOptions } from '../../options/resolve.ts';
import { WORKER_ROWS, workersOf } from '../../options/rows/workers.ts';
import { PROXY_COMMAND_OPTIONS, type WarctapOptions } from '../../options/table.ts';
import { mostWorkers } from '../../programs/cluster/shares.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit.ts';
import type { Running } from '../run.ts';
import { shellWord } from '../shell-word.ts';
import type { Watched } from '../watch.ts';

export const proxy = defineCommand({
  name: 'proxy',
  summary: 'Archiving proxy: keeps what goes over the wire in WARC files.',
  settings: PROXY_COMMAND_OPTIONS,
  exits: {
    ok: EXIT.ok.meaning,
    failed: EXIT.failed.meaning,
    usage: EXIT.usage.meaning,
    fatal: EXIT.fatal.meaning,
    store: EXIT.store.meaning,
  },
  exitNotes: `  A second signal ends it at once (a shell shows 130 for SIGINT, 143 for
  SIGTERM); the next start repairs open files.`,

  async run({ settings }) {
    const gathered = await settings();
    const { runProgram } = await import('../run-program.ts');
    return runProgram<typeof PROXY_COMMAND_OPTIONS, RunningProxy & Reloadable>(gathered, {
      start: async ({ workers, ...given }, log, { logLevel, passOn }) => {
        const count = workerCount(workers, given);
        if (count > 1) {
          const { startCluster } = await import('../../programs/cluster/start-cluster.ts');
          return startCluster({ given, workers: count, entry: workerFile(), logLevel, log, passOn });
        }
        const { createProxy } = await import('../../index.ts');
        return createProxy({ ...given, log });
      },
      tell: startBlock,
      reload: { read: settings, apply: (proxy, { workers: _workers, ...given }, logLevel) => proxy.reload(given, logLevel) },
    });
  },
});

interface Reloadable {
  reload(options: WarctapOptions, logLevel: string): Promise<Changes>;
}

/** @throws OptionError */
function workerCount(asked: number | 'auto' = WORKER_ROWS.workers.default, given: WarctapOptions): number {
  if (asked === 1) return 1;
  const most = mostWorkers(resolveOptions(given));
  const count = workersOf(asked, most);
  if (count !== undefined) return count;
  const expected = `at most ${most}, as --max-threads, --max-connections and --queue-size are shared out among them`;
  throw new OptionError('workers', asked, expected);
}

function workerFile(): string {
  return fileURLToPath(new URL(`../worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));
}

/** What is told of a proxy that runs. */
export type RunningProxy = Running &
  Watched & {
    /** such as `http://127.0.0.1:8000` */
    readonly url: string;
    /** of the playback proxy, if there is one */
    readonly playbackUrl?: string | undefined;
    readonly caFile: string;
    readonly warcDir: string;
  };

/** @param interfaces of this machine */
export function startBlock({ url, playbackUrl, caFile, warcDir }: RunningProxy, interfaces = networkInterfaces()): string {
  const cacert = resolve(caFile);
  const reached = reachable(url, interfaces);
  return [
    `warctap listens on ${url}`,
    ...(reached === url ? [] : [`  reach it at     ${reached}`]),
    `  CA certificate  ${cacert}`,
    `  WARC files      ${resolve(warcDir)}`,
    ...(playbackUrl === undefined ? [] : [`  playback        ${reachable(playbackUrl, interfaces)}`]),
    `  try             curl --proxy ${reached} --cacert ${shellWord(cacert)} https://example.com/`,
    '',
  ].join('\n');
}

/** Nobody can connect to 0.0.0.0 or [::]: an address of this machine that others know, else its own. */
function reachable(url: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  const { hostname } = new URL(url);
  if (hostname !== '0.0.0.0' && hostname !== '[::]') return url;
  const all = Object.values(interfaces).flatMap((list) => list ?? []);
  const outer = all.filter(({ internal, address }) => !internal && !/^(?:fe80:|169\.254\.)/.test(address));
  const ipv4 = outer.find(({ family }) => family === 'IPv4')?.address ?? (hostname === '0.0.0.0' ? '127.0.0.1' : undefined);
  return url.replace(hostname, ipv4 ?? `[${outer[0]?.address ?? '::1'}]`);
}
