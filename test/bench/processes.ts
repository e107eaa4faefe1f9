/**
 * The processes of a run: started on their core, measured, and ended with the runner, whatever ends it.
 *
 * Owns the table of what runs, and the folders of runs. Cores and figures of processes are known on Linux only; elsewhere nothing is pinned and figures are 0.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Core 0 is the proxy's, core 1 that of origin and load; `all` are both. */
export type Cores = 'proxy' | 'others' | 'all';

export interface Running {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  /** the last of what it wrote to its standard error */
  readonly complaints: () => string;
}

export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const CORES = { proxy: '0', others: '1', all: '0,1' };
const STOP_MS = 60_000;
const TICKS_PER_SECOND = 100;
const KEPT_CHARS = 4000;

export const pinned = hasTaskset();
const running = new Set<ChildProcess>();
const folders = new Set<string>();

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

function hasTaskset(): boolean {
  if (cpus().length < 2) return false;
  try {
    execFileSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function start(cores: Cores, { command, args, cwd, env }: Start): Running {
  const [file = command, ...rest]: string[] = pinned ? ['taskset', '-c', CORES[cores], command, ...args] : [command, ...args];
  const child = spawn(file, rest, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  let kept = '';
  child.stderr.on('data', (bytes: Buffer) => (kept = (kept + bytes.toString()).slice(-KEPT_CHARS)));
  const lines: Interface = createInterface(child.stdout);
  return { child, lines: lines[Symbol.asyncIterator](), complaints: () => kept.trim() };
}

/** What others write to their standard output is not read, so it must go nowhere. */
export function startProxy(cores: Cores, options: Start): Running {
  const proxy = start(cores, options);
  proxy.child.stdout?.resume();
  return proxy;
}

/** A script of this folder, TypeScript by tsx. */
export function startScript(cores: Cores, name: string, args: readonly string[]): Running {
  return start(cores, { command: process.execPath, args: ['--import', 'tsx', `test/bench/${name}`, ...args] });
}

/** @throws when the process ends, or nothing comes in time */
export async function nextLine({ lines, child, complaints }: Running, limitMs: number): Promise<string> {
  const timer = new AbortController();
  const late = sleep(limitMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
  const line = await Promise.race([lines.next(), late]);
  timer.abort();
  if (line === 'late') throw new Error(`process ${child.pid} said nothing for ${limitMs / 1000} s: ${complaints()}`);
  if (line.done === true) throw new Error(`process ${child.pid} has ended: ${complaints()}`);
  return line.value;
}

/** @returns whether it ended by itself in time */
export async function stop({ child }: Running): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return true;
  const exited = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const [, signal] = await exited;
  clearTimeout(timer);
  return signal !== 'SIGKILL';
}

/** @throws when this machine has no server of the shared store */
export function serverProgram(): string {
  const program = ['valkey-server', 'redis-server'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (program === undefined) throw new Error('there is no valkey-server or redis-server');
  return program;
}

/** A new folder that goes with the runner at the latest. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'warctap-bench-'));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** @throws when nobody listens there in time */
export async function untilListening(port: number, { child, complaints }: Running, limitMs = 60_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended with ${child.exitCode}: ${complaints()}`);
    if (await isListening(port)) return;
    await sleep(50);
  }
  throw new Error(`does not listen after ${limitMs / 1000} s: ${complaints()}`);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Of a process and its children. */
export function usageOf({ child }: Running): { cpuSeconds: number; peakRssMb: number } {
  const sum = { cpuSeconds: 0, peakRssMb: 0 };
  if (process.platform !== 'linux' || child.pid === undefined) return sum;
  for (const pid of family(child.pid)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      sum.cpuSeconds += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
      sum.peakRssMb += Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    } catch {
      // A child that ended in between has nothing to tell.
    }
  }
  return sum;
}

function family(pid: number): number[] {
  const children: number[] = [];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      children.push(...readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
    }
  } catch {
    return [pid];
  }
  return [pid, ...children.flatMap(family)];
}
