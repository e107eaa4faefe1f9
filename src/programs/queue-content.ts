/**
 * Bodies of reported pages as records of WARC files, for workers that do not fetch through a core.
 *
 * Opens a core that fetches nothing, when it is wanted.
 */
import { resolve } from '../options/resolve.ts';
import type { QueueSlice } from '../options/rows/queue.ts';
import { CORE_OPTIONS } from '../options/table.ts';
import type { Report } from '../queue/reports.ts';
import { QueueStoreError } from '../queue/store.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import type { Core } from './core.ts';

const PREFIX = 'heroshi';
const UNKNOWN_TYPE = 'application/octet-stream';

/** @returns undefined where bodies are not kept. @throws whatever keeps a core from its start */
export async function openContent({ storeContent, dir, gzip }: QueueSlice, log: Log): Promise<Core | undefined> {
  if (storeContent === 'digest') return undefined;
  const { openCore } = await import('./core.ts');
  const options = resolve(CORE_OPTIONS, { dir, gzip, prefix: PREFIX, dedupDbFile: false, statsDbFile: false });
  return openCore({ options, log });
}

/** @returns what is to be done before reports are stored: when it resolves the pages are in their file; it rejects with QueueStoreError */
export function keeper(core: Core | undefined): (reports: readonly Report[]) => Promise<void> {
  if (core === undefined) return () => Promise.resolve();
  return async (reports) => {
    const bodies = reports.flatMap(({ found, visit, body }) =>
      found === undefined || body === undefined || body.length === 0
        ? []
        : [{ url: found.url, contentType: visit?.type ?? UNKNOWN_TYPE, bytes: body }],
    );
    try {
      await Promise.all(bodies.map(({ bytes, ...draft }) => core.record({ ...draft, warcType: 'resource', prefix: PREFIX }, bytes)));
    } catch (error) {
      throw new QueueStoreError(`the page of a report cannot be kept: ${reasonOf(error)}`, { cause: error });
    }
  };
}
