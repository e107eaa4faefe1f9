/**
 * What pages show of a core: everything that has a bound with how much of it is taken, disks, files, and buckets of statistics. Looks, and
 * changes nothing.
 */
import type { ArchiveState } from '../capture/archive.ts';
import type { Admission } from '../fetch/admission.ts';
import type { OriginPool } from '../fetch/pool.ts';
import type { HeadMemory } from '../http1/head-memory.ts';
import type { Bucket, StatisticsStore } from '../store/statistics.ts';
import type { DiskState } from '../util/free-space.ts';
import type { MemoryBudget } from '../util/memory-budget.ts';
import type { FileState } from '../warc/write/open-files.ts';
import type { WriterPool } from '../warc/write/pool.ts';
import type { Bound } from '../web/metrics/bound.ts';
import type { Handles } from './handles.ts';
import type { Space } from './space.ts';

export interface Insides {
  /** by the option that sets it, or by name where there is none */
  readonly bounds: () => readonly Bound[];
  /** those that are written to, as they are now */
  readonly disks: () => Promise<readonly DiskState[]>;
  /** WARC files that are open, and those that were closed last */
  readonly files: () => readonly FileState[];
  /** A bucket of statistics; undefined where there is none, or no statistics. */
  readonly bucket: (name: string) => Promise<Bucket | undefined>;
}

export interface InsideParts {
  readonly admission: Admission;
  readonly archive: ArchiveState;
  readonly origins: () => OriginPool;
  readonly heads: HeadMemory;
  readonly memory: MemoryBudget;
  readonly space: Pick<Space, 'spools' | 'disks'>;
  readonly warcs: Pick<WriterPool, 'openFiles' | 'files'>;
  readonly handles: Handles;
  readonly stats: StatisticsStore | undefined;
}

export function insidesOf({ admission, archive, origins, heads, memory, space, warcs, handles, stats }: InsideParts): Insides {
  const { spools } = space;
  return {
    bounds: () => [
      { name: 'max-threads', unit: 'number', used: admission.active, limit: handles.maxExchanges },
      { name: 'websockets', unit: 'number', used: admission.webSockets.open, limit: admission.webSockets.max },
      { name: 'queue-size', unit: 'number', used: archive.queued, limit: archive.maxQueued },
      { name: 'max-memory', unit: 'bytes', used: memory.used, limit: memory.maxBytes },
      { name: 'max-head-memory', unit: 'bytes', used: heads.used, limit: heads.maxBytes },
      { name: 'max-spool', unit: 'bytes', used: spools.inFiles, limit: spools.maxBytes === 0 ? undefined : spools.maxBytes },
      { name: 'temporary-files', unit: 'number', used: spools.files.open, limit: finite(spools.files.max) },
      { name: 'open-warc-files', unit: 'number', used: warcs.openFiles, limit: handles.maxWarcs },
      { name: 'idle-origin-connections', unit: 'number', used: origins().idle.open, limit: finite(origins().idle.max) },
    ],
    disks: () => space.disks(),
    files: () => warcs.files,
    bucket: async (name) => stats?.get(name),
  };
}

function finite(limit: number): number | undefined {
  return Number.isFinite(limit) ? limit : undefined;
}
