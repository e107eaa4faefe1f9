/**
 * `warctap ls`: a line for each record of WARC files.
 */
import { stat } from 'node:fs/promises';
import { onOff } from '../../options/kinds.ts';
import { resolve } from '../../options/resolve.ts';
import { group } from '../../options/row.ts';
import { OUTPUT_ROWS, RECORD_FILTER_ROWS } from '../../options/rows/files.ts';
import type { Glance } from '../../warc/tools/glance.ts';
import { defineCommand } from '../command.ts';
import { warcFiles } from '../warc-operands.ts';

const ROWS = {
  ...RECORD_FILTER_ROWS,
  ...group('Output', { json: { kind: onOff, default: false, summary: 'a line of JSON for each record' } }),
  ...OUTPUT_ROWS,
};

export const ls = defineCommand({
  name: 'ls',
  summary: 'List the records of WARC files: date, type, status, media type, size, place and URL.',
  operands: { name: '[FILE|DIR...]', summary: 'WARC files of any tool, or folders of them, plain or compressed, open ones too' },
  own: ROWS,
  notes: `A place is FILE:OFFSET, which "warctap cat" takes. What cannot be read is told on
standard error, and what comes behind it is listed.`,
  exits: { ok: 'all was read', failed: 'a file could not be read to its end', usage: 'bad option or argument' },

  async run({ operands, own }) {
    const options = resolve(ROWS, own);
    const files = await warcFiles('ls', operands);
    const [{ overFiles }, { eachRecord }, { glanceAt, printable }, { recordFilter }] = await Promise.all([
      import('../over-files.ts'),
      import('../../warc/read/onward.ts'),
      import('../../warc/tools/glance.ts'),
      import('../../warc/tools/filter.ts'),
    ]);
    const isMeant = recordFilter(options);
    const width = options.json ? 0 : await placeWidth(files);
    return overFiles(files, options, async ({ write, fault, at }) => {
      for (const file of files) {
        await eachRecord(
          file,
          async (record) => {
            at(file, record.offset);
            const glance = await glanceAt(record);
            if (!isMeant(glance)) return;
            const length = await record.length();
            await write(options.json ? jsonLine(file, glance, length) : `${printable(tableLine(file, glance, width), Infinity)}\n`);
          },
          fault,
        );
      }
    });
  },
});

function tableLine(file: string, { record, url, status, method, mime }: Glance, width: number): string {
  const columns = [
    (record.header('WARC-Date') ?? '-').slice(0, 30).padEnd(20),
    record.type.slice(0, 20).padEnd(10),
    String(status ?? method ?? '-')
      .slice(0, 10)
      .padEnd(4),
    (mime ?? '-').slice(0, 40).padEnd(24),
    String(record.contentLength).padStart(10),
    `${file}:${record.offset}`.padEnd(width),
    url === '' ? '-' : url,
  ];
  return columns.join('  ');
}

/** As wide as the place of any record can be. */
async function placeWidth(files: readonly string[]): Promise<number> {
  const widths = files.map(async (file) => {
    const size = await stat(file).then(
      (there) => there.size,
      () => 0,
    );
    return file.length + 1 + String(size).length;
  });
  return (await Promise.all(widths)).reduce((widest, width) => Math.max(widest, width), 0);
}

function jsonLine(file: string, { record, url, status, method, mime }: Glance, length: number): string {
  const text = (value: string | undefined) => (value === '' ? undefined : value);
  return `${JSON.stringify({
    file,
    offset: record.offset,
    length,
    type: record.type,
    date: record.header('WARC-Date'),
    url: text(url),
    recordId: record.header('WARC-Record-ID'),
    status,
    method,
    mime,
    blockSize: record.contentLength,
    payloadDigest: record.header('WARC-Payload-Digest'),
  })}\n`;
}
