/**
 * `/dashboard/state.json`: what the dashboard shows beside captures. Made when it is asked for, and not more often than somebody could see.
 */
import type { Bucket } from '../../store/statistics.ts';
import type { Looked } from '../looked.ts';
import { SLOT_MS, type CaptureCounts } from '../metrics/capture-counts.ts';
import type { FetchHandler } from '../pages.ts';
import type { Jobs, NamedBucket } from './jobs.ts';
import type { Recent } from './recent.ts';
import { jsonText } from './search-page.ts';

export interface StateSource {
  readonly recent: Recent;
  readonly counts: CaptureCounts;
  readonly jobs: Jobs;
  readonly look: () => Promise<Looked>;
  readonly bucket: (name: string) => Promise<Bucket | undefined>;
  /** there is an index of what was archived */
  readonly hasIndex: boolean;
}

/** However many look. */
const FRESH_MS = 500;
const MAX_SHOWN = 100;

export function statePage(source: StateSource): FetchHandler {
  let made: { readonly atMs: number; readonly text: Promise<string> } | undefined;
  return async () => {
    const nowMs = performance.now();
    if (made === undefined || nowMs - made.atMs > FRESH_MS)
      made = { atMs: nowMs, text: stateOf(source).then((state) => JSON.stringify(state)) };
    return jsonText(await made.text);
  };
}

async function stateOf({ recent, counts, jobs, look, bucket, hasIndex }: StateSource): Promise<object> {
  const { status, bounds, disks, files, processes } = await look();
  const { startedAt, activeRequests, waitingRequests, secondsBehind, warcBytesWritten, processors, databases, workers = [] } = status;
  const slots = counts.slots();
  const inAll = (of: 'rss' | 'heapUsed' | 'external') => processes.reduce((sum, each) => sum + each[of], 0);
  return {
    instance: recent.instance,
    started: startedAt.toISOString(),
    index: hasIndex,
    totals: { ...counts.archived, warcBytes: warcBytesWritten, active: activeRequests, waiting: waitingRequests, behind: secondsBehind },
    slots: {
      seconds: SLOT_MS / 1000,
      ...Object.fromEntries((['new', 'dup', 'skipped', 'failed', 'bytes'] as const).map((name) => [name, slots.map((slot) => slot[name])])),
    },
    failures: [...counts.failures].sort(([, one], [, other]) => other - one),
    processors,
    bounds,
    disks: disks.map(({ of, freeBytes, minBytes }) => ({ of, freeBytes, minBytes })),
    memory: { rss: inAll('rss'), heapUsed: inAll('heapUsed'), external: inAll('external') },
    databases: databases.map(({ folder, problem, waiting, lost }) => ({ folder, problem: problem ?? null, waiting, lost })),
    workers: workers.map(({ worker, problem }) => ({ worker, problem: problem ?? null })),
    files: files.slice(0, MAX_SHOWN),
    prefixes: jobs.prefixes.slice(0, MAX_SHOWN),
    buckets: await Promise.all(jobs.buckets.slice(0, MAX_SHOWN).map((each) => ofBucket(each, bucket))),
  };
}

/** Statistics that cannot be read now are left out. */
async function ofBucket(named: NamedBucket, bucket: StateSource['bucket']): Promise<object> {
  const counted = await bucket(named.bucket).catch(() => undefined);
  const { total, new: fresh, revisit } = counted ?? {};
  return { ...named, ...(total && { total, new: fresh, revisit }) };
}
