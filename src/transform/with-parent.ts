/**
 * For the processes of own-process.ts: ends this process and all that it has started as soon as the one that started it is gone.
 *
 * By a thread, because a transformation may keep the main one busy for ever.
 */
import { Worker } from 'node:worker_threads';

/** Held open by whoever started us, and never written to. */
const PARENT_FD = 4;

const GUARD = `
const { Socket } = require('node:net');
new Socket({ fd: ${PARENT_FD}, readable: true, writable: false }).on('error', () => {}).on('close', () => process.kill(-process.pid, 'SIGKILL')).resume();
`;

export function endWithParent(): void {
  // Text instead of a file: it has to be there at once, whatever else is loaded.
  new Worker(GUARD, { eval: true, execArgv: [] }).unref();
}

/** The one message, and the one answer to it; then this process ends. */
export function answerOnce(work: (task: never) => Promise<object>): void {
  endWithParent();
  process.once('message', (task) => {
    void work(task as never).then((answer) => process.send?.(answer, () => process.exit(0)));
  });
}
