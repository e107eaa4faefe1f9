/**
 * Options of warcprox's command line that do not exist here, and what there is instead: a start script that has one is told at once.
 *
 * Source: `warcprox --help-hidden`, version 2.13.1.
 */

const DATABASES = 'there is no RethinkDB here, use';
const SENTRY = 'there is no Sentry here, leave it out and watch the log (WARCTAP_TRACE=1 or --trace for stack traces)';

const INSTEAD: Readonly<Record<string, string>> = {
  'rethinkdb-dedup-url': `${DATABASES} --dedup-db-file`,
  'rethinkdb-big-table-url': `${DATABASES} --dedup-db-file, and --crawl-log-dir for a line of each capture`,
  'rethinkdb-trough-db-url': `${DATABASES} --dedup-db-file`,
  'rethinkdb-stats-url': `${DATABASES} --stats-db-file`,
  'rethinkdb-services-url': 'there is no service registry here, leave it out and ask for GET /status',
  'playback-index-db-file': 'use --dedup-db-file, in whose folder the index of --playback-port stands, too',
  'logging-conf-file': 'use --quiet, --verbose or --trace',
  profile: 'leave it out and start Node with its own profiler: node --cpu-prof',
  'deploy-environment': SENTRY,
  'sentry-dsn': SENTRY,
  'sentry-traces-sample-rate': SENTRY,
  'sentry-profiles-sample-rate': SENTRY,
  'sentry-send-default-pii': SENTRY,
};

/** @param flag without its dashes. @returns what to do instead, if this is one of them */
export function insteadOf(flag: string): string | undefined {
  return Object.hasOwn(INSTEAD, flag) ? `an option of warcprox that does not exist here: ${INSTEAD[flag]}` : undefined;
}

/** All of them. */
export const OPTIONS_OF_WARCPROX: readonly string[] = Object.keys(INSTEAD);
