/**
 * What any process tells of itself, under the names that Prometheus's own libraries use.
 *
 * Source: Prometheus, Writing client libraries (Process metrics).
 */
import { readdir } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { openFilesLimit } from '../../util/open-files-limit.ts';
import type { Family } from './exposition.ts';

export async function processFamilies(): Promise<Family[]> {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const open = await openHandles();
  const limit = openFilesLimit();
  const family = (type: Family['type'], name: string, help: string, value: number | undefined): Family => ({
    name,
    help,
    type,
    samples: value === undefined ? [] : [{ value }],
  });
  return [
    family('counter', 'process_cpu_seconds_total', 'User and system time.', (user + system) / 1e6),
    family('gauge', 'process_resident_memory_bytes', 'Memory that the system counts for the process.', rss),
    family('gauge', 'process_open_fds', 'Files and sockets that are open.', open),
    family('gauge', 'process_max_fds', 'How many may be.', limit === Infinity ? undefined : limit),
    family('gauge', 'process_start_time_seconds', 'When the process was started, in seconds since 1970.', performance.timeOrigin / 1000),
    family('gauge', 'nodejs_heap_size_used_bytes', 'JavaScript objects.', heapUsed),
    family('gauge', 'nodejs_heap_size_total_bytes', 'Room for them.', heapTotal),
    family('gauge', 'nodejs_external_memory_bytes', 'Buffers and the like.', external),
    family(
      'counter',
      'nodejs_eventloop_active_seconds_total',
      'Time that the event loop was busy.',
      performance.eventLoopUtilization().active / 1000,
    ),
  ];
}

/** Linux only. */
async function openHandles(): Promise<number | undefined> {
  return readdir('/proc/self/fd').then(
    (names) => names.length,
    () => undefined,
  );
}
