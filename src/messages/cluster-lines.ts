/** Warnings and errors of the log that are of many processes as one proxy (`--workers`). */
import type { MessageRow } from './row.ts';

export const CLUSTER_LINES = {
  'a worker has died: what it has left is seen to, and another takes its place': {
    when: 'one of the processes of `--workers` has ended; `ended` says how (`SIGKILL`: by somebody, or by the system for want of memory)',
    fix: 'nothing is lost but what its clients had under way, and what it had not written yet; look why, if it happens again',
  },
  'a worker cannot be started': {
    when: 'a process in the place of one that has died ended before it listened; it is tried again, ever more rarely, and at last the program ends',
    fix: 'see the reason in the line',
  },
  'the WARC file … of a worker that has died was not seen to: …': {
    when: 'a file that a worker has left cannot be read, or not be repaired',
    fix: 'see the reason in the line; the next start tries again',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
