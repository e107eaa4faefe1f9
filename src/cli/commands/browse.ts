/**
 * `warctap browse [URL]`: a browser whose traffic is archived, until it is closed.
 */
import { resolve as absolute, join } from 'node:path';
import { onOff, path } from '../../options/kinds.ts';
import { group } from '../../options/row.ts';
import { ARCHIVE_ROWS, BROWSER_ROW } from '../../options/rows/archive.ts';
import { PROXY_OPTIONS } from '../../options/table.ts';
import { pageUrl } from '../../page/scope.ts';
import type { Browse, BrowseResult } from '../../programs/browse.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';
import { inBytes } from '../figures-line.ts';

/** Of the files, so many are named. */
const FILES_SHOWN = 10;
/** Where files go, which a WACZ has in itself. */
const PLACES = ['dir', 'dedupDbFile', 'statsDbFile', 'subdirPrefix', 'collection'] as const;

export const browse = defineCommand({
  name: 'browse',
  summary: 'Open a browser in a profile of its own, and archive what it loads until it is closed.',
  operands: { name: '[URL]', summary: 'where to begin' },
  own: {
    ...group('Browser', {
      browser: BROWSER_ROW,
      headless: { kind: onOff, default: false, summary: 'without a window, until Ctrl-C' },
    }),
    ...group('Output', {
      wacz: { argument: 'FILE', kind: path, defaultText: 'none', summary: 'one WACZ of what was archived, instead of WARC files' },
      force: ARCHIVE_ROWS.force,
      title: { ...ARCHIVE_ROWS.title, defaultText: 'none' },
    }),
  },
  settings: PROXY_OPTIONS,
  notes: `The proxy takes a free port, and an authority that is forgotten, unless --port and
--cacert say otherwise. The profile is empty at the start and deleted at the end.`,
  exits: {
    ok: 'the browser was closed, or a signal came; everything written',
    failed: 'no browser was found, or it did not start, or the proxy did not',
    usage: EXIT.usage.meaning,
    fatal: EXIT.fatal.meaning,
    store: EXIT.store.meaning,
  },

  async run({ operands, own, settings }) {
    const [first, ...more] = operands;
    if (more.length > 0) throw new UsageError(`browse: expected one URL, got ${operands.length}; open the others in the browser`);
    const url = first === undefined ? undefined : pageUrl(first);
    if (first !== undefined && url === undefined)
      throw new UsageError(`browse: expected a URL that begins with http:// or https://, got ${JSON.stringify(first)}`);
    const gathered = await settings();
    const { wacz: output, force = false, title, headless = false, browser } = own;
    const place = PLACES.find((name) => gathered.given[name] !== undefined);
    if (output !== undefined && place !== undefined)
      throw new UsageError(`browse: --wacz has its files in itself, so ${gathered.places.get(place) ?? place} does not go with it`);
    const { runProgram } = await import('../run-program.ts');
    let running: Browse | undefined;
    const code = await runProgram<typeof PROXY_OPTIONS, Browse>(gathered, {
      start: async (options, log) => {
        const { startBrowse } = await import('../../programs/browse.ts');
        const wacz = output === undefined ? undefined : { output, force, title };
        return (running = await startBrowse({ options, browser, headless, url: first, wacz, log }));
      },
      tell: (program) => `${program.executable} browses through ${program.url}; close it, or press Ctrl-C, to end\n`,
    });
    const result = running?.result;
    if (result !== undefined) await new Promise<void>((done) => process.stdout.write(endOf(result), () => done()));
    return code;
  },
});

function endOf({ figures, files, warcDir }: BrowseResult): string {
  if (figures.captures === 0) return 'nothing was archived\n';
  const { captures, new: fresh, duplicates, errors, warcBytes } = figures;
  const lines = [
    `archived ${captures} captures (${fresh} new, ${duplicates} duplicates), ${inBytes(warcBytes)}, and ${errors} errors`,
    ...files.slice(0, FILES_SHOWN).map((file) => `  ${warcDir === undefined ? file : join(absolute(warcDir), file)}`),
    ...(files.length > FILES_SHOWN ? [`  and ${files.length - FILES_SHOWN} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
