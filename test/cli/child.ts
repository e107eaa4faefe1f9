/** The real program as a child process, straight from its TypeScript; with a proxy that only pretends behind it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { main } from '../../src/cli/program.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly fake?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** the first line of stdout or stderr that contains this */
  line(part: string): Promise<string>;
}

export function start(args: readonly string[], { env = {}, cwd = root, fake = 'runs' }: ChildOptions = {}): Started {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WARCTAP_') && !name.startsWith('NODE_'));
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--import', import.meta.resolve('./fake/register.js'), `${root}src/cli/main.ts`, ...args],
    { cwd, env: { ...Object.fromEntries(inherited), ...env, FAKE: fake }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  const texts = [child.stdout, child.stderr].map((stream) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    createInterface(stream).on('line', (line) => {
      seen.push(line);
      for (const wake of waiting) wake();
    });
    return () => text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout: texts[0]!(), stderr: texts[1]!() }));
  const line = (part: string) =>
    new Promise<string>((done, fail) => {
      const look = () => {
        const found = seen.find((text) => text.includes(part));
        if (found === undefined) return;
        waiting.delete(look);
        done(found);
      };
      waiting.add(look);
      look();
      void ended.then(({ stdout, stderr }) => fail(new Error(`ended without ${JSON.stringify(part)}: ${stdout}${stderr}`)));
    });
  return { child, ended, line };
}

export async function runToEnd(args: readonly string[], options?: ChildOptions): Promise<Ended> {
  return start(args, options).ended;
}

/** In this process: of what ends before a command does anything. */
export async function runHere(...args: readonly string[]): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  const code = await main(args, { out: (text) => (stdout += text), error: (text) => (stderr += text) });
  return { code, stdout, stderr };
}

/** The options that the proxy was started with. */
export async function optionsOf(args: readonly string[], options?: ChildOptions): Promise<Record<string, unknown>> {
  const program = start(args, options);
  const line = await program.line('{"port":');
  program.child.kill('SIGTERM');
  await program.ended;
  return JSON.parse(line) as Record<string, unknown>;
}
