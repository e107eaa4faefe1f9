/**
 * Crawl jobs on a core in this process: what they fetch goes through gate, limits and archive as everything else does.
 *
 *   clients ─► jobs ─ Core.fetch ─► origins, WARC files
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { ClassicLevel } from 'classic-level';
import { CrawlJobs } from '../crawl/jobs/jobs.ts';
import type { CrawlSettings } from '../crawl/jobs/parts.ts';
import type { Clock, Delays, Logins, Solvers } from '../crawl/jobs/types.ts';
import type { Log } from '../util/log.ts';
import { readVersion } from '../util/version.ts';
import type { Core } from './core.ts';

export interface OpenCrawlJobs {
  /** with a playback index: bodies of revisits are found by it */
  readonly core: Core;
  readonly level: ClassicLevel;
  /** of the database; files that jobs need are kept beside it */
  readonly folder: string;
  readonly delays: Delays;
  readonly logins: Logins;
  readonly solvers: Solvers;
  readonly settings: CrawlSettings;
  readonly log: Log;
}

/** Of the machine; the time of day is that of its start, and never steps. */
export function machineClock(): Clock {
  const origin = Date.now() - performance.now();
  const elapsed = () => performance.now();
  return { now: () => Math.floor(origin + elapsed()), elapsed };
}

/** @throws CrawlStoreError, or the system's error */
export function openCrawlJobs({ core, folder, ...parts }: OpenCrawlJobs): Promise<CrawlJobs> {
  return CrawlJobs.open({
    ...parts,
    fetch: (url, request) => core.fetch(url, request),
    warcDir: core.warcDir,
    keepDir: join(folder, 'kept-warcs'),
    byId: async (recordId) => core.playbackIndex?.byId(recordId),
    version: readVersion(),
    clock: machineClock(),
    random: Math.random,
  });
}
