/**
 * What watches a proxy: its last captures with who listens to them, and what they add up to. Nothing but counting is done while nobody looks.
 */
import { performance } from 'node:perf_hooks';
import { Recent } from '../web/captures/recent.ts';
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
  readonly recent: Recent;
  readonly counts: CaptureCounts;
  readonly bounds: () => readonly Bound[];
  readonly events: FetchHandler;
  readonly metrics: FetchHandler;
  /** Who listens is told that it is over. */
  close(): void;
}

export function watchCore({ core, status, connections }: WatchedParts): Watched {
  const recent = new Recent();
  const counts = new CaptureCounts(() => performance.now());
  const events = eventsPage(recent);
  core.on('capture', (capture) => counts.add(recent.add(capture)));
  const bounds = (): readonly Bound[] => [
    ...connections(),
    ...core.bounds(),
    { name: 'event-listeners', unit: 'number', used: events.listening, limit: MAX_LISTENERS },
    { name: 'recent-captures', unit: 'number', used: recent.size, limit: recent.maxEvents },
  ];
  return {
    recent,
    counts,
    bounds,
    events: events.handler,
    metrics: metricsPage(async () => ({
      status: status(),
      counts,
      warcFiles: core.figures().warcFiles,
      bounds: bounds(),
      disks: await core.disks(),
    })),
    close: () => recent.close(),
  };
}
