/**
 * A plugin that writes once a second what only the process itself knows: the longest pause of its event loop, and its heap.
 *
 * A pause is the process's own only as far as it has used the processor in it: on a busy machine it may just have waited for its turn.
 * The file stands beside the folder of the WARC files.
 */
import { writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';

const EVERY_MS = 1000;

/** @type {import('warctap').PluginFactory} */
export default function probe(options) {
  const file = join(dirname(options.dir), 'probe.jsonl');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let turnMs = performance.now();
  let turnCpu = process.cpuUsage();
  let busyMs = 0;
  let written = Promise.resolve();
  let timers = [];

  /** The processor time of all threads since the turn before, but no more than has passed. */
  const turn = () => {
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(turnCpu);
    busyMs = Math.max(busyMs, Math.min(nowMs - turnMs, (user + system) / 1000));
    turnMs = nowMs;
    turnCpu = process.cpuUsage();
  };
  const write = () => {
    const { heapUsed } = process.memoryUsage();
    const line = JSON.stringify({ pauseMs: delay.max / 1e6, busyMs, heapBytes: heapUsed });
    delay.reset();
    busyMs = 0;
    written = written.then(() => appendFile(file, `${line}\n`));
  };

  return {
    name: 'Probe',
    start() {
      writeFileSync(file, '');
      delay.enable();
      timers = [setInterval(turn, 1), setInterval(write, EVERY_MS)];
    },
    process() {
      // What passes is of no interest.
    },
    async stop() {
      for (const timer of timers) clearInterval(timer);
      delay.disable();
      write();
      await written;
    },
  };
}
