/**
 * `warctap wacz`: WARC files as one file that a player opens.
 */
import { anyText, httpUrl, onOff } from '../../options/kinds.ts';
import { resolve } from '../../options/resolve.ts';
import { group } from '../../options/row.ts';
import { OUTPUT_ROWS } from '../../options/rows/files.ts';
import { readVersion } from '../../util/version.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../exit.ts';
import { warcFiles } from '../warc-operands.ts';

const ROWS = {
  ...OUTPUT_ROWS,
  ...group('What it says of itself', {
    title: { short: 't', argument: 'TEXT', kind: anyText, defaultText: 'none', summary: 'what the collection is called' },
    description: { argument: 'TEXT', kind: anyText, defaultText: 'none', summary: 'what is in it' },
    mainPage: { argument: 'URL', kind: httpUrl, defaultText: 'none', summary: 'the page to begin with; one that is in the files' },
    text: { kind: onOff, default: false, summary: 'with the text of the pages, for searching' },
  }),
};

export const wacz = defineCommand({
  name: 'wacz',
  summary: 'Make a WACZ of WARC files: with an index and a list of pages, for ReplayWeb.page and pywb.',
  operands: { name: '[FILE|DIR...]', summary: 'WARC files of any tool, or folders of them, plain or compressed, open ones too' },
  own: ROWS,
  notes: `Pages are HTML that was answered with 200. The WARC files are in it as they are;
what of them cannot be read is told, and is not in the index.`,
  exits: { ok: 'all was read', failed: 'a file could not be read to its end, or there is no such page', usage: 'bad option or argument' },

  async run({ operands, own }) {
    const options = resolve(ROWS, own);
    const { title, description, mainPage: url, text } = options;
    if (options.output === undefined) throw new UsageError('wacz: expected --output FILE.wacz');
    const files = await warcFiles('wacz', operands);
    const [{ overFiles }, { writeWacz }] = await Promise.all([import('../over-files.ts'), import('../../warc/tools/wacz.ts')]);
    return overFiles(files, options, ({ write, fault, at }) =>
      writeWacz(files, { title, description, url, text, software: `warctap ${readVersion()}`, write, onFault: fault, onRecord: at }),
    );
  },
});
