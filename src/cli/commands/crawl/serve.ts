/**
 * `warctap crawl serve`: runs the crawl server until a signal.
 */
import { resolve as pathOf } from 'node:path';
import { resolve } from '../../../options/resolve.ts';
import { ADMIN_PASSWORD_ROWS, CRAWL_ROWS } from '../../../options/rows/crawl.ts';
import type { Changes } from '../../../options/changes.ts';
import { namesIn, type Resolved } from '../../../options/row.ts';
import { CORE_OPTIONS } from '../../../options/table.ts';
import { defineCommand } from '../../command.ts';
import { EXIT } from '../../exit.ts';
import type { Running } from '../../run.ts';

const SETTINGS = { ...CRAWL_ROWS, ...CORE_OPTIONS, ...ADMIN_PASSWORD_ROWS };
/** Of its WARC files, unless --prefix says another. */
const PREFIX = 'starbelly';

export const crawlServe = defineCommand({
  name: 'serve',
  summary: 'Run the crawl server: jobs by an API over WebSockets, every page into WARC files.',
  settings: SETTINGS,
  shown: [...namesIn(CRAWL_ROWS), ...namesIn(CORE_OPTIONS), 'config', 'quiet', 'verbose', 'trace', 'summaryInterval'],
  notes: `The first start makes the user admin, with the password of the variable
WARCTAP_CRAWL_ADMIN_PASSWORD, or a random one that is printed once. Every option
may also be set in the environment (WARCTAP_CRAWL_MAX_DOWNLOADS=5) or in the file
of --config (max-downloads: 5). A flag goes before the environment, the
environment before the file. On SIGUSR2 what is reloadable is read again.`,
  refused: {
    workers:
      'one process knows for each site when it may be asked again; for more cores run several servers, each with a --port, ' +
      '--db, --dir and --dedup-db-file of its own, and one --store for all',
  },
  exits: {
    ok: 'stopped by a signal, jobs paused, everything written',
    failed: 'could not start (port or database in use …), or a fault of warctap',
    usage: 'bad option, config file or file of users',
    fatal: EXIT.fatal.meaning,
  },

  async run({ settings }) {
    const gathered = await settings();
    const { runProgram } = await import('../../run-program.ts');
    return runProgram<typeof SETTINGS, RunningCrawl>(gathered, {
      start: async (given, log) => {
        const { startCrawl } = await import('../../../programs/crawl.ts');
        const options = resolve(SETTINGS, { prefix: PREFIX, ...given });
        return startCrawl({ options, adminPassword: options.adminPassword, log });
      },
      tell: startBlock,
      reload: { read: settings, apply: (program, given) => program.reload(resolve(SETTINGS, { prefix: PREFIX, ...given })) },
    });
  },
});

/** What is told of a crawl server that runs. */
export interface RunningCrawl extends Running {
  readonly url: string;
  readonly folder: string;
  reload(options: Resolved<typeof SETTINGS>): Promise<Changes>;
  readonly warcDir: string;
  readonly first: { readonly user: string; readonly password: string | undefined } | undefined;
}

function startBlock(program: RunningCrawl): string {
  const page = `  page        ${program.url}/`;
  return [`warctap crawl listens on ${program.url.replace('http', 'ws')}/ws/`, page, ...placesOf(program), ''].join('\n');
}

export function placesOf({ folder, warcDir, first }: Pick<RunningCrawl, 'folder' | 'warcDir' | 'first'>): string[] {
  const account = first?.password === undefined ? [] : [`  user        ${first.user}, password ${first.password} (told this once)`];
  return [`  database    ${pathOf(folder)}`, `  WARC files  ${pathOf(warcDir)}`, ...account];
}
