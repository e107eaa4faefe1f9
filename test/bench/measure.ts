/**
 * One run: origin, proxy and load for one workload, in a folder that is new and goes with the run.
 *
 * A run whose WARC files are not complete and valid fails.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkRecords, type Records } from './check.ts';
import { hostName } from './hosts.ts';
import { HOST_NAMES } from './web/page.ts';
import type { Load, LoadResult } from './load.ts';
import type { Peer } from './peers/peer.ts';
import {
  createFolder,
  freePort,
  removeFolder,
  nextLine,
  serverProgram,
  start,
  startProxy,
  startScript,
  stop,
  untilListening,
  usageOf,
  type Running,
} from './processes.ts';
import type { Workload } from './workloads.ts';

export interface Measured extends LoadResult, Records {
  /** of the proxy's processor time in the time that counts */
  readonly cpuUs: number;
  readonly peakRssMb: number;
  /** of the core that load and origin share, how much of it they took: near 1 they are what limits */
  readonly loadShare: number;
  /** of all requests, the share of the process that had fewest by that of the one that had most; 1 with a single process */
  readonly balance: number;
  /** from the end of the load until everything was written and the proxy had ended */
  readonly stopSeconds: number;
}

export interface Times {
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** instead of both, where it is not 0 */
  readonly requests: number;
  /** somebody has the dashboard open */
  readonly watched?: boolean;
}

/** Looks into the run's folder before it goes. */
export type Look = (dir: string, measured: Measured) => Promise<void>;

const STALLED_MS = 300_000;
const LOOKED_MS = 20;
const FILLED_MS = 600_000;

/** @param peer nothing: straight to the origin */
export async function measure(workload: Workload, peer: Peer | undefined, times: Times, look?: Look): Promise<Measured> {
  const dir = createFolder();
  const started: Running[] = [];
  const keep = (process: Running) => (started.push(process), process);
  try {
    const others = workload.allCores ? 'all' : 'others';
    const web = workload.browsers > 0;
    const origin = keep(
      startScript(others, web ? 'web/origin.ts' : 'origin.ts', [
        workload.scheme,
        workload.body,
        String(workload.size),
        workload.streams > 0 ? 'h2' : 'http/1.1',
      ]),
    );
    const originPort = Number(await nextLine(origin, STALLED_MS));
    const port = peer === undefined ? 0 : await freePort();
    const store = workload.store ? await startStore(dir, keep) : undefined;
    const options = peer && startOptions(workload, { root: dir, port, originPort, store: store?.socket });
    if (options && workload.stored > 0) await fillIndex(options.dir, workload.stored);
    const proxy = peer && options && keep(startProxy(workload.allCores ? 'all' : 'proxy', peer.start(options)));
    if (proxy) await untilListening(port, proxy);
    if (proxy) await untilAllListen(port, workload.workers === 'auto' ? availableParallelism() : workload.workers);
    if (times.watched === true) await nextLine(keep(startScript(others, 'dashboard.ts', [String(port)])), STALLED_MS);

    const { scheme, size, connections, streams, keepAlive, hosts } = workload;
    const { seconds, requests } = times;
    const warmUpSeconds = workload.untilWritten ? 0 : times.warmUpSeconds;
    const load: Load = {
      proxyPort: port,
      originPort,
      scheme,
      size,
      connections,
      streams,
      keepAlive,
      hosts,
      warmUpSeconds,
      seconds,
      requests,
    };
    const loader = keep(startScript(others, web ? 'web/load.ts' : 'load.ts', [JSON.stringify(load)]));
    const cpu = (process: Running | undefined) => (process === undefined ? 0 : usageOf(process).cpuSeconds);
    if ((await nextLine(loader, STALLED_MS)) !== 'begin') throw new Error('the load did not begin');
    const before = { proxy: cpu(proxy), origin: cpu(origin), store: cpu(store?.running) };
    const result = JSON.parse(await nextLine(loader, STALLED_MS)) as LoadResult;
    const loadedCpuSeconds = cpu(proxy) - before.proxy;
    const loadCpuSeconds = cpu(origin) - before.origin + result.cpuSeconds;
    if (result.errors > 0) {
      throw new Error(`${result.errors} of ${result.answered + result.errors} requests failed: ${loader.complaints()}`);
    }

    const storeCpuSeconds = cpu(store?.running) - before.store;
    const balance = workload.workers === 0 ? 1 : await balanceOf(port);
    const stoppedMs = performance.now();
    const used = proxy ? await usedUntilStopped(proxy) : { cpuSeconds: 0, peakRssMb: 0 };
    const stopSeconds = (performance.now() - stoppedMs) / 1000;
    const proxyCpuSeconds = workload.untilWritten ? used.cpuSeconds - before.proxy : loadedCpuSeconds;
    const countedSeconds = workload.untilWritten ? result.seconds + stopSeconds : result.seconds;
    const records =
      peer?.warcs === undefined ? { responses: 0, revisits: 0, requestRecords: 0 } : await checkRecords(dir, peer, workload, result);
    const measured: Measured = {
      ...result,
      ...records,
      seconds: countedSeconds,
      cpuUs: ((proxyCpuSeconds + storeCpuSeconds) / result.requests) * 1e6,
      balance,
      peakRssMb: used.peakRssMb,
      loadShare: loadCpuSeconds / result.seconds,
      stopSeconds,
    };
    await look?.(dir, measured);
    return measured;
  } finally {
    for (const process of started.reverse()) await stop(process);
    removeFolder(dir);
  }
}

/** Processor time and memory of a proxy that is told to end, as far as is seen every few hundredths of a second. @throws when it does not end */
async function usedUntilStopped(proxy: Running) {
  let used = usageOf(proxy);
  const looking = setInterval(() => {
    const { cpuSeconds, peakRssMb } = usageOf(proxy);
    used = { cpuSeconds: Math.max(used.cpuSeconds, cpuSeconds), peakRssMb: Math.max(used.peakRssMb, peakRssMb) };
  }, LOOKED_MS);
  const ended = await stop(proxy);
  clearInterval(looking);
  if (!ended) throw new Error('the proxy did not end');
  return used;
}

async function fillIndex(dir: string, count: number): Promise<void> {
  await nextLine(startScript('all', 'fill-index.ts', [join(dir, 'warctap.db'), String(count)]), FILLED_MS);
}

interface Where {
  readonly root: string;
  readonly port: number;
  readonly originPort: number;
  readonly store: string | undefined;
}

function startOptions({ gzip, hosts, browsers, streams, workers }: Workload, { root, port, originPort, store }: Where) {
  const dir = join(root, 'proxy');
  mkdirSync(dir);
  const many = hosts === 0 ? [] : Array.from({ length: hosts + 1 }, (_, index) => hostName(index));
  const names = browsers > 0 ? HOST_NAMES : many;
  return { dir, port, originPort, gzip, http2: streams > 0, workers, store, hosts: names };
}

/** A Valkey or Redis that writes what changes to its disk, as docs/scale.md says. @throws when there is none */
async function startStore(dir: string, keep: (process: Running) => Running) {
  const folder = join(dir, 'store');
  mkdirSync(folder);
  const socket = join(folder, 's');
  const settings = ['--appendonly', 'yes', '--save', '', '--hash-max-listpack-value', '512'];
  const running = keep(start('all', { command: serverProgram(), args: ['--port', '0', '--unixsocket', socket, ...settings], cwd: folder }));
  while (!(await nextLine(running, STALLED_MS)).includes('eady to accept connections'));
  running.child.stdout?.resume();
  return { running, socket };
}

/** By its page, which is asked once the load is over. */
async function balanceOf(port: number): Promise<number> {
  const shares = (await workersOf(port)).map(({ urls_processed: urls }) => urls);
  return shares.length === 0 ? 1 : Math.min(...shares) / Math.max(...shares);
}

interface WorkerStatus {
  readonly urls_processed: number;
}

async function workersOf(port: number): Promise<readonly WorkerStatus[]> {
  const { workers = [] } = (await (await fetch(`http://127.0.0.1:${port}/status`)).json()) as { workers?: WorkerStatus[] };
  return workers;
}

/** One is no worker, and has its port when it says so. Of several the port is there with the first, which would have all connections of a load that begins at once. */
async function untilAllListen(port: number, count: number): Promise<void> {
  const untilMs = performance.now() + STALLED_MS;
  while (count > 1 && (await workersOf(port)).length < count) {
    if (performance.now() > untilMs) throw new Error(`${count} workers do not listen after ${STALLED_MS / 1000} s`);
    await sleep(50);
  }
}
