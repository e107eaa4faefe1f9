/**
 * A command for each finished WARC file, run by the system's shell, which is told of the file in its environment.
 *
 * Bounded in number and time; what it writes is not kept, but for the end of what it complains of.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FinishedFile, Step } from './step.ts';

export interface CommandOptions {
  readonly command: string;
  readonly timeoutMs: number;
}

/** Commands of people are often heavy: compressing, copying. */
const AT_ONCE = 2;
const TRIES = 5;
const COMPLAINT_CHARS = 500;

/** Variables: `WARC_FILE`, `WARC_SIZE` (bytes), `WARC_DIGEST` (`sha256:…`), `WARC_PREFIX`. Exit code 0 says that it is done. */
export function commandStep({ command, timeoutMs }: CommandOptions): Step {
  return { name: 'command', atOnce: AT_ONCE, tries: TRIES, run: (file, signal) => run(command, file, timeoutMs, signal) };
}

async function run(command: string, { file, size, digest, prefix }: FinishedFile, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const told = { WARC_FILE: file, WARC_SIZE: String(size), WARC_DIGEST: digest, WARC_PREFIX: prefix ?? '' };
  // In a group of its own, so that what it has started ends with it, and Ctrl-C is for us alone.
  const child = spawn(command, { shell: true, detached: true, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...told } });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-COMPLAINT_CHARS)));
  let ended: string | undefined;
  const end = (why: string) => {
    ended ??= why;
    killGroup(child);
  };
  const timer = setTimeout(() => end(`has not ended within ${timeoutMs / 1000} s`), timeoutMs);
  const stop = () => end('was ended, as the program ends');
  signal.addEventListener('abort', stop);
  try {
    const [code, killed] = (await once(child, 'exit')) as [number | null, string | null];
    if (ended === undefined && code === 0) return;
    const how = ended ?? (code === null ? `was ended by ${killed ?? 'a signal'}` : `has ended with exit code ${code}`);
    throw new Error(`the command ${how}${saying(complaint)}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    child.stderr.destroy();
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    // Windows has no groups.
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** The last line, without what a terminal would take for commands. */
function saying(complaint: string): string {
  const last =
    complaint
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/[\p{Cc}\p{Cf}]/gu, '?') ?? '';
  return last === '' ? '' : `, saying ${JSON.stringify(last)}`;
}
