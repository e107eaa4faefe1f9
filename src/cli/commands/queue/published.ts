/**
 * `warctap queue get-jobs`, `append`, `report`, `crawl`: what the published programs of these names do, with the key of a worker.
 *
 * Installed under their names as well: `heroshi-get-jobs` and so on.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { onOff } from '../../../options/kinds.ts';
import { resolve } from '../../../options/resolve.ts';
import { group, type OptionRows } from '../../../options/row.ts';
import { QUEUE_WORKER_ROWS } from '../../../options/rows/queue.ts';
import { CORE_OPTIONS } from '../../../options/table.ts';
import type { CallManager } from '../../../queue/worker/manager.ts';
import { reasonOf } from '../../../util/thrown.ts';
import { defineCommand, type Call } from '../../command.ts';
import { EXIT, UsageError, type Exits } from '../../exit.ts';
import { linesOf } from './lines.ts';
import { keyOf, PREFIX, startBlock, type RunningWorker } from './worker.ts';

const { manager, key } = QUEUE_WORKER_ROWS;
const SETTINGS = { manager, key };
const SHARED = {
  settings: SETTINGS,
  exits: { ok: 'done', failed: 'the manager cannot be reached, or refuses', usage: 'bad option or argument, or no key' },
} as const satisfies { readonly exits: Exits } & Record<string, unknown>;

const JOBS = 1000;

async function managerOf(settings: Call<OptionRows, typeof SETTINGS>['settings']): Promise<CallManager> {
  const { given } = await settings();
  const { managerAt } = await import('../../../queue/worker/manager.ts');
  return managerAt(resolve(SETTINGS, given).manager, keyOf(given));
}

const print = (text: string) => new Promise<void>((done) => process.stdout.write(text, () => done()));
const complain = (text: string) => process.stderr.write(`warctap: ${text}\n`);

const getJobs = defineCommand({
  ...SHARED,
  name: 'get-jobs',
  summary: 'Ask for 1000 URLs to fetch, and print each as a line of JSON.',
  own: group('Options', {
    forever: { short: 'f', kind: onOff, default: false, summary: 'ask again and again' },
    plain: { short: 'p', kind: onOff, default: false, summary: 'print URLs alone' },
  }),
  notes: 'They are lent to whoever has the key, as to any worker: what is not reported\nis handed out again when its lease is over.',

  async run({ own: { forever = false, plain = false }, settings }) {
    const call = await managerOf(settings);
    const { jsonOf } = await import('../../../queue/worker/manager.ts');
    do {
      const response = await call('/crawl-queue', { method: 'POST', body: `limit=${JOBS}` });
      const items = (await jsonOf(response)) as { readonly url: string }[];
      await print(items.map((item) => `${plain ? item.url : JSON.stringify(item)}\n`).join(''));
      if (forever && items.length === 0) {
        const { 'recheck-interval': seconds = 90 } = (await jsonOf(await call('/worker'))) as { 'recheck-interval'?: number };
        await wait(seconds * 1000);
      }
    } while (forever);
    return EXIT.ok.code;
  },
});

const append = defineCommand({
  ...SHARED,
  name: 'append',
  summary: 'Add URLs to the queue, with the key of a worker.',
  operands: { name: '[URL...]', summary: 'what is known already stays as it is' },

  async run({ operands, settings }) {
    if (operands.length === 0) throw new UsageError('queue append: expected URLs, see queue append --help');
    for (const url of operands) {
      if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new UsageError(`queue append: expected http or https URLs, got ${url}`);
    }
    const call = await managerOf(settings);
    await call('/report', { method: 'PUT', body: JSON.stringify({ url: null, links: operands }) });
    return EXIT.ok.code;
  },
});

const report = defineCommand({
  ...SHARED,
  name: 'report',
  summary: 'Report pages: lines of JSON on standard input, as the published fetcher writes them.',
  notes: `Of a line "key" is taken for its url and "status" for its result, "cached" and
"success" are left out. What is no report is told and passed over.`,

  async run({ settings }) {
    const call = await managerOf(settings);
    const { ManagerRefusalError } = await import('../../../queue/worker/manager.ts');
    let failed = false;
    let number = 0;
    for await (const line of linesOf('-')) {
      number++;
      const fault = await reportLine(call, line).catch((error: unknown) => {
        // The key is not wanted: no line will be.
        if (!(error instanceof ManagerRefusalError) || error.status === 401 || error.status === 403) throw error;
        return reasonOf(error);
      });
      if (fault === undefined) continue;
      failed = true;
      complain(`line ${number} was not reported: ${fault}`);
    }
    return failed ? EXIT.failed.code : EXIT.ok.code;
  },
});

/** @returns why it is no report */
async function reportLine(call: CallManager, line: string): Promise<string | undefined> {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return 'it is no JSON';
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return 'it is no object';
  const { key: url, status: result, ...rest } = found as Record<string, unknown>;
  delete rest.cached;
  delete rest.success;
  const out = { ...(url === undefined ? {} : { url }), ...(result === undefined ? {} : { result }), ...rest };
  await call('/report', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(out) });
  return undefined;
}

const CRAWL_SETTINGS = { ...QUEUE_WORKER_ROWS, ...CORE_OPTIONS };

const crawl = defineCommand({
  name: 'crawl',
  summary: 'Fetch URLs that are given into WARC files, and report each to the manager.',
  operands: { name: '[URL...]', summary: 'without any, lines of standard input: URLs, or JSON with a "url"' },
  own: group('Options', { plain: { short: 'p', kind: onOff, default: false, summary: 'lines are URLs, whatever they look like' } }),
  settings: CRAWL_SETTINGS,
  exits: {
    ok: 'all is fetched and reported, or stopped by a signal',
    failed: 'could not start, or the manager does not know the key (any more)',
    usage: EXIT.usage.meaning,
    fatal: EXIT.fatal.meaning,
  },
  exitNotes: '  SIGINT: what runs is finished, nothing more is begun.',

  async run({ operands, own: { plain = false }, settings }) {
    const gathered = await settings();
    const own = keyOf(gathered.given);
    const { runProgram } = await import('../../run-program.ts');
    return runProgram<typeof CRAWL_SETTINGS, RunningWorker>(gathered, {
      start: async (given, log) => {
        const { startQueueWorker } = await import('../../../programs/queue-worker.ts');
        const urls = operands.length > 0 ? operands : urlsIn(linesOf('-'), plain);
        const options = resolve(CRAWL_SETTINGS, { prefix: PREFIX, ...given, untilEmpty: true });
        return startQueueWorker({ options, key: own, urls, log });
      },
      tell: startBlock,
    });
  },
});

async function* urlsIn(lines: AsyncIterable<string>, plain: boolean): AsyncGenerator<string, void> {
  for await (const line of lines) {
    const url = plain || !line.startsWith('{') ? line : urlOfJson(line);
    if (url !== undefined && /^https?:\/\//i.test(url) && URL.canParse(url)) yield url;
    else complain(`expected an http or https URL, got ${line.slice(0, 200)}`);
  }
}

function urlOfJson(line: string): string | undefined {
  try {
    const { url } = JSON.parse(line) as { readonly url?: unknown };
    return typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}

export const published = [getJobs, append, report, crawl] as const;
