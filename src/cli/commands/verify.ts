/**
 * `warctap verify`: a line for each fault of WARC files, or one for a file without any.
 */
import { group } from '../../options/row.ts';
import { onOff } from '../../options/kinds.ts';
import type { FileReport } from '../../warc/tools/verify.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit.ts';
import { warcFiles } from '../warc-operands.ts';

export const verify = defineCommand({
  name: 'verify',
  summary: 'Check WARC files: structure, digests, gzip members, and that what revisits refer to is there.',
  operands: { name: '[FILE|DIR...]', summary: 'WARC files of any tool, or folders of them, plain or gzip, open ones too' },
  own: group('Options', {
    allowUnresolved: { kind: onOff, default: false, summary: 'a revisit may refer to a record that is in none of the files' },
  }),
  notes: `Prints a line for each fault, or one for a file that has none. Give all files
of a collection at once: what a revisit refers to may stand in another file.`,
  exits: { ok: 'no fault', failed: 'faults, or a file that cannot be read', usage: 'bad option or argument' },

  async run({ operands, own: { allowUnresolved = false } }) {
    const files = await warcFiles('verify', operands);
    const [{ verifyFiles }, { faultLine }] = await Promise.all([import('../../warc/tools/verify.ts'), import('../../warc/read/onward.ts')]);
    const reports = await verifyFiles(files, {
      allowUnresolved,
      onFault: (fault) => process.stdout.write(`${faultLine(fault)}\n`),
    });
    for (const report of reports) if (report.faults === 0) process.stdout.write(`${summary(report)}\n`);
    return reports.some(({ faults }) => faults > 0) ? EXIT.failed.code : EXIT.ok.code;
  },
});

function summary({ file, records, digests, uncheckedDigests, codedDigests, unresolved }: FileReport): string {
  const notes = [
    codedDigests > 0 && `${codedDigests} payload digests are of bodies with their transfer-coding`,
    uncheckedDigests > 0 && `${uncheckedDigests} digests not checked`,
    unresolved > 0 && `${unresolved} revisits without their original`,
  ].filter((note) => note !== false);
  return `${file}: ok, ${records} records, ${digests} digests${notes.map((note) => `; ${note}`).join('')}`;
}
