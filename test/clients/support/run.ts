/** Other people's programs as child processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** handed over on standard input, piece by piece */
  readonly input?: readonly Buffer[];
}

/** Never waits in this thread: the origin that is asked runs here. */
export async function run(command: string, args: readonly string[], { cwd, env = {}, input = [] }: RunOptions = {}): Promise<Outcome> {
  const clean = Object.entries(process.env).filter(([name]) => !/^(WARCTAP_|NODE_)|_proxy$/i.test(name));
  const child = spawn(command, args, { cwd, env: { ...Object.fromEntries(clean), ...env }, stdio: 'pipe' });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close');
  for (const piece of input) await new Promise((done) => child.stdin.write(piece, done));
  child.stdin.end();
  const [code] = (await ended) as [number | null];
  return { code, stdout: Buffer.concat(stdout), stderr };
}
