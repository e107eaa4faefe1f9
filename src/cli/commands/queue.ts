/**
 * `warctap queue`: the queue manager, its worker, and the commands of an administrator.
 */
import type { CommandFamily } from '../command.ts';
import { administer } from './queue/administer.ts';
import { published } from './queue/published.ts';
import { queueServe } from './queue/serve.ts';
import { queueWorker } from './queue/worker.ts';

export const queue: CommandFamily = {
  name: 'queue',
  summary: 'Queue manager for crawl workers: "queue serve" runs it, "queue worker" works for one.',
  commands: [queueServe, queueWorker, ...administer, ...published],
};
