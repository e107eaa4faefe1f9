/**
 * Processes of our own, in which code of users runs: each leads a group, so that it ends with all that it has started, and each ends when
 * this process does, however that ends.
 *
 * A script is told what to do by one message, and answers by one.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface OwnProcessOptions {
  /** beside this file, without its ending */
  readonly script: 'job-process' | 'list-process';
  /** the message that it gets */
  readonly task: object;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** ends it at once */
  readonly signal?: AbortSignal;
}

/** How it ended: with an answer, or with what its end looked like from outside. */
export type Outcome<Answer> = { readonly answer: Answer } | { readonly died: string };

/** Of what it has said to standard error, for whoever wonders why it has died. */
const KEPT_CHARACTERS = 2000;
const LAST_ANSWER_MS = 1000;

export async function runOwnProcess<Answer>({ script, task, cwd, env, signal }: OwnProcessOptions): Promise<Outcome<Answer>> {
  if (signal?.aborted === true) return { died: 'it was stopped' };
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = fileURLToPath(new URL(`./${script}.${ending}`, import.meta.url));
  // The last one is held open by us, and read by a thread of the other process: it ends when we do (see job-process.ts).
  const child = spawn(process.execPath, [...loaderArguments(), file], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
  });
  const stop = () => killGroup(child);
  signal?.addEventListener('abort', stop, { once: true });
  let said = '';
  let answer: Answer | undefined;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-KEPT_CHARACTERS)));
  child.on('message', (message) => (answer = message as Answer));
  child.stdio[4]?.on('error', () => undefined);
  try {
    const ended = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`it could not be started: ${error.message}`));
      child.once('exit', (code, by) =>
        resolve(by === null ? `its process ended with exit code ${code}` : `its process was ended by ${by}`),
      );
      child.send(task, () => undefined);
    });
    // Those that it has started may hold its channel open; an answer may still be on its way through it.
    stop();
    if (child.connected) await Promise.race([once(child, 'disconnect'), setTimeout(LAST_ANSWER_MS, undefined, { ref: false })]);
    if (answer !== undefined) return { answer };
    const last = said
      .trim()
      .split('\n')
      .findLast((line) => /Error|error|FATAL/.test(line));
    return { died: last === undefined ? ended : `${ended} (${last.trim().slice(0, 300)})` };
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
    child.stdio[4]?.destroy();
    child.stderr?.destroy();
    if (child.connected) child.disconnect();
  }
}

/** In tests sources are TypeScript, and what reads that is given as an argument. */
function loaderArguments(): readonly string[] {
  return process.execArgv.filter((argument, index) => argument.startsWith('--import') || process.execArgv[index - 1] === '--import');
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}
