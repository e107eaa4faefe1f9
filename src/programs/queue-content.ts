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
  const { openCore } = await import('./open-core.ts');
  const options = resolve(CORE_OPTIONS, { dir, gzip, prefix: PREFIX, dedupDbFile: false, statsDbFile: false });
  return openCore({ options, log });
}

/**
 * @returns what is to be done before reports are stored: it resolves with the identifiers of records when the pages are in their file; it
 * rejects with QueueStoreError
 */
export function keeper(core: Core | undefined): (reports: readonly Report[]) => Promise<ReadonlyMap<Report, string>> {
  if (core === undefined) return () => Promise.resolve(new Map());
  return async (reports) => {
    const kept = reports.map(async (report): Promise<[Report, string][]> => {
      const { found, visit, body } = report;
      if (found === undefined || body === undefined || body.length === 0) return [];
      const draft = { url: found.url, contentType: visit?.type ?? UNKNOWN_TYPE, warcType: 'resource', prefix: PREFIX };
      return [[report, await core.record(draft, body)]];
    });
    try {
      return new Map((await Promise.all(kept)).flat());
    } catch (error) {
      throw new QueueStoreError(`the page of a report cannot be kept: ${reasonOf(error)}`, { cause: error });
    }
  };
}
