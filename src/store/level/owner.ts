/**
 * Which process has locked a file, as far as Linux tells it. For messages: nothing depends on it.
 *
 * Source: proc_locks(5), proc_pid_cmdline(5).
 */
import { readFileSync, statSync } from 'node:fs';

/** Such as `another warctap, process 7`; `another process` where it is not known. */
export function ownerOf(file: string): string {
  const pid = lockerOf(file);
  if (pid === undefined) return 'another process';
  if (pid === process.pid) return 'this very process, which has it open already';
  return isWarctap(pid) ? `another warctap, process ${pid}` : `another process, ${pid}`;
}

function lockerOf(file: string): number | undefined {
  try {
    const { ino } = statSync(file);
    const locks = readFileSync('/proc/locks', 'utf8').matchAll(/^\d+: POSIX +\S+ +\S+ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /gm);
    const pids = new Set([...locks].filter(([, , inode]) => inode === String(ino)).map(([, pid]) => Number(pid)));
    // The numbers of files are those of one file system, and a process of another container has the number 0.
    const [pid = 0, ...others] = pids;
    return pid > 0 && others.length === 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isWarctap(pid: number): boolean {
  try {
    return /(?:^|[/\0])warctap(?:\.js)?\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return false;
  }
}
