/**
 * What crawls are given, and how they are set.
 */
import type { ClassicLevel } from 'classic-level';
import type { Log } from '../../util/log.ts';
import type { Place } from '../../warc/read/place.ts';
import type { Render } from './render.ts';
import type { FetchSite } from './requests.ts';
import type { Clock, Delays, Logins, Solvers } from './types.ts';

export interface CrawlSettings {
  readonly maxDownloads: number;
  /** requests that may wait for their hosts */
  readonly rateLimiterCapacity: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryMs: number;
  /** of a body: a larger one becomes an exception */
  readonly maxBodyBytes: number;
  /** robots.txt holds for seeds, too */
  readonly checkSeeds: boolean;
  /** jobs that ran when the process ended go on by themselves */
  readonly resumeJobs: boolean;
}

export const CRAWL_DEFAULTS: CrawlSettings = {
  maxDownloads: 20,
  rateLimiterCapacity: 1000,
  timeoutMs: 20_000,
  retries: 0,
  retryMs: 10_000,
  maxBodyBytes: 64 * 1024 * 1024,
  checkSeeds: false,
  resumeJobs: false,
};

export interface CrawlJobsParts {
  readonly level: ClassicLevel;
  readonly fetch: FetchSite;
  /** undefined: policies that render say so in vain */
  readonly render?: Render | undefined;
  /** folder of the WARC files */
  readonly warcDir: string;
  /** folder for second names of those that jobs need */
  readonly keepDir: string;
  /** of a record that a revisit refers to */
  readonly byId: (recordId: string) => Promise<Place | undefined>;
  readonly delays: Delays;
  readonly logins: Logins;
  readonly solvers: Solvers;
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly settings: CrawlSettings;
}
