/**
 * Entry point of a worker: one of the processes that share the work of a proxy. Started by programs/cluster/primary.ts.
 *
 * Its log goes to the process that has started it, which writes it.
 */
import { Socket } from 'node:net';
import { runWorker } from '../programs/cluster/worker.ts';
import { SAYS_FD, TOLD_FD } from '../programs/cluster/said.ts';
import { Wire } from '../util/wire.ts';
import type { LogLevel } from './gather.ts';
import { createLog, type ProgramLog } from './log.ts';
import { logCapture } from './watch.ts';

const wire = new Wire(new Socket({ fd: TOLD_FD }), new Socket({ fd: SAYS_FD }));
let log: ProgramLog | undefined;
runWorker({
  wire,
  openLog: (level, worker) =>
    (log = createLog({ level: level as LogLevel, output: { write: (line) => wire.tell('log', line) }, base: { worker } })),
  onCapture: (capture) => log && logCapture(log, capture),
});
