/** The real program in a process of its own, straight from its TypeScript. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atExit } from './at-exit.ts';
import { testCaFile } from './certificate.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly port: number;
  /** exit code and signal; all of stderr has been read then */
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
  /** all of stdout so far */
  readonly stdout: () => string;
  /** all of stderr so far */
  readonly stderr: () => string;
  /** the log so far */
  readonly log: () => LogLine[];
  /** Resolves when the log says this. */
  readonly logged: (part: string) => Promise<void>;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
}

export interface Surroundings {
  /** of its environment */
  readonly variables?: Readonly<Record<string, string>>;
  /** files and sockets that it may have open at once */
  readonly openFiles?: number;
}

/**
 * Start it with all its files in `dir`, and wait until it listens. Disposing of it kills it.
 *
 * @param args more options, which win
 * @throws when it does not start, with its exit code and all of stderr
 */
export async function startProgram(
  dir: string,
  args: readonly string[] = [],
  { variables, openFiles }: Surroundings = {},
): Promise<Program> {
  const files = ['--dir', join(dir, 'warcs'), '--certs-dir', join(dir, 'certs'), '--cacert', await testCaFile()];
  const stores = ['--dedup-db-file', join(dir, 'db'), '--stats-db-file', join(dir, 'db'), '--playback-port', '0'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WARCTAP_') && !name.startsWith('NODE_')));
  const limited = openFiles === undefined ? [] : ['sh', '-c', 'ulimit -n "$0" && exec "$@"', String(openFiles)];
  const [command = '', ...rest] = [
    ...limited,
    process.execPath,
    ...['--import', import.meta.resolve('tsx'), `${ROOT}src/cli/main.ts`, '-p', '0', '--allow-localhost', ...files, ...stores, ...args],
  ];
  const child = spawn(command, rest, { cwd: dir, env: { ...env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = atExit(() => child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code, signal]) => [code as number | null, signal as NodeJS.Signals | null] as const);
  const waiting = new Set<() => void>();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const look of waiting) look();
  });
  const logged = (part: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!stderr.includes(part)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`ended without ${JSON.stringify(part)}: ${stderr}`)));
    });
  const log = () => {
    const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as LogLine);
  };
  let stdout = '';
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
  for await (const line of createInterface(child.stdout)) {
    const port = /listens on http:\/\/[^ ]*:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return {
      child,
      port: Number(port),
      ended,
      stdout: () => stdout,
      stderr: () => stderr,
      log,
      logged,
      async [Symbol.asyncDispose]() {
        kill();
        await ended;
      },
    };
  }
  const [code] = await ended;
  throw new Error(`did not start, exit code ${code}: ${stderr}`);
}
