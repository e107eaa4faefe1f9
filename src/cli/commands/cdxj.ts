/**
 * `warctap cdxj`: an index of WARC files, for who looks up URLs in them.
 */
import { basename, relative, sep } from 'node:path';
import { onOff, path } from '../../options/kinds.ts';
import { resolve } from '../../options/resolve.ts';
import { group } from '../../options/row.ts';
import { OUTPUT_ROWS } from '../../options/rows/files.ts';
import { defineCommand } from '../command.ts';
import { warcFiles } from '../warc-operands.ts';

const ROWS = {
  ...group('Options', {
    cdx11: { kind: onOff, default: false, summary: 'eleven columns (CDX N b a m s k r M S V g) instead of CDXJ' },
    dirRoot: {
      argument: 'DIR',
      kind: path,
      defaultText: 'none',
      summary: 'name files by their paths below this folder, not by their names alone',
    },
  }),
  ...OUTPUT_ROWS,
};

export const cdxj = defineCommand({
  name: 'cdxj',
  summary: 'Write a sorted CDXJ index of WARC files, as pywb and other players read it.',
  operands: { name: '[FILE|DIR...]', summary: 'WARC files of any tool, or folders of them, plain or compressed, open ones too' },
  own: ROWS,
  notes: `Answers, revisits, resources, conversions and metadata get a line each. What a
POST or PUT sent is in the key and in requestBody, as pywb looks for it.`,
  exits: { ok: 'all was read', failed: 'a file could not be read to its end', usage: 'bad option or argument' },

  async run({ operands, own }) {
    const options = resolve(ROWS, own);
    const files = await warcFiles('cdxj', operands);
    const [{ overFiles }, { indexFile, cdxjLine, cdx11Line, CDX11_HEAD }, { LineSorter }] = await Promise.all([
      import('../over-files.ts'),
      import('../../warc/tools/cdx.ts'),
      import('../../util/line-sorter.ts'),
    ]);
    const toLine = options.cdx11 ? cdx11Line : cdxjLine;
    return overFiles(files, options, async ({ write, fault, at }) => {
      const sorter = new LineSorter();
      try {
        for (const file of files) {
          const filename = options.dirRoot === undefined ? basename(file) : relative(options.dirRoot, file).split(sep).join('/');
          const onEntry = (entry: Parameters<typeof toLine>[0]) => sorter.add(toLine(entry));
          await indexFile(file, { filename, onEntry, onFault: fault, onRecord: (offset) => at(file, offset) });
        }
        if (options.cdx11) await write(CDX11_HEAD);
        for await (const line of sorter.sorted()) await write(line);
      } finally {
        await sorter[Symbol.asyncDispose]();
      }
    });
  },
});
