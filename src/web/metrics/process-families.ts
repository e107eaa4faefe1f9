/**
 * What any process tells of itself, under the names that Prometheus's own libraries use.
 *
 * Source: Prometheus, Writing client libraries (Process metrics).
 */
import { readdir } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { openFilesLimit } from '../../util/open-files-limit.ts';
import type { Family } from './exposition.ts';

/** What a process holds. */
export interface ProcessLook {
  /** which of many; undefined where there is one */
  readonly process?: string;
  /** user and system */
  readonly cpuSeconds: number;
  /** bytes */
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  /** undefined where it is not known */
  readonly openHandles?: number | undefined;
  readonly maxHandles?: number | undefined;
  /** in seconds since 1970 */
  readonly startedAt: number;
  /** its event loop was busy for so long */
  readonly activeSeconds: number;
}

/** This one. */
export async function lookAtProcess(): Promise<ProcessLook> {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const limit = openFilesLimit();
  return {
    ...{ cpuSeconds: (user + system) / 1e6, rss, heapUsed, heapTotal, external },
    openHandles: await openHandles(),
    maxHandles: limit === Infinity ? undefined : limit,
    startedAt: performance.timeOrigin / 1000,
    activeSeconds: performance.eventLoopUtilization().active / 1000,
  };
}

export function processFamilies(all: readonly ProcessLook[]): readonly Family[] {
  const family = (type: Family['type'], name: string, help: string, of: (look: ProcessLook) => number | undefined): Family => ({
    ...{ name, help, type },
    samples: all.flatMap((look) => {
      const value = of(look);
      return value === undefined ? [] : [{ value, ...(look.process !== undefined && { labels: { process: look.process } }) }];
    }),
  });
  return [
    family('counter', 'process_cpu_seconds_total', 'User and system time.', ({ cpuSeconds }) => cpuSeconds),
    family('gauge', 'process_resident_memory_bytes', 'Memory that the system counts for the process.', ({ rss }) => rss),
    family('gauge', 'process_open_fds', 'Files and sockets that are open.', (look) => look.openHandles),
    family('gauge', 'process_max_fds', 'How many may be.', ({ maxHandles }) => maxHandles),
    family('gauge', 'process_start_time_seconds', 'When the process was started, in seconds since 1970.', ({ startedAt }) => startedAt),
    family('gauge', 'nodejs_heap_size_used_bytes', 'JavaScript objects.', ({ heapUsed }) => heapUsed),
    family('gauge', 'nodejs_heap_size_total_bytes', 'Room for them.', ({ heapTotal }) => heapTotal),
    family('gauge', 'nodejs_external_memory_bytes', 'Buffers and the like.', ({ external }) => external),
    family('counter', 'nodejs_eventloop_active_seconds_total', 'Time that the event loop was busy.', ({ activeSeconds }) => activeSeconds),
  ];
}

/** Linux only. */
async function openHandles(): Promise<number | undefined> {
  return readdir('/proc/self/fd').then(
    (names) => names.length,
    () => undefined,
  );
}
