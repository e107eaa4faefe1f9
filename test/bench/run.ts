/**
 * `npm run bench`: how fast exchanges go through the proxy into WARC files, next to other proxies in the same run.
 *
 * What is measured, and how it is kept fair: docs/benchmarks.md.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measure, type Look, type Measured, type Times } from './measure.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { PEERS } from './peers/index.ts';
import { installPeer, isInstalled, type Peer } from './peers/peer.ts';
import { before, warctap } from './peers/warctap.ts';
import { nextLine, pinned, startScript } from './processes.ts';
import { profile } from './profile.ts';
import { figuresOf, pagesTable, processesTable, resultsTable, type Row } from './report.ts';
import { targetsTable } from './targets.ts';
import type { Workload } from './workloads.ts';

interface Table {
  add(workload: Workload, proxy: string, result: Measured | Error): void;
  rows(): readonly Row[];
}

const NOTHING: Measured = {
  ...{ requests: 0, answered: 0, seconds: 0, bytes: 0, errors: 0, connects: 0, p50Ms: 0, p99Ms: 0, cpuSeconds: 0, fromUs: 0, toUs: 0 },
  ...{ responses: 0, revisits: 0, requestRecords: 0, cpuUs: 0, peakRssMb: 0, loadShare: 0, balance: 1, stopSeconds: 0 },
};
const GZIP_LIMIT_MS = 60_000;

function createTable(): Table {
  const rows = new Map<string, { workload: Workload; proxy: string; runs: Measured[]; failures: string[] }>();
  return {
    add(workload, proxy, result) {
      const key = `${workload.name}\n${proxy}`;
      const row = rows.get(key) ?? { workload, proxy, runs: [], failures: [] };
      rows.set(key, row);
      if (result instanceof Error) row.failures.push(result.message);
      else row.runs.push(result);
      const said =
        result instanceof Error ? `failed: ${firstLine(result.message)}` : `${Math.round(result.requests / result.seconds)} requests/s`;
      console.error(`${workload.name} | ${proxy}: ${said}`);
    },
    rows: () => [...rows.values()],
  };
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

/** All proxies one after the other, so that what else the machine does hits all alike. */
async function runOnce(workload: Workload, names: readonly string[], options: Options, table: Table): Promise<void> {
  const attempt = async (proxy: string, peer: Peer | undefined, look?: Look, times: Times = options) => {
    try {
      table.add(workload, proxy, await measure(workload, peer, times, look));
    } catch (error) {
      table.add(workload, proxy, error instanceof Error ? error : new Error(String(error)));
    }
  };
  const zlib: Look = async (dir, measured) => {
    const rate = await gzipAlone(join(dir, 'proxy', 'warcs'));
    const requests = (rate * measured.answered) / (measured.responses + measured.revisits + measured.requestRecords);
    table.add(workload, 'gzip alone', { ...NOTHING, requests, seconds: 1, bytes: requests * workload.size, cpuUs: 1e6 / requests });
  };
  await attempt('warctap', warctap, names.includes('gzip alone') && workload.gzip ? zlib : undefined);
  if (options.dashboard) await attempt('dashboard open', warctap, undefined, { ...options, watched: true });
  if (options.before !== undefined) await attempt('before', before(options.before));
  if (names.includes('direct')) await attempt('direct', undefined);
  for (const peer of PEERS) {
    if (names.includes(peer.name) && !skipped(peer, workload)) await attempt(peer.name, peer);
  }
}

/** @returns records per second */
async function gzipAlone(folder: string): Promise<number> {
  return Number(await nextLine(startScript('proxy', 'gzip-alone.ts', [folder]), GZIP_LIMIT_MS));
}

function skipped(peer: Peer, workload: Workload): boolean {
  return !isInstalled(peer) || (peer.alwaysGzip === true && !workload.gzip);
}

function namesFor({ peers, once }: Workload, options: Options, first: boolean): readonly string[] {
  return options.peers ?? (first ? [...peers, ...once] : peers);
}

async function bench(options: Options): Promise<boolean> {
  const table = createTable();
  const wanted = new Set(options.workloads.flatMap((workload) => namesFor(workload, options, true)));
  for (const peer of PEERS.filter((peer) => wanted.has(peer.name) && !isInstalled(peer))) {
    console.error(`${peer.name}: skipped, not installed; "npm run bench -- --install --peers ${peer.name}" does it`);
  }
  if (options.before !== undefined && !isInstalled(before(options.before)))
    throw new Error(`--before: ${options.before} has not been built`);
  if (!pinned) console.error('not pinned to cores: needs taskset and two cores');
  for (let run = 0; run < options.runs; run++) {
    for (const workload of options.workloads) await runOnce(workload, namesFor(workload, options, run === 0), options, table);
  }
  const order = (row: Row) => options.workloads.indexOf(row.workload);
  const rows = [...table.rows()].sort((a, b) => order(a) - order(b));
  const cores = pinned ? 'proxy on one core, load and origin on another' : 'not pinned';
  console.log(
    `\nMedians of ${options.runs} runs of ${options.requests > 0 ? `${options.requests} requests` : `${options.seconds} s`}, Node ${process.versions.node}, ${cores}\n`,
  );
  console.log(`${resultsTable(rows)}\n\n${targetsTable(rows)}\n`);
  for (const each of [pagesTable(rows), processesTable(rows)]) if (each !== undefined) console.log(`${each}\n`);
  const json = rows.map((row) => ({ ...row, median: figuresOf(row) }));
  if (options.out === undefined)
    console.log(JSON.stringify(json.map(({ workload, proxy, median }) => ({ workload: workload.name, proxy, ...median }))));
  else writeFileSync(options.out, `${JSON.stringify(json, null, 2)}\n`);
  return rows.every(({ proxy, failures }) => proxy !== 'warctap' || failures.length === 0);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const { peers } = options;
  if (options.help) return console.log(HELP);
  if (options.install) return PEERS.filter(({ name }) => peers?.includes(name) ?? true).forEach(installPeer);
  if (options.profile !== undefined) return profile(options.profile, options.seconds);
  if (!(await bench(options))) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
