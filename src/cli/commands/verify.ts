/**
 * `warctap verify`: a line for each fault of WARC files, or one for a file without any.
 */
import { verifyFiles, type FileReport } from '../warc/tools/verify.ts';
import type { VerifyFlags } from './command.ts';
import { EXIT } from './exit.ts';

/** @returns the exit code */
export async function verify(
  files: readonly string[],
  { allowUnresolved = false }: VerifyFlags,
  print: (text: string) => void,
): Promise<number> {
  const reports = await verifyFiles(files, {
    allowUnresolved,
    onFault: ({ file, offset, problem }) => print(`${file}: ${offset === undefined ? '' : `record at byte ${offset}: `}${problem}\n`),
  });
  for (const report of reports) if (report.faults === 0) print(`${summary(report)}\n`);
  return reports.some(({ faults }) => faults > 0) ? EXIT.notStarted.code : EXIT.ok.code;
}

function summary({ file, records, digests, uncheckedDigests, codedDigests, unresolved }: FileReport): string {
  const notes = [
    codedDigests > 0 && `${codedDigests} payload digests are of bodies with their transfer-coding`,
    uncheckedDigests > 0 && `${uncheckedDigests} digests not checked`,
    unresolved > 0 && `${unresolved} revisits without their original`,
  ].filter((note) => note !== false);
  return `${file}: ok, ${records} records, ${digests} digests${notes.map((note) => `; ${note}`).join('')}`;
}
