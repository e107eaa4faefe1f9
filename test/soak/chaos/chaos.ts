/**
 * Proxies of many processes under load, of which something is killed at random moments, again and again; then every byte is looked at.
 *
 * Killed are workers, now and then a primary process, and where machines share a store its server. What must hold: `judge.ts`.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as passed } from 'node:timers/promises';
import { startServer, type Server } from '../../store/valkey/server.ts';
import { judge, type Judged } from './judge.ts';
import { startLoad, type Load } from './load.ts';
import { Machine } from './machine.ts';
import type { Kill } from './seen.ts';

export interface ChaosOptions {
  /** empty, for all files */
  readonly dir: string;
  /** what is run: node and its arguments, up to those of the proxy */
  readonly command: readonly string[];
  readonly seconds: number;
  /** with more than one they share a store, on a real server */
  readonly machines: number;
  /** of each machine */
  readonly workers: number;
  readonly clients: number;
  /** between two kills, on average */
  readonly killEveryMs: number;
  /** each so-manyth kill is one of a primary process; 0: none */
  readonly primaryEvery: number;
  /** each so-manyth kill is one of the store; 0: none */
  readonly storeEvery: number;
  /** between two requests of a client */
  readonly paceMs: number;
  readonly gzip: boolean;
  /** an exchange that was answered so long before its worker is killed is in the archive */
  readonly settledMs: number;
  readonly print: (line: string) => void;
}

export interface ChaosReport extends Judged {
  /** MB, the highest of each kind of process */
  readonly peakMb: { readonly primary: number; readonly worker: number };
}

/** Nobody is answered for so long, though all primary processes were there: it hangs. */
const HANGS_MS = 60_000;
const STOPS_MS = 60_000;
const AWAY_MS = 1500;
const TOLD_MS = 60_000;

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { dir, command, workers, gzip, settledMs, print } = options;
  const closing: (() => Promise<void>)[] = [];
  // What is confirmed is on its disk.
  const flags = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const store = options.machines > 1 ? await startServer({ after: (close) => void closing.push(close) }, { flags }) : undefined;
  const machines: Machine[] = [];
  for (let number = 1; number <= options.machines; number++) {
    const own = join(dir, `m${number}`);
    await mkdir(own, { recursive: true });
    machines.push(new Machine({ number, dir: own, command, workers, gzip, store: store?.url }));
  }
  try {
    await Promise.all(machines.map((machine) => machine.start()));
    const kills: Kill[] = [];
    const random = randomOf(20_261_127);
    const load = await startLoad({ ...options, machines, kills, random });
    const faults: string[] = [];
    await killing(options, { machines, store, kills, load, random, faults });
    await load.end();
    for (const machine of machines) {
      const end = await machine.stop(STOPS_MS);
      faults.push(...(await machine.deaths()).filter((ended) => ended !== 'SIGKILL').map((ended) => `a worker ended by itself: ${ended}`));
      if (end !== 0) faults.push(`machine ${machine.number} ended with ${String(end)}: ${machine.stderr}`);
    }
    const { lines, answered, limits, lagMs } = load;
    const folders = machines.map(({ number, warcs }) => ({ machine: number, warcs }));
    const judged = await judge(folders, settledMs, { kills, lines, answered, limits, lagMs, faults });
    const peakMb = {
      primary: Math.max(...machines.map((machine) => machine.peakMb.primary)),
      worker: Math.max(...machines.map((machine) => machine.peakMb.worker)),
    };
    print(JSON.stringify({ ...judged, faults: judged.faults.length, peakMb }));
    return { ...judged, peakMb };
  } finally {
    for (const machine of machines) await machine.kill();
    for (const close of closing) await close();
  }
}

interface Parts {
  readonly machines: readonly Machine[];
  readonly store: Server | undefined;
  readonly kills: Kill[];
  readonly load: Load;
  readonly random: () => number;
  readonly faults: string[];
}

/** Until the time is over, or nobody is answered any more. */
async function killing({ seconds, killEveryMs, primaryEvery, storeEvery, print }: ChaosOptions, parts: Parts): Promise<void> {
  const { machines, store, kills, load, random, faults } = parts;
  const isDue = (every: number) => every > 0 && (kills.length + 1) % every === 0;
  const one = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const note = (what: Kill['what'], machine: number, worker: number, behindMs = 0): Kill => {
    const kill: Kill = { what, machine, worker, behindMs, atMs: performance.now(), wallMs: Date.now() };
    kills.push(kill);
    return kill;
  };
  const killOne = async () => {
    if (store !== undefined && isDue(storeEvery)) {
      const kill = note('store', 0, 0);
      await store.kill();
      await passed(AWAY_MS);
      await store.start();
      [kill.backMs, kill.backWallMs] = [performance.now(), Date.now()];
      return;
    }
    const machine = one(machines);
    if (machine === undefined) return;
    const { workers, behindMs } = await machine.state();
    machine.look(workers);
    if (isDue(primaryEvery)) {
      const kill = note('primary', machine.number, 0, behindMs);
      await machine.kill();
      await machine.start();
      [kill.backMs, kill.backWallMs] = [performance.now(), Date.now()];
      return;
    }
    const chosen = one(workers);
    if (chosen === undefined) return;
    note('worker', machine.number, chosen.worker, behindMs);
    process.kill(chosen.pid, 'SIGKILL');
  };
  const begunMs = performance.now();
  let toldMs = begunMs;
  while (performance.now() < begunMs + seconds * 1000) {
    await passed(killEveryMs * 2 * random());
    await killOne().catch((error: unknown) => print(`no kill: ${String(error)}`));
    // Nobody was there to answer before a primary process was.
    const backMs = Date.now() - Math.max(0, ...kills.map(({ backWallMs = 0 }) => backWallMs));
    if (Math.min(load.quietMs, backMs) > HANGS_MS) {
      const pages = await Promise.all(machines.map((machine) => machine.status().catch(String)));
      faults.push(`nobody was answered for ${HANGS_MS / 1000} s: ${pages.join(' ')}`);
      return;
    }
    if (performance.now() < toldMs + TOLD_MS) continue;
    toldMs = performance.now();
    const memory = machines.map(({ peakMb }) => `${peakMb.primary} and ${peakMb.worker}`).join(', ');
    const minutes = Math.round((toldMs - begunMs) / 60_000);
    print(`${minutes} min: ${load.answered.size} answers, ${kills.length} kills, MB of primary and worker at most: ${memory}`);
  }
}

/** The same row in each run. */
function randomOf(first: number): () => number {
  let seed = first;
  return () => (seed = (seed * 48271) % 2147483647) / 2147483647;
}
