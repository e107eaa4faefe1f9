/**
 * `warctap cat`: records of WARC files, whole, their heads, or their bodies.
 */
import { onOff, size } from '../../options/kinds.ts';
import { resolve } from '../../options/resolve.ts';
import { group } from '../../options/row.ts';
import { OUTPUT_ROWS, RECORD_FILTER_ROWS } from '../../options/rows/files.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';
import { warcPlaces } from '../warc-operands.ts';

const ROWS = {
  ...RECORD_FILTER_ROWS,
  ...group('Output', {
    head: { kind: onOff, default: false, summary: 'the fields of the record, and the head of the HTTP message in it' },
    body: { kind: onOff, default: false, summary: 'the body alone, without chunks, gzip, deflate, br and zstd' },
    maxBody: { argument: 'SIZE', kind: size(1), default: 4 * 1024 ** 3, summary: 'cut a body that unpacks to more than this' },
  }),
  ...OUTPUT_ROWS,
};

export const cat = defineCommand({
  name: 'cat',
  summary: 'Print records of WARC files: as they are, their heads, or their bodies unpacked.',
  operands: {
    name: '[FILE|DIR|FILE:OFFSET...]',
    summary: 'WARC files of any tool, folders of them, or single records as "warctap ls" shows them',
  },
  own: ROWS,
  notes: 'Without --head and --body a record is printed as it stands in a plain WARC file.',
  exits: { ok: 'all was read', failed: 'no such record, or one that could not be read', usage: 'bad option or argument' },

  async run({ operands, own }) {
    const options = resolve(ROWS, own);
    if (options.head && options.body) throw new UsageError('cat: expected one of --head and --body, not both');
    const places = await warcPlaces('cat', operands);
    const [{ overFiles }, { printRecords }, { recordFilter }] = await Promise.all([
      import('../over-files.ts'),
      import('../../warc/tools/print.ts'),
      import('../../warc/tools/filter.ts'),
    ]);
    const files = places.map(({ file }) => file);
    let found = 0;
    const code = await overFiles(files, options, async ({ write, fault, at }) => {
      const part = options.head ? 'head' : options.body ? 'body' : 'all';
      const isMeant = recordFilter(options);
      found = await printRecords(places, { part, isMeant, maxBodyBytes: options.maxBody, write, onFault: fault, onRecord: at });
    });
    if (found === 0 && code === EXIT.ok.code) process.stderr.write('warctap: cat: no record fits\n');
    return found === 0 ? EXIT.failed.code : code;
  },
});
