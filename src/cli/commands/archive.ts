/**
 * `warctap archive URL...`: pages of the web as one WACZ.
 */
import { pageUrl } from '../../page/scope.ts';
import { resolve } from '../../options/resolve.ts';
import { namesIn } from '../../options/row.ts';
import { ARCHIVE_ROWS, PACKED_CORE_ROWS } from '../../options/rows/archive.ts';
import type { ArchiveResult, ArchiveRun } from '../../programs/archive-run.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';

const SETTINGS = { ...ARCHIVE_ROWS, ...PACKED_CORE_ROWS };
/** What many need; the others are in docs/archive.md, and count from there. */
const FAILURES_SHOWN = 10;

export const archive = defineCommand({
  name: 'archive',
  summary: 'Archive pages as one WACZ: visited in a headless browser, links followed if asked.',
  operands: { name: '[URL...]', summary: 'the pages to begin with' },
  settings: SETTINGS,
  shown: [...namesIn(ARCHIVE_ROWS), ...namesIn(PACKED_CORE_ROWS), 'config', 'quiet', 'verbose', 'trace', 'summaryInterval'],
  notes: `Each page is gone down to its end, so that what waits to be seen is loaded, too.
Ctrl-C ends it with a WACZ of what there is. What could not be fetched is in it
as a record of why, and is told.`,
  refused: {
    store: 'a WACZ has in it all that its records refer to, and what another machine has archived would be missing',
    workers: 'what takes the time is the browser, which has processes of its own; --parallel is how many pages at once',
  },
  exits: {
    ok: 'the WACZ is written, and has all pages that were named',
    failed: 'a page that was named could not be archived, or it could not start',
    usage: EXIT.usage.meaning,
    fatal: EXIT.fatal.meaning,
  },
  exitNotes: `  A second Ctrl-C ends it at once; what was archived stays in a folder beside
  the WACZ then.`,

  async run({ operands, settings }) {
    const seeds = seedsOf(operands);
    const gathered = await settings();
    const [{ runProgram }, { progressLine }] = await Promise.all([import('../run-program.ts'), import('../progress-line.ts')]);
    let running: ArchiveRun | undefined;
    const code = await runProgram<typeof SETTINGS, ArchiveRun>(gathered, {
      start: async (given, log) => {
        const { startArchive } = await import('../../programs/start-archive.ts');
        return (running = await startArchive({ seeds, options: resolve(SETTINGS, given), log }));
      },
      tell: () => '',
      liveLine: (run, columns) => progressLine(run.progress(), run.figures(), columns),
    });
    const result = running?.result;
    if (result === undefined) return code;
    await print(summaryOf(result));
    return code === EXIT.ok.code && result.failedSeeds + Number(result.output === undefined) > 0 ? EXIT.failed.code : code;
  },
});

/** @throws UsageError */
function seedsOf(operands: readonly string[]): readonly string[] {
  if (operands.length === 0) throw new UsageError('archive: expected at least one URL, see archive --help');
  const seeds = operands.map((operand) => {
    const url = pageUrl(operand);
    if (url === undefined)
      throw new UsageError(`archive: expected a URL that begins with http:// or https://, got ${JSON.stringify(operand)}`);
    return url;
  });
  return [...new Set(seeds)];
}

function summaryOf({ output, bytes, pages, failed, failures, leftOut, forbidden }: ArchiveResult): string {
  const size = bytes >= 999_500 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1000)} kB`;
  const lines = [
    output === undefined ? 'no page was archived' : `${output}: ${pages} page${pages === 1 ? '' : 's'}, ${size}`,
    ...failures.slice(0, FAILURES_SHOWN).map(({ url, reason }) => `  failed: ${url} (${reason})`),
    ...(failed > FAILURES_SHOWN ? [`  and ${failed - FAILURES_SHOWN} more`] : []),
    ...(forbidden > 0 ? [`  left out, as robots.txt forbids them: ${forbidden} (--ignore-robots follows them)`] : []),
    ...(leftOut > 0 ? [`  found past --limit, and left out: ${leftOut}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function print(text: string): Promise<void> {
  return new Promise((done) => process.stdout.write(text, () => done()));
}
