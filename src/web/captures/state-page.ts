/**
 * `/dashboard/state.json`: what the dashboard shows beside captures. Made when it is asked for, and not more often than somebody could see.
 */
import type { Bucket } from '../../store/statistics.ts';
import type { FileState } from '../../warc/write/open-files.ts';
import type { Bound } from '../metrics/bound.ts';
import { SLOT_MS, type CaptureCounts } from '../metrics/capture-counts.ts';
import type { DiskSpaceState } from '../metrics/metrics-page.ts';
import type { FetchHandler } from '../pages.ts';
import type { StatusSource } from '../status.ts';
import type { Jobs, NamedBucket } from './jobs.ts';
import type { Recent } from './recent.ts';
import { jsonText } from './search-page.ts';

export interface StateSource {
  readonly recent: Recent;
  readonly counts: CaptureCounts;
  readonly jobs: Jobs;
  readonly status: () => StatusSource;
  readonly bounds: () => readonly Bound[];
  readonly disks: () => Promise<readonly DiskSpaceState[]>;
  readonly files: () => readonly FileState[];
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

async function stateOf({ recent, counts, jobs, status, bounds, disks, files, bucket, hasIndex }: StateSource): Promise<object> {
  const { startedAt, activeRequests, waitingRequests, secondsBehind, warcBytesWritten, processors, databases } = status();
  const slots = counts.slots();
  const { rss, heapUsed, external } = process.memoryUsage();
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
    bounds: bounds(),
    disks: (await disks()).map(({ of, freeBytes, minBytes }) => ({ of, freeBytes, minBytes })),
    memory: { rss, heapUsed, external },
    databases: databases.map(({ folder, problem, waiting, lost }) => ({ folder, problem: problem ?? null, waiting, lost })),
    files: files().slice(0, MAX_SHOWN),
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
