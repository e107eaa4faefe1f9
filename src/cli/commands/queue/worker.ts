/**
 * `warctap queue worker`: fetches what a manager hands out, until a signal.
 */
import { resolve as pathOf } from 'node:path';
import { resolve } from '../../../options/resolve.ts';
import { QUEUE_WORKER_ROWS } from '../../../options/rows/queue.ts';
import { CORE_OPTIONS } from '../../../options/table.ts';
import { defineCommand } from '../../command.ts';
import { EXIT, UsageError } from '../../exit.ts';
import type { Running } from '../../run.ts';

const SETTINGS = { ...QUEUE_WORKER_ROWS, ...CORE_OPTIONS };
/** Of its WARC files, unless --prefix says another. */
export const PREFIX = 'heroshi';

export const queueWorker = defineCommand({
  name: 'worker',
  summary: 'Fetch the URLs that a queue manager hands out into WARC files, and report.',
  settings: SETTINGS,
  refused: {
    workers:
      'start it several times, each with a --dir, --dedup-db-file, --stats-db-file and --outbox of its own, and one --store for all; ' +
      '--connections is how much one of them fetches at once',
  },
  exits: {
    ok: 'stopped by a signal, or --until-empty and nothing is left; everything written',
    failed: 'could not start, or the manager does not know the key (any more)',
    usage: EXIT.usage.meaning,
    fatal: EXIT.fatal.meaning,
  },
  exitNotes:
    '  URLs that were not fetched are given back, reports that the manager could not\n  take stand in the file of --outbox for the next run.',

  async run({ settings }) {
    const gathered = await settings();
    const key = keyOf(gathered.given);
    const { runProgram } = await import('../../run-program.ts');
    return runProgram<typeof SETTINGS, RunningWorker>(gathered, {
      start: async (given, log) => {
        const { startQueueWorker } = await import('../../../programs/queue-worker.ts');
        return startQueueWorker({ options: resolve(SETTINGS, { prefix: PREFIX, ...given }), key, log });
      },
      tell: startBlock,
    });
  },
});

/** What is told of a worker that runs. */
export interface RunningWorker extends Running {
  readonly manager: string;
  readonly name: string;
  readonly warcDir: string;
}

export function startBlock({ manager, name, warcDir }: RunningWorker): string {
  return [`warctap queue worker ${name} works for ${manager}`, `  WARC files  ${pathOf(warcDir)}`, ''].join('\n');
}

/** @throws UsageError */
export function keyOf({ key }: { readonly key?: string | undefined }): string {
  if (key === undefined) throw new UsageError('no key of this worker: set the variable HEROSHI_API_KEY, or give it with --key');
  return key;
}
