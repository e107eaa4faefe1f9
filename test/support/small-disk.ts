/** A file system of a few megabytes that can really be full. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';
import { tool } from './tools.ts';

export interface SmallDisk extends Disposable {
  readonly dir: string;
  /** Give it another size, with what is on it. */
  resize(megabytes: number): void;
}

/** Why there can be none, for the `skip` option of a test. */
export const noSmallDisk: string | false = (() => {
  if (process.platform !== 'linux') return 'needs Linux, to mount a tmpfs';
  if (process.getuid?.() !== 0) return 'needs root, to mount a tmpfs';
  for (const { skip } of [tool('mount'), tool('umount')]) if (skip !== false) return skip;
  try {
    makeSmallDisk(1)[Symbol.dispose]();
    return false;
  } catch (error) {
    return `needs leave to mount a tmpfs: ${(error as Error).message}`;
  }
})();

export function makeSmallDisk(megabytes: number): SmallDisk {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-small-'));
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir);
  } catch (error) {
    rmdirSync(dir);
    throw error;
  }
  const unmount = atExit(() => {
    // Lazily: also while a file is still open there.
    run('umount', '--lazy', dir);
    rmdirSync(dir);
  });
  return { dir, resize: (size) => run('mount', '-o', `remount,size=${size}m`, dir), [Symbol.dispose]: unmount };
}

function run(command: 'mount' | 'umount', ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(tool(command).command, args, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(stderr.trim().split('\n', 1)[0]);
}
