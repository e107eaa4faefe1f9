/**
 * Which options each program has, put together from tables by subject: the order here is that of `--help` and of docs/options.md.
 *
 * To add an option, add a row to its table in rows/; to add a program, add a composition here.
 * Source: spec/warcprox.md §1.
 */
import type { Options, Resolved } from './row.ts';
import { ARCHIVED_ROWS } from './rows/archived.ts';
import { CERTIFICATE_ROWS } from './rows/certificates.ts';
import { DEDUP_AND_STATS_ROWS } from './rows/dedup-and-stats.ts';
import { FINISHED_ROWS } from './rows/finished.ts';
import { CORE_LIMIT_ROWS, LIMIT_ROWS } from './rows/limits.ts';
import { LISTENING_ROWS } from './rows/listening.ts';
import { CRAWL_LOG_ROWS } from './rows/logs-and-settings.ts';
import { PLAYBACK_ROWS, PLUGIN_ROWS } from './rows/playback-and-plugins.ts';
import { FORWARDING_ROWS, ORIGIN_ROWS } from './rows/towards-origins.ts';
import { WARC_ROWS } from './rows/warc-files.ts';
import { WORKER_ROWS } from './rows/workers.ts';

/** What fetches and archives, without clients: every program has these. */
export const CORE_OPTIONS = {
  ...WARC_ROWS,
  ...FINISHED_ROWS,
  ...ARCHIVED_ROWS,
  ...DEDUP_AND_STATS_ROWS,
  ...PLUGIN_ROWS,
  ...CORE_LIMIT_ROWS,
  ...ORIGIN_ROWS,
  ...CRAWL_LOG_ROWS,
};

/** The proxy, however it is started: a core with clients. */
export const PROXY_OPTIONS = {
  ...LISTENING_ROWS,
  ...CERTIFICATE_ROWS,
  ...WARC_ROWS,
  ...FINISHED_ROWS,
  ...ARCHIVED_ROWS,
  ...DEDUP_AND_STATS_ROWS,
  ...PLAYBACK_ROWS,
  ...PLUGIN_ROWS,
  ...LIMIT_ROWS,
  ...ORIGIN_ROWS,
  ...FORWARDING_ROWS,
  ...CRAWL_LOG_ROWS,
} satisfies typeof CORE_OPTIONS;

/** The proxy as a command: a program that embeds it is one process. */
export const PROXY_COMMAND_OPTIONS = { ...LISTENING_ROWS, ...WORKER_ROWS, ...PROXY_OPTIONS };

/** The options of a core, as given and in force. */
export type CoreOptions = Options<typeof CORE_OPTIONS>;
export type ResolvedCoreOptions = Resolved<typeof CORE_OPTIONS>;

/** What a program that embeds the proxy may set: the options of the command line, in camelCase. */
export type WarctapOptions = Options<typeof PROXY_OPTIONS>;
/** All options of the proxy, defaults filled in: those of its core and more. */
export type ResolvedOptions = Resolved<typeof PROXY_OPTIONS>;
