/**
 * What watches a proxy: its last captures with who listens to them, and what they add up to. Nothing but counting is done while nobody looks.
 */
import { performance } from 'node:perf_hooks';
import { bodyPage, capturePage } from '../web/archived/capture-page.ts';
import type { KnownCaptures } from '../web/archived/find.ts';
import { eventsPage, MAX_LISTENERS } from '../web/captures/events-page.ts';
import { Jobs } from '../web/captures/jobs.ts';
import { Recent } from '../web/captures/recent.ts';
import { archivedSearch, recentSearch } from '../web/captures/search-page.ts';
import { statePage, type StateSource } from '../web/captures/state-page.ts';
import type { Looked } from '../web/looked.ts';
import type { Bound } from '../web/metrics/bound.ts';
import { CaptureCounts } from '../web/metrics/capture-counts.ts';
import { metricsPage } from '../web/metrics/metrics-page.ts';
import { lookAtProcess } from '../web/metrics/process-families.ts';
import type { FetchHandler } from '../web/pages.ts';
import { statusPage, type StatusSource } from '../web/status.ts';
import type { Core } from './core.ts';

/** Pages that tell of what is going on, by path. Those of many processes are made in one of them. */
export const LIVE_PATHS = ['/status', '/metrics', '/events', '/dashboard/state.json', '/dashboard/captures.json'] as const;

export type LivePages = Readonly<Record<(typeof LIVE_PATHS)[number], FetchHandler>>;

/** Those who look, and what is kept for them. */
export interface Watched {
  readonly recent: Recent;
  readonly counts: CaptureCounts;
  readonly jobs: Jobs;
}

/** Count its captures. @param of so many processes that share what may be kept */
export function watchCore(core: Core, of = 1): Watched {
  const watched = { recent: new Recent({ of }), counts: new CaptureCounts(() => performance.now()), jobs: new Jobs() };
  core.on('capture', (capture) => {
    const event = watched.recent.add(capture);
    watched.counts.add(event);
    watched.jobs.add(capture, event);
  });
  return watched;
}

/** @param connections clients at each listener */
export async function lookAtCore(core: Core, status: StatusSource, connections: readonly Bound[]): Promise<Looked> {
  const { bounds, disks, files } = core.insides;
  return {
    status,
    warcFiles: core.figures().warcFiles,
    bounds: [...connections, ...bounds()],
    disks: await disks(),
    files: files(),
    processes: [await lookAtProcess()],
  };
}

export interface LiveParts extends Watched, Pick<StateSource, 'bucket' | 'hasIndex'> {
  /** what all of them do, asked anew for each page */
  readonly look: () => Promise<Looked>;
  readonly status: () => StatusSource | Promise<StatusSource>;
  /** Have all that is known up to now in `recent`; undefined where it is. */
  readonly fresh?: () => Promise<void>;
}

export function livePages({ recent, counts, jobs, look, status, bucket, hasIndex, fresh }: LiveParts): LivePages {
  const events = eventsPage(recent);
  const watched = async (): Promise<Looked> => {
    const looked = await look();
    const own: readonly Bound[] = [
      { name: 'event-listeners', unit: 'number', used: events.listening, limit: MAX_LISTENERS },
      { name: 'recent-captures', unit: 'number', used: recent.size, limit: recent.maxEvents },
    ];
    return { ...looked, bounds: [...looked.bounds, ...own] };
  };
  const freshly = (page: FetchHandler): FetchHandler => {
    if (fresh === undefined) return page;
    return async (...asked) => {
      await fresh();
      return page(...asked);
    };
  };
  return {
    '/status': statusPage(status),
    '/metrics': metricsPage(counts, watched),
    '/events': freshly(events.handler),
    '/dashboard/state.json': statePage({ recent, counts, jobs, look: watched, bucket, hasIndex }),
    '/dashboard/captures.json': freshly(recentSearch(recent)),
  };
}

/** Pages that show what was archived, by path. @param known captures that are kept in memory */
export function archivedPages({ warcDir: dir, playbackIndex: index }: Core, known: KnownCaptures): Readonly<Record<string, FetchHandler>> {
  const archived = { known, index, dir };
  return {
    '/dashboard/archived.json': archivedSearch(index),
    '/dashboard/capture.json': capturePage(archived),
    '/dashboard/body': bodyPage(archived),
  };
}
