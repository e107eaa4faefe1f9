/**
 * Workers and the manager as processes of their own that are killed at any moment, and what has to be so at the end:
 *
 * - every URL that the manager said it had added was reported, and none is left anywhere;
 * - nobody was given a URL while another's lease of it ran, nor after a report of it was answered;
 * - what the statistics count lies between the reports that were answered and those that were tried.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { atExit } from '../support/at-exit.ts';
import { ADMIN, ask, temporaryFolder } from './support.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const WORKER = fileURLToPath(new URL('kills-worker.js', import.meta.url));

export interface KillRun {
  readonly urls: number;
  readonly workers: number;
  /** of the manager, and of workers */
  readonly kills: { readonly manager: number; readonly workers: number };
  readonly leaseSeconds: number;
  readonly seed: number;
  /** between two kills, at most */
  readonly pauseMs: number;
}

export interface KillOutcome {
  readonly seconds: number;
  /** hand-outs and reports that were answered */
  readonly given: number;
  readonly reported: number;
  readonly handedOutAgain: number;
  readonly counted: number;
  /** what should not be so */
  readonly faults: readonly string[];
}

/** Numbers from 0 to 1, the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

async function startManager(db: string, port: number, leaseSeconds: number): Promise<{ child: ChildProcess; url: string }> {
  const env = { PATH: process.env.PATH, HEROSHI_ADMIN_KEY: ADMIN };
  const options = ['--db', db, '--lease-seconds', String(leaseSeconds), '--max-attempts', '1000'];
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, 'queue', 'serve', '-p', String(port), ...options], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const cancel = atExit(() => child.kill('SIGKILL'));
  child.once('exit', cancel);
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /listens on (http:\S+)/.exec(line) ?? [];
    if (url !== undefined) return { child, url };
  }
  throw new Error(`the manager did not start: ${said}`);
}

export async function killRun({ urls, workers, kills, leaseSeconds, seed, pauseMs }: KillRun): Promise<KillOutcome> {
  const folder = temporaryFolder();
  const random = numbers(seed);
  const faults: string[] = [];
  let manager = await startManager(join(folder, 'db'), 0, leaseSeconds);
  const { url } = manager;
  const admin = (path: string, asking = {}) => ask(url, path, { key: ADMIN, ...asking });
  const port = Number(new URL(url).port);
  const kill = async (child: ChildProcess) => {
    const { exitCode } = child;
    if (exitCode !== null) return void faults.push(`a program ended by itself, with ${exitCode}`);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };

  const all = Array.from({ length: urls }, (_, index) => `http://host-${index % 97}.test/${index}`);
  for (let at = 0; at < urls; at += 10_000) await admin('/temp-new-links', { body: JSON.stringify(all.slice(at, at + 10_000)) });
  const names = Array.from({ length: workers }, (_, index) => `worker-${index}`);
  for (const name of names) await admin('/api-keys', { body: `${name}:some-long-enough-key` });

  const ledger = (name: string) => join(folder, `${name}.ledger`);
  const startWorker = (name: string): ChildProcess => {
    const child = spawn(process.execPath, [WORKER, url, `${name}:some-long-enough-key`, ledger(name)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.once(
      'exit',
      atExit(() => child.kill('SIGKILL')),
    );
    return child;
  };
  const begun = performance.now();
  const running = new Map(names.map((name) => [name, startWorker(name)]));
  const plan = [...Array.from({ length: kills.manager }, () => true), ...Array.from({ length: kills.workers }, () => false)];
  // In an order of chance.
  for (let at = plan.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [plan[at], plan[other]] = [plan[other]!, plan[at]!];
  }
  for (const ofManager of plan) {
    await wait(random() * pauseMs);
    if (ofManager) {
      await kill(manager.child);
      manager = await startManager(join(folder, 'db'), port, leaseSeconds);
    } else {
      const name = names[Math.floor(random() * names.length)]!;
      await kill(running.get(name)!);
      running.set(name, startWorker(name));
    }
  }
  const counts = async () => ((await admin('/overview')).json as { counts: Record<string, number> }).counts;
  while ((await counts()).visited !== urls) await wait(100);
  const seconds = (performance.now() - begun) / 1000;
  await Promise.all([...running.values()].map(kill));
  const left = await counts();
  const statistics = (await admin('/statistics')).json as {
    'crawled-urls': number;
    'received-KB': number;
    workers: { 'crawled-urls': number }[];
  };
  const listed = (await admin('/temp-new-links')).text;
  await kill(manager.child);

  const lines = names
    .filter((name) => existsSync(ledger(name)))
    .map((name) => [name, readFileSync(ledger(name), 'utf8').split('\n')] as const);
  const outcome = judge(all, lines, leaseSeconds * 1000, left, statistics, listed);
  return { seconds, ...outcome, faults: [...faults, ...outcome.faults] };
}

interface GivenOnce {
  readonly asked: number;
  readonly received: number;
}

function judge(
  all: readonly string[],
  ledgers: readonly (readonly [worker: string, lines: readonly string[]])[],
  leaseMs: number,
  left: Readonly<Record<string, number>>,
  statistics: {
    readonly 'crawled-urls': number;
    readonly 'received-KB': number;
    readonly workers: readonly { readonly 'crawled-urls': number }[];
  },
  listed: string,
): Omit<KillOutcome, 'seconds'> {
  const given = new Map<string, GivenOnce[]>(all.map((url) => [url, []]));
  const answered = new Map<string, number>();
  const [tried, done] = [new Set<string>(), new Set<string>()];
  const faults: string[] = [];
  for (const [worker, lines] of ledgers) {
    for (const line of lines) {
      const [kind, first, second, third] = line.split(' ');
      if (kind === 'G') {
        const list = given.get(third ?? '');
        // The last line may be cut off.
        if (list !== undefined) list.push({ asked: Number(first), received: Number(second) });
      } else if (kind === 'T') tried.add(`${worker} ${second ?? ''}`);
      else if (kind === 'R' && second !== undefined) {
        done.add(`${worker} ${second}`);
        answered.set(second, Math.min(answered.get(second) ?? Infinity, Number(first)));
      }
    }
  }
  let again = 0;
  for (const [url, list] of given) {
    list.sort((a, b) => a.received - b.received);
    again += Math.max(0, list.length - 1);
    for (const [index, later] of list.entries()) {
      const before = list[index - 1];
      if (before !== undefined && later.received < before.asked + leaseMs) faults.push(`${url} was given to two at once`);
      if (later.asked > (answered.get(url) ?? Infinity)) faults.push(`${url} was given after its report was answered`);
    }
  }
  const counted = statistics['crawled-urls'];
  const say = (isSo: boolean, fault: string) => isSo || faults.push(fault);
  say(left.visited === all.length && left.urls === all.length, `${left.visited} visited and ${left.urls} known of ${all.length}`);
  say(left.waiting === 0 && left.given === 0 && left.failed === 0, `something is left: ${JSON.stringify(left)}`);
  say(listed === '[]', `new links are left: ${listed.slice(0, 200)}`);
  say(counted >= done.size && counted <= tried.size, `${counted} were counted, ${done.size} answered, ${tried.size} tried`);
  say(counted === statistics['received-KB'], `${counted} reports of a kilobyte each, ${statistics['received-KB']} KB`);
  say(
    counted === statistics.workers.reduce((sum, each) => sum + each['crawled-urls'], 0),
    'the workers have other counts than all together',
  );
  const handOuts = [...given.values()].reduce((sum, { length }) => sum + length, 0);
  return { given: handOuts, reported: done.size, handedOutAgain: again, counted, faults };
}
