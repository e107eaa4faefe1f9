/**
 * A proxy of many processes under load, of which one is killed at random moments, again and again; then every byte is looked at.
 *
 * What must hold: each WARC verifies and no revisit dangles; every exchange answered a second before a kill is there; connections of other
 * workers are not touched; of each payload there is one response, but for those that a kill of the primary process took out of its memory.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { get as ask } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as passed } from 'node:timers/promises';
import { readWarc } from '../../src/warc/read/reader.ts';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { atExit } from '../support/at-exit.ts';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';

export interface ChaosOptions {
  /** empty, for all files */
  readonly dir: string;
  /** what is run: node and its arguments, up to those of the proxy */
  readonly command: readonly string[];
  readonly seconds: number;
  readonly workers: number;
  readonly clients: number;
  /** between two kills, on average */
  readonly killEveryMs: number;
  /** each so-manyth kill is one of the primary process; 0: none */
  readonly primaryEvery: number;
  /** between two requests of a client */
  readonly paceMs: number;
  readonly gzip: boolean;
  /** an exchange that was answered so long before its worker is killed is in the archive */
  readonly settledMs: number;
  readonly print: (line: string) => void;
}

export interface ChaosReport {
  readonly faults: readonly string[];
  readonly kills: number;
  readonly primaryKills: number;
  readonly answers: number;
  readonly records: number;
  readonly responses: number;
  readonly revisits: number;
  /** payloads with a second response, while one primary process ran */
  readonly doubled: number;
  /** the same, where the first was written before a kill of the primary process */
  readonly doubledOverPrimary: number;
  /** connections that were cut */
  readonly cut: number;
  /** exchanges that were answered just before their worker was killed, and are not there */
  readonly missing: number;
}

interface Kill {
  /** 0: the primary process */
  readonly worker: number;
  readonly atMs: number;
  /** by the clock on the wall */
  readonly wallMs: number;
}

/** A client's connection, from which it can be told who has served it. */
interface Line {
  readonly urls: string[];
  endedMs: number | undefined;
}

/** A connection that is cut by a kill notices that within this time, on a machine that does much else. */
const NOTICED_MS = 5000;
const MAX_FAULTS = 30;

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly ended: Promise<unknown>;
  readonly stderr: () => string;
}

async function start({ dir, command, workers, gzip }: ChaosOptions): Promise<Running> {
  const [file = '', ...rest] = command;
  const own = ['--dir', join(dir, 'warcs'), '--certs-dir', join(dir, 'certs'), '--cacert', await testCaFile(), '--playback-port', '0'];
  const stores = ['--dedup-db-file', join(dir, 'db'), '--stats-db-file', join(dir, 'db'), '--min-free-space', '0', '--size', '3M'];
  const args = [...rest, '-p', '0', '--allow-localhost', '--workers', String(workers), ...own, ...stores, ...(gzip ? ['--gzip'] : [])];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const done = atExit(() => child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code, signal]) => {
    done();
    return (signal ?? code) as unknown;
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-20_000)));
  for await (const line of createInterface(child.stdout)) {
    const port = /listens on http:\/\/[^ ]*:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return { child, port: Number(port), ended, stderr: () => stderr };
  }
  throw new Error(`did not start: ${stderr}`);
}

/** Those that run, by their numbers. */
async function workersOf(port: number): Promise<readonly { readonly worker: number; readonly pid: number }[]> {
  const text = await new Promise<string>((resolve, reject) => {
    let all = '';
    ask({ host: '127.0.0.1', port, path: '/status', agent: false }, (response) => {
      response
        .setEncoding('utf8')
        .on('data', (piece: string) => (all += piece))
        .on('end', () => resolve(all))
        .on('error', reject);
    }).on('error', reject);
  });
  return (JSON.parse(text) as { workers: { worker: number; pid: number }[] }).workers;
}

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { dir, seconds, clients, killEveryMs, primaryEvery, paceMs, print } = options;
  let seed = 20_261_127;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  await mkdir(dir, { recursive: true });
  // The body is the key: half of all requests are for what others ask for at the same time, so that many have it under way together.
  await using origin = await startOrigin(({ path, socket }) => {
    const key = Number(path.slice(path.lastIndexOf('k') + 1));
    socket.write(ok(`${key} `.padEnd(key % 211 === 0 ? 300_000 : 200 + ((key * 37) % 1500), 'all work and no play. ')));
  });
  let running = await start(options);
  const kills: Kill[] = [];
  const lines: Line[] = [];
  const answered: { readonly url: string; readonly atMs: number }[] = [];
  let number = 0;
  let over = false;
  const begunMs = performance.now();

  const client = async () => {
    while (!over) {
      const line: Line = { urls: [], endedMs: undefined };
      lines.push(line);
      try {
        using connection = await RawClient.connect(running.port);
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it changes while this waits
        while (!over) {
          const key = Math.floor(number / 24) * 12 + (number % 2 === 0 ? number % 12 : 0);
          const url = `${origin.url}/n${number++}k${key}`;
          line.urls.push(url);
          connection.send(get(url));
          await connection.response();
          answered.push({ url, atMs: performance.now() });
          if (paceMs > 0) await passed(paceMs * 2 * random());
        }
      } catch {
        line.endedMs = performance.now();
        await passed(20);
      }
    }
  };
  const load = Array.from({ length: clients }, client);

  const killOne = async () => {
    const now = () => ({ atMs: performance.now(), wallMs: Date.now() });
    if (primaryEvery > 0 && (kills.length + 1) % primaryEvery === 0) {
      kills.push({ worker: 0, ...now() });
      running.child.kill('SIGKILL');
      await running.ended;
      running = await start(options);
      return;
    }
    const workers = await workersOf(running.port);
    const chosen = workers[Math.floor(random() * workers.length)];
    if (chosen === undefined) return;
    kills.push({ worker: chosen.worker, ...now() });
    process.kill(chosen.pid, 'SIGKILL');
  };
  let toldMs = begunMs;
  while (performance.now() < begunMs + seconds * 1000) {
    await passed(killEveryMs * 2 * random());
    await killOne().catch((error: unknown) => print(`no kill: ${String(error)}`));
    if (performance.now() < toldMs + 60_000) continue;
    toldMs = performance.now();
    print(`${Math.round((toldMs - begunMs) / 60_000)} min: ${answered.length} answers, ${kills.length} kills`);
  }
  over = true;
  await Promise.all(load);
  running.child.kill('SIGTERM');
  const faults: string[] = [];
  const end = await running.ended;
  if (end !== 0) faults.push(`ended with ${String(end)}: ${running.stderr()}`);
  return await judge(options, { kills, lines, answered, faults });
}

interface Seen {
  readonly kills: readonly Kill[];
  readonly lines: readonly Line[];
  readonly answered: readonly { readonly url: string; readonly atMs: number }[];
  readonly faults: string[];
}

async function judge({ dir, settledMs, print }: ChaosOptions, { kills, lines, answered, faults }: Seen): Promise<ChaosReport> {
  const names = (await readdir(join(dir, 'warcs'))).sort();
  const files = names.map((name) => join(dir, 'warcs', name));
  faults.push(...names.filter((name) => name.endsWith('.open')).map((name) => `${name} was left open`));
  await verifyFiles(files, { allowUnresolved: false, onFault: ({ file, offset, problem }) => faults.push(`${file} ${offset} ${problem}`) });
  /** which worker has written each */
  const writers = new Map<string, number>();
  const payloads = new Map<string, string[]>();
  let cut = 0;
  let records = 0;
  let responses = 0;
  let revisits = 0;
  for (const file of files) {
    const worker = Number(/-w(\d)[a-z0-9]+\.warc/.exec(file)?.[1]);
    for await (const record of readWarc(file)) {
      records++;
      if (record.type !== 'response' && record.type !== 'revisit') continue;
      writers.set(record.header('WARC-Target-URI') ?? '', worker);
      if (record.type === 'revisit') revisits++;
      else {
        responses++;
        const digest = record.header('WARC-Payload-Digest') ?? '';
        payloads.set(digest, [...(payloads.get(digest) ?? []), record.header('WARC-Date') ?? '']);
      }
    }
  }
  const primaryKills = kills.filter(({ worker }) => worker === 0);
  const eraOf = (ms: number) => primaryKills.filter(({ wallMs }) => wallMs < ms).length;
  let doubled = 0;
  let doubledOverPrimary = 0;
  for (const dates of payloads.values()) {
    if (dates.length === 1) continue;
    const eras = dates.map((date) => eraOf(Date.parse(date)));
    if (new Set(eras).size === eras.length) doubledOverPrimary++;
    else doubled++;
  }
  const times = new Map(answered.map(({ url, atMs }) => [url, atMs]));
  let missing = 0;
  for (const { urls, endedMs } of lines) {
    const by = new Set(urls.flatMap((url) => writers.get(url) ?? []));
    if (by.size > 1) faults.push(`a connection was served by workers ${[...by].join()}`);
    const [worker] = by;
    const itsKills = kills.filter((kill) => kill.worker === 0 || worker === undefined || kill.worker === worker);
    for (const url of urls) {
      const atMs = times.get(url);
      if (atMs === undefined || writers.has(url)) continue;
      missing++;
      const due = itsKills.some((kill) => kill.atMs > atMs - 1 && kill.atMs < atMs + settledMs);
      if (!due) faults.push(`${url} is missing, its worker ${worker ?? '?'} was not killed within ${settledMs} ms`);
    }
    if (endedMs === undefined || urls.length === 0) continue;
    cut++;
    if (!itsKills.some(({ atMs }) => atMs <= endedMs && atMs > endedMs - NOTICED_MS))
      faults.push(`a connection of worker ${worker ?? '?'} was cut, and that was not killed`);
  }
  if (doubled > 0) faults.push(`${doubled} payloads were written twice`);
  const report = {
    ...{ faults: faults.slice(0, MAX_FAULTS), kills: kills.length, primaryKills: primaryKills.length, answers: answered.length },
    ...{ records, responses, revisits, doubled, doubledOverPrimary, cut, missing },
  };
  print(JSON.stringify({ ...report, files: files.length }));
  return report;
}
