/**
 * This machine, as the stores look at it; and what runs the commands that change them.
 */
import { execFile, spawn } from 'node:child_process';
import { access, constants, readdir, realpath } from 'node:fs/promises';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { reasonOf } from '../util/thrown.ts';
import type { Command, Machine } from './store.ts';

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/** Where it is looked at: as it is, unless something else is named. */
export interface Surroundings {
  /** of the system store */
  readonly root?: string;
  readonly home?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export function thisMachine({ root = '/', home = homedir(), env = process.env }: Surroundings = {}): Machine {
  const suffix = process.platform === 'win32' ? ['', '.exe'] : [''];
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  // Where programs for administrators are is not on everybody's PATH.
  const all = process.platform === 'win32' ? folders : [...folders, '/usr/sbin', '/sbin'];
  return {
    platform: process.platform,
    env,
    home,
    isRoot: process.getuid?.() === 0,
    root,
    exists: (path) => succeeds(access(path)),
    list: (folder) => readdir(folder).catch(() => []),
    which: async (program) => {
      for (const folder of all)
        for (const end of suffix) {
          const path = join(folder, program + end);
          if (await succeeds(access(path, constants.X_OK))) return path;
        }
      return undefined;
    },
    realPath: (path) => realpath(path).catch(() => path),
    isWritable: (path) => succeeds(access(path, constants.W_OK)),
    ask: ([program = '', ...args]) =>
      new Promise((resolve) => {
        execFile(program, args, { env }, (error, stdout) => resolve({ ok: error === null, stdout }));
      }),
  };
}

/**
 * Whoever runs it may be asked for a password, on the terminal.
 *
 * @returns why it has failed, in one line; undefined when it has not
 */
export async function runCommand([program = '', ...args]: Command): Promise<string | undefined> {
  const path = process.platform === 'win32' ? process.env.PATH : [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter);
  const child = spawn(program, args, { env: { ...process.env, PATH: path }, stdio: ['inherit', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    const line = said.trim().split('\n').at(-1) ?? '';
    return code === 0 ? undefined : `${program} ended with ${code}${line === '' ? '' : `: ${line}`}`;
  } catch (error) {
    return `${program} cannot be run: ${reasonOf(error)}`;
  }
}
