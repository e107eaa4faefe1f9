/** A proxy of many processes, as one machine runs it: started, killed whole or in part, started again in its folder, and looked at. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { get as ask } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { atExit } from '../../support/at-exit.ts';
import { testCaFile } from '../../support/certificate.ts';

export interface MachineOptions {
  /** from 1 on */
  readonly number: number;
  /** its own */
  readonly dir: string;
  /** what is run: node and its arguments, up to those of the proxy */
  readonly command: readonly string[];
  readonly workers: number;
  readonly gzip: boolean;
  /** URL of the store that it shares with others */
  readonly store: string | undefined;
}

export interface WorkerSeen {
  readonly worker: number;
  readonly pid: number;
}

const KEPT_CHARS = 20_000;

export class Machine {
  readonly number: number;
  readonly warcs: string;
  /** highest resident memory, in MB: of the primary process, and of any worker */
  readonly peakMb = { primary: 0, worker: 0 };
  readonly #options: MachineOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #stderr = '';
  #port = 0;

  constructor(options: MachineOptions) {
    this.number = options.number;
    this.warcs = join(options.dir, 'warcs');
    this.#options = options;
  }

  /** 0 while it does not listen. */
  get port(): number {
    return this.#port;
  }

  /** the last of what it has written to its standard error */
  get stderr(): string {
    return this.#stderr;
  }

  /** @throws when it does not start */
  async start(): Promise<void> {
    const { dir, command, workers, gzip, store } = this.#options;
    const [file = '', ...rest] = command;
    const own = ['--dir', this.warcs, '--certs-dir', join(dir, 'certs'), '--cacert', await testCaFile(), '--playback-port', '0'];
    const stores = [
      '--dedup-db-file',
      join(dir, 'db'),
      '--stats-db-file',
      join(dir, 'db'),
      ...(store === undefined ? [] : ['--store', store]),
    ];
    const more = ['--min-free-space', '0', '--size', '3M', ...(gzip ? ['--gzip'] : [])];
    const child = spawn(file, [...rest, '-p', '0', '--allow-localhost', '--workers', String(workers), ...own, ...stores, ...more], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const done = atExit(() => child.kill('SIGKILL'));
    this.#child = child;
    this.#ended = once(child, 'close').then(([code, signal]) => {
      done();
      this.#port = 0;
      return (signal ?? code) as unknown;
    });
    child.stderr.pipe(createWriteStream(join(dir, 'log'), { flags: 'a' }));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-KEPT_CHARS)));
    for await (const line of createInterface(child.stdout)) {
      const port = /listens on http:\/\/[^ ]*:(\d+)/.exec(line)?.[1];
      if (port === undefined) continue;
      child.stdout.resume();
      this.#port = Number(port);
      return;
    }
    throw new Error(`machine ${this.number} did not start: ${this.#stderr}`);
  }

  /** The primary process; its workers end with it. */
  async kill(): Promise<void> {
    this.#port = 0;
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** @returns exit code or signal */
  async stop(withinMs: number): Promise<unknown> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), withinMs);
    this.#child?.kill('SIGTERM');
    const end = await this.#ended;
    clearTimeout(timer);
    return end;
  }

  /** How each worker has ended that was replaced, as its log says. */
  async deaths(): Promise<readonly string[]> {
    const ends: string[] = [];
    for await (const line of createInterface(createReadStream(join(this.#options.dir, 'log')))) {
      if (!line.includes('a worker has died')) continue;
      // A kill of the primary process may cut its last line.
      const ended = /"ended":"([^"]*)"/.exec(line)?.[1];
      if (ended !== undefined) ends.push(ended);
    }
    return ends;
  }

  /** Those that run, and how long a capture may have been in a chain by the time that this is told. @throws when nobody answers */
  async state(): Promise<{ readonly workers: readonly WorkerSeen[]; readonly behindMs: number }> {
    const askedMs = performance.now();
    const { workers = [], seconds_behind: behind } = JSON.parse(await this.status()) as { workers?: WorkerSeen[]; seconds_behind: number };
    return { workers, behindMs: Math.round(behind * 1000 + performance.now() - askedMs) };
  }

  status(): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = ask({ host: '127.0.0.1', port: this.#port, path: '/status', agent: false, timeout: 10_000 }, (response) => {
        let all = '';
        response.setEncoding('utf8').on('data', (piece: string) => (all += piece));
        response.on('end', () => resolve(all)).on('error', reject);
      });
      asked.on('error', reject).on('timeout', () => asked.destroy(new Error('no answer in 10 s')));
    });
  }

  /** Note how much memory its processes have. Linux only. */
  look(workers: readonly WorkerSeen[]): void {
    this.peakMb.primary = Math.max(this.peakMb.primary, residentMb(this.#child?.pid));
    this.peakMb.worker = Math.max(this.peakMb.worker, ...workers.map(({ pid }) => residentMb(pid)));
  }
}

function residentMb(pid: number | undefined): number {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  } catch {
    // It has ended, or there is no /proc.
    return 0;
  }
}
