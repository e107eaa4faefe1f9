/** How many processes share the work of a program on one machine. */
import { availableParallelism } from 'node:os';
import { wholeNumber, type Kind } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

const MAX_WORKERS = 64;
const number = wholeNumber(1, MAX_WORKERS);

const workers: Kind<number | 'auto'> = {
  expected: `${number.expected}, or auto, which is one for each core`,
  shape: 'value',
  read: (input) => (input === 'auto' ? 'auto' : number.read(input)),
};

/** Of the command line: a program that embeds the proxy is one process. */
export const WORKER_ROWS = group('Listening', {
  workers: {
    short: 'w',
    argument: 'N',
    kind: workers,
    default: 1,
    summary: 'processes that share the port and the work, or auto: one for each core; limits are for all of them together',
  },
});

export type WorkerSlice = Resolved<typeof WORKER_ROWS>;

/** What is shared out has to be enough for one each. @returns undefined for more than that */
export function workersOf(asked: number | 'auto', most: number): number | undefined {
  if (asked === 'auto') return Math.min(availableParallelism(), MAX_WORKERS, most);
  return asked <= most ? asked : undefined;
}
