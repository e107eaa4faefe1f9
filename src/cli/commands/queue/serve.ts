/**
 * `warctap queue serve`: runs the queue manager until a signal.
 */
import { resolve as pathOf } from 'node:path';
import { resolve } from '../../../options/resolve.ts';
import { ADMIN_KEY_ROWS, QUEUE_ROWS } from '../../../options/rows/queue.ts';
import { namesIn } from '../../../options/row.ts';
import { defineCommand } from '../../command.ts';
import type { Running } from '../../run.ts';
import { adminKeyOf } from './admin-key.ts';
import { authorizedKeys } from './published-config.ts';

const SETTINGS = { ...QUEUE_ROWS, ...ADMIN_KEY_ROWS };

export const queueServe = defineCommand({
  name: 'serve',
  summary: 'Run the queue manager: hands out URLs to workers and takes their reports.',
  settings: SETTINGS,
  shown: [...namesIn(QUEUE_ROWS), 'config', 'quiet', 'verbose', 'trace'],
  notes: `The administrator's key comes from the variable HEROSHI_ADMIN_KEY, or from the
file of --admin-key-file. Every option may also be set in the environment
(WARCTAP_QUEUE_LEASE_SECONDS=60 or HEROSHI_LEASE_SECONDS=60) or in the file of
--config (lease-seconds: 60). A flag goes before the environment, the
environment before the file.`,
  exits: {
    ok: 'stopped by a signal, everything written',
    failed: 'could not start (port or database in use …), or a fault of warctap',
    usage: 'bad option or config file, or no key of the administrator',
  },

  async run({ settings }) {
    const gathered = await settings();
    const adminKey = await adminKeyOf(gathered.given);
    const workerKeys = await authorizedKeys();
    const { runProgram } = await import('../../run-program.ts');
    return runProgram<typeof SETTINGS, RunningQueue>(gathered, {
      start: async (given, log) => {
        const { startQueueManager } = await import('../../../programs/queue.ts');
        return startQueueManager({ options: resolve(SETTINGS, given), adminKey, workerKeys, log });
      },
      tell: startBlock,
    });
  },
});

/** What is told of a queue manager that runs. */
export interface RunningQueue extends Running {
  readonly url: string;
  readonly folder: string;
}

export function startBlock({ url, folder }: RunningQueue): string {
  return [`warctap queue listens on ${url}`, `  database  ${pathOf(folder)}`, `  page      ${url}/`, ''].join('\n');
}
