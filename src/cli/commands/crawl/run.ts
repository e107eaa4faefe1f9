/**
 * `warctap crawl run URL...`: one job from beginning to end, without a client.
 */
import { path, wholeNumber } from '../../../options/kinds.ts';
import { resolve } from '../../../options/resolve.ts';
import { group, namesIn } from '../../../options/row.ts';
import { CRAWL_ROWS } from '../../../options/rows/crawl.ts';
import { CORE_OPTIONS } from '../../../options/table.ts';
import type { CrawlRun } from '../../../programs/crawl-run.ts';
import { defineCommand } from '../../command.ts';
import { EXIT, UsageError } from '../../exit.ts';
import { NUMBER, print } from './asking.ts';
import { placesOf } from './serve.ts';
import { messageIn } from './sets.ts';

const SETTINGS = { ...CRAWL_ROWS, ...CORE_OPTIONS };
const PREFIX = 'starbelly';

export const crawlRun = defineCommand({
  name: 'run',
  summary: 'Crawl from some URLs until nothing is left, and print which WARC files have it.',
  operands: { name: '[URL...]', summary: 'where to begin' },
  own: group('Options', {
    policy: {
      argument: 'FILE',
      kind: path,
      defaultText: 'Deep Crawl: the hosts of the URLs',
      summary: 'a policy as JSON, as "crawl get-policy" prints it',
    },
    maxItems: {
      argument: 'N',
      kind: wholeNumber(1, 2_147_483_647),
      defaultText: 'as the policy has it',
      summary: 'end after so many pages',
    },
    delay: {
      argument: 'S',
      kind: NUMBER,
      defaultText: 'as in the database, 5 at first',
      summary: 'seconds between two requests to a host',
    },
  }),
  settings: SETTINGS,
  shown: [...namesIn(CRAWL_ROWS), ...namesIn(CORE_OPTIONS), 'config', 'quiet', 'verbose', 'trace', 'summaryInterval'],
  notes: `The server of "crawl serve" with a job of its own: it may be asked while it runs,
at a port that is free unless --port says which. A signal pauses the job; it
stays in the database of --db.`,
  exits: {
    ok: 'the job has ended, or was paused by a signal; everything written',
    failed: 'could not start (database in use, no usable URL …), or a fault of warctap',
    usage: EXIT.usage.meaning,
    fatal: EXIT.fatal.meaning,
  },

  async run({ operands, own, settings }) {
    if (operands.length === 0) throw new UsageError('crawl run: expected URLs to begin with, see crawl run --help');
    const { PolicySchema } = await import('../../../crawl/proto/starbelly_pb.ts');
    const policy = own.policy === undefined ? undefined : await messageIn(own.policy, PolicySchema);
    const gathered = await settings();
    const { runProgram } = await import('../../run-program.ts');
    let running: CrawlRun | undefined;
    const code = await runProgram<typeof SETTINGS, CrawlRun>(gathered, {
      start: async (given, log) => {
        const { startCrawlRun } = await import('../../../programs/crawl-run.ts');
        const options = resolve(SETTINGS, { prefix: PREFIX, port: 0, ...given });
        running = await startCrawlRun({
          options,
          adminPassword: undefined,
          seeds: operands,
          policy,
          maxItems: own.maxItems,
          delay: own.delay,
          log,
        });
        return running;
      },
      tell: (program) =>
        [`warctap crawl job ${program.job} at ${program.url.replace('http', 'ws')}/ws/`, ...placesOf(program), ''].join('\n'),
    });
    if (running !== undefined) await print(endOf(running));
    return code;
  },
});

function endOf({ job, state, files }: CrawlRun): string {
  if (state === undefined) return '';
  const { items, successes, errors, exceptions } = state.counts;
  const how = state.completedAt === undefined ? 'is paused' : 'has ended';
  const lines = [`job ${job} ${how}: ${items} items, ${successes} with success, ${errors} errors, ${exceptions} exceptions`, ...files];
  return `${lines.join('\n')}\n`;
}
