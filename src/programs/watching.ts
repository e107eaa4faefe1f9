/**
 * What watches a proxy: its last captures with who listens to them, and what they add up to. Nothing but counting is done while nobody looks.
 */
import { performance } from 'node:perf_hooks';
import { bodyPage, capturePage } from '../web/archived/capture-page.ts';
import { Jobs } from '../web/captures/jobs.ts';
import { Recent } from '../web/captures/recent.ts';
import { archivedSearch, recentSearch } from '../web/captures/search-page.ts';
import { statePage } from '../web/captures/state-page.ts';
import { eventsPage, MAX_LISTENERS } from '../web/captures/events-page.ts';
import type { Bound } from '../web/metrics/bound.ts';
import { CaptureCounts } from '../web/metrics/capture-counts.ts';
import { metricsPage } from '../web/metrics/metrics-page.ts';
import type { FetchHandler } from '../web/pages.ts';
import type { StatusSource } from '../web/status.ts';
import type { Core } from './core.ts';

export interface WatchedParts {
  readonly core: Core;
  readonly status: () => StatusSource;
  /** clients at each listener */
  readonly connections: () => readonly Bound[];
}

export interface Watched {
  /** pages that show what was archived, by path */
  readonly data: Readonly<Record<string, FetchHandler>>;
  readonly metrics: FetchHandler;
  /** Who listens is told that it is over. */
  close(): void;
}

export function watchCore({ core, status, connections }: WatchedParts): Watched {
  const recent = new Recent();
  const counts = new CaptureCounts(() => performance.now());
  const events = eventsPage(recent);
  const jobs = new Jobs();
  core.on('capture', (capture) => {
    const event = recent.add(capture);
    counts.add(event);
    jobs.add(capture, event);
  });
  const bounds = (): readonly Bound[] => [
    ...connections(),
    ...core.insides.bounds(),
    { name: 'event-listeners', unit: 'number', used: events.listening, limit: MAX_LISTENERS },
    { name: 'recent-captures', unit: 'number', used: recent.size, limit: recent.maxEvents },
  ];
  const { insides, warcDir: dir, playbackIndex: index } = core;
  const archived = { recent, index, dir };
  const { disks, files, bucket } = insides;
  return {
    data: {
      '/events': events.handler,
      '/dashboard/state.json': statePage({ recent, counts, jobs, status, bounds, disks, files, bucket, hasIndex: index !== undefined }),
      '/dashboard/captures.json': recentSearch(recent),
      '/dashboard/archived.json': archivedSearch(index),
      '/dashboard/capture.json': capturePage(archived),
      '/dashboard/body': bodyPage(archived),
    },
    metrics: metricsPage(async () => ({
      status: status(),
      counts,
      warcFiles: core.figures().warcFiles,
      bounds: bounds(),
      disks: await disks(),
    })),
    close: () => recent.close(),
  };
}
