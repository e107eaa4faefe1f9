/**
 * Everything of a core that has a bound, and how much of it is taken: by the option that sets it, or by name where there is none.
 */
import type { ArchiveState } from '../capture/archive.ts';
import type { Admission } from '../fetch/admission.ts';
import type { OriginPool } from '../fetch/pool.ts';
import type { HeadMemory } from '../http1/head-memory.ts';
import type { MemoryBudget } from '../util/memory-budget.ts';
import type { SpoolSpace } from '../util/spool-space.ts';
import type { WriterPool } from '../warc/write/pool.ts';
import type { Bound } from '../web/metrics/bound.ts';
import type { Handles } from './handles.ts';

export interface BoundedParts {
  readonly admission: Admission;
  readonly archive: ArchiveState;
  readonly origins: OriginPool;
  readonly heads: HeadMemory;
  readonly memory: MemoryBudget;
  readonly spools: SpoolSpace;
  readonly warcs: Pick<WriterPool, 'openFiles'>;
  readonly handles: Handles;
}

export function boundsOf({ admission, archive, origins, heads, memory, spools, warcs, handles }: BoundedParts): readonly Bound[] {
  return [
    { name: 'max-threads', unit: 'number', used: admission.active, limit: handles.maxExchanges },
    { name: 'websockets', unit: 'number', used: admission.webSockets.open, limit: admission.webSockets.max },
    { name: 'queue-size', unit: 'number', used: archive.queued, limit: archive.maxQueued },
    { name: 'max-memory', unit: 'bytes', used: memory.used, limit: memory.maxBytes },
    { name: 'max-head-memory', unit: 'bytes', used: heads.used, limit: heads.maxBytes },
    { name: 'max-spool', unit: 'bytes', used: spools.inFiles, limit: spools.maxBytes === 0 ? undefined : spools.maxBytes },
    { name: 'temporary-files', unit: 'number', used: spools.files.open, limit: finite(spools.files.max) },
    { name: 'open-warc-files', unit: 'number', used: warcs.openFiles, limit: handles.maxWarcs },
    { name: 'idle-origin-connections', unit: 'number', used: origins.idle.open, limit: finite(origins.idle.max) },
  ];
}

function finite(limit: number): number | undefined {
  return Number.isFinite(limit) ? limit : undefined;
}
