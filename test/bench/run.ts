/**
 * `npm run bench`: how many exchanges per second go through the proxy into WARC files, on one core.
 *
 * Origin, load generator and proxy are processes of their own; where `taskset` exists the proxy has core 0 and the others core 1.
 * A run whose WARC files are not complete and valid is an error, not a result.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readFile } from 'node:fs/promises';
import { readWarc } from '../../src/warc/reader.ts';
import type { LoadResult } from './load.ts';

interface Workload {
  readonly name: string;
  readonly scheme: 'http' | 'https';
  readonly body: 'unique' | 'same';
  readonly size: number;
  readonly gzip: boolean;
  readonly requests: number;
  readonly connections: number;
}

const base = { body: 'unique', size: 1024, gzip: true, requests: 20_000, connections: 16 } as const;
const WORKLOADS: readonly Workload[] = [
  { ...base, name: '1 kB unique, http, gzip', scheme: 'http' },
  { ...base, name: '1 kB unique, https, gzip', scheme: 'https' },
  { ...base, name: '1 kB unique, http', scheme: 'http', gzip: false },
  { ...base, name: '1 kB unique, https', scheme: 'https', gzip: false },
  { ...base, name: '50 kB over and over, https, gzip', scheme: 'https', body: 'same', size: 50_000 },
  { ...base, name: '10 MB unique, http', scheme: 'http', gzip: false, size: 10_000_000, requests: 60 },
];

const pinned = hasTaskset();
const runs = Number(process.env.BENCH_RUNS ?? 3);

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['-c', '1', 'true']);
    return true;
  } catch {
    return false;
  }
}

function start(core: 0 | 1, args: readonly string[], cwd = process.cwd()): ChildProcess {
  const command = pinned ? 'taskset' : process.execPath;
  const rest = pinned ? ['-c', String(core), process.execPath, ...args] : args;
  return spawn(command, rest, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  const lines = createInterface(child.stdout);
  const [line] = (await once(lines, 'line')) as [string];
  child.stdout.resume();
  return line;
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

interface Result extends LoadResult {
  readonly cpuUs: number;
  readonly peakRssMb: number;
}

async function run(workload: Workload): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-bench-'));
  const tsx = ['--import', 'tsx'];
  const origin = start(1, [...tsx, 'test/bench/origin.ts', workload.scheme, workload.body, String(workload.size)]);
  const proxy = start(
    0,
    [join(process.cwd(), 'bin/warctap.js'), '--port=0', '--allow-localhost', '--quiet', ...(workload.gzip ? ['--gzip'] : [])],
    dir,
  );
  try {
    const originPort = await firstLine(origin);
    const proxyPort = /:(\d+)$/.exec(await firstLine(proxy))?.[1] ?? '';
    const { requests, connections, scheme } = workload;
    const load = start(1, [...tsx, 'test/bench/load.ts', proxyPort, originPort, scheme, String(requests), String(connections)]);
    const result = JSON.parse(await firstLine(load)) as LoadResult;
    const usage = await usageOf(proxy);
    await stop(proxy);
    await check(join(dir, 'warcs'), workload, result);
    return { ...result, cpuUs: (usage.cpuSeconds / requests) * 1e6, peakRssMb: usage.peakRssMb };
  } finally {
    if (proxy.exitCode === null) await stop(proxy);
    await stop(origin);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Of a process on Linux; 0 elsewhere. */
async function usageOf({ pid }: ChildProcess): Promise<{ cpuSeconds: number; peakRssMb: number }> {
  if (process.platform !== 'linux' || pid === undefined) return { cpuSeconds: 0, peakRssMb: 0 };
  const [stat, status] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/status`, 'utf8')]);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { cpuSeconds: ticks / 100, peakRssMb: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024 };
}

/** @throws when a record is missing, or a file cannot be read to its end */
async function check(dir: string, { requests, body }: Workload, { errors }: LoadResult): Promise<void> {
  if (errors > 0) throw new Error(`${errors} requests were not answered 200`);
  const counts = new Map<string, number>();
  for (const name of readdirSync(dir)) {
    if (name.endsWith('.open')) throw new Error(`${name} was not closed`);
    for await (const { type } of readWarc(join(dir, name))) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  const expected = body === 'same' ? { response: 1, revisit: requests - 1, request: requests } : { response: requests, request: requests };
  for (const [type, count] of Object.entries(expected)) {
    if (counts.get(type) !== count) throw new Error(`${counts.get(type) ?? 0} ${type} records instead of ${count}`);
  }
}

function median(results: readonly Result[]): Result {
  const sorted = [...results].sort((a, b) => a.seconds - b.seconds);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('BENCH_RUNS must be at least 1');
  return middle;
}

const table: Record<string, object> = {};
const json: object[] = [];
for (const workload of WORKLOADS) {
  const results: Result[] = [];
  for (let i = 0; i < runs; i++) results.push(await run(workload));
  const { requests, seconds, bytes, cpuUs, peakRssMb, p50Ms, p99Ms, errors } = median(results);
  const row = {
    'requests/s': Math.round(requests / seconds),
    'MB/s': Math.round(bytes / seconds / 1e6),
    'CPU µs/request': Math.round(cpuUs),
    'p50 ms': Number(p50Ms.toFixed(2)),
    'p99 ms': Number(p99Ms.toFixed(2)),
    'peak RSS MB': Math.round(peakRssMb),
    errors,
  };
  table[workload.name] = row;
  json.push({ ...workload, ...row });
  console.error(`${workload.name}: ${row['requests/s']} requests/s`);
}
console.log(
  `medians of ${runs} runs, Node ${process.versions.node}, ${pinned ? 'proxy on one core, the others on another' : 'not pinned'}`,
);
console.table(table);
console.log(JSON.stringify(json));
