/**
 * Crawl jobs on a core in this process: what they fetch goes through gate, limits and archive as everything else does.
 *
 *   clients ─► jobs ─ Core.fetch ─► origins, WARC files
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { ClassicLevel } from 'classic-level';
import { CrawlJobs } from '../crawl/jobs/jobs.ts';
import { CRAWL_DEFAULTS, type CrawlSettings } from '../crawl/jobs/parts.ts';
import type { Render } from '../crawl/jobs/render.ts';
import type { Clock, Delays, Logins, Solvers } from '../crawl/jobs/types.ts';
import type { Tuning } from '../store/level/folder.ts';
import type { Log } from '../util/log.ts';
import { timeOfDayMs } from '../util/time-of-day.ts';
import { readVersion } from '../util/version.ts';
import type { Core } from './core.ts';
import type { OpenJobs } from './crawl.ts';

const MIB = 1024 * 1024;
/**
 * Of LevelDB. What it writes from memory spans all keys, and is merged with all that the next level has after a hundred reads: with a buffer
 * of 8 MiB, 700,000 URLs had five times as much merged as with 32.
 */
export const CRAWL_TUNING: Tuning = { cacheSize: 32 * MIB, writeBufferSize: 32 * MIB, maxFileSize: 16 * MIB, maxOpenFiles: 256 };

export interface OpenCrawlJobs {
  /** with a playback index: bodies of revisits are found by it */
  readonly core: Pick<Core, 'fetch' | 'warcDir' | 'playbackIndex'>;
  /** undefined: no browser is asked for */
  readonly render?: Render | undefined;
  readonly level: ClassicLevel;
  /** files that jobs need are kept in a folder in it */
  readonly folder: string;
  readonly delays: Delays;
  readonly logins: Logins;
  readonly solvers: Solvers;
  readonly settings: CrawlSettings;
  readonly log: Log;
}

/** Of the machine; the time of day is that of its start, and never steps. */
function machineClock(): Clock {
  const elapsed = () => performance.now();
  const origin = timeOfDayMs() - elapsed();
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

/** Those of a server, as its options and settings say. @throws CrawlStoreError, or the system's error */
export const openJobs: OpenJobs = ({ level, settings, core, render, options, log }) => {
  const { maxDownloads, rateLimiterCapacity, retries, checkSeeds, resumeJobs, downloadTimeout, db: folder } = options;
  return openCrawlJobs({
    ...{ core, render, level, folder, log },
    ...{ delays: settings.rateLimits, logins: settings.logins, solvers: settings.solvers },
    settings: {
      ...CRAWL_DEFAULTS,
      ...{ maxDownloads, rateLimiterCapacity, retries, checkSeeds, resumeJobs },
      timeoutMs: downloadTimeout * 1000,
    },
  });
};
