/**
 * Checks WARC files of any tool: structure, gzip members, digests, and that what a revisit names is there.
 *
 * Goes on behind a fault where a whole record is found. Reads each byte once and keeps nothing of it but the record ids, some 100 bytes a
 * record. Changes nothing.
 * Source: ISO 28500:2017 §4, §5, §6.7, Annex D.
 */
import { ownText } from '../../util/own-text.ts';
import { DigestCheck, HttpPayloadCheck, type DigestVerdict } from './payload.ts';
import { eachRecord, type Fault } from '../read/onward.ts';
import type { ReadRecord } from '../read/reader.ts';

export interface FileReport {
  readonly file: string;
  readonly records: number;
  /** digests that were computed and are right */
  readonly digests: number;
  /** digests that could not be computed: another algorithm, or no HTTP message */
  readonly uncheckedDigests: number;
  /** payload digests of a body with its transfer-coding */
  readonly codedDigests: number;
  faults: number;
  /** revisits whose original is in none of the files; faults unless that was allowed */
  unresolved: number;
}

export interface VerifyOptions {
  /** revisits may refer to records of other files */
  readonly allowUnresolved: boolean;
  /** told of each fault as it is found */
  readonly onFault: (fault: Fault) => void;
}

const MANDATORY = ['WARC-Type', 'WARC-Record-ID', 'WARC-Date'];
/** Their payload is not in the block, or is not all of it. */
const NO_PAYLOAD = new Set(['revisit', 'continuation']);

interface Unresolved {
  readonly report: FileReport;
  readonly offset: number;
  readonly id: string;
}

/** Check files one after the other; what a revisit names may stand in any of them. */
export async function verifyFiles(files: readonly string[], options: VerifyOptions): Promise<readonly FileReport[]> {
  const seen = new Set<string>();
  const waiting: Unresolved[] = [];
  const reports: FileReport[] = [];
  for (const file of files) reports.push(await verifyFile(file, options, seen, waiting));
  for (const { report, offset, id } of waiting) {
    if (seen.has(id)) continue;
    report.unresolved += 1;
    if (options.allowUnresolved) continue;
    report.faults += 1;
    options.onFault({ file: report.file, offset, problem: `refers to ${printable(id)}, which is in none of the files` });
  }
  return reports;
}

async function verifyFile(file: string, { onFault }: VerifyOptions, seen: Set<string>, waiting: Unresolved[]): Promise<FileReport> {
  const report = { file, records: 0, digests: 0, uncheckedDigests: 0, codedDigests: 0, faults: 0, unresolved: 0 };
  const fault = (offset: number | undefined, problem: string) => {
    report.faults += 1;
    onFault({ file, offset, problem });
  };
  const visit = async (record: ReadRecord) => {
    await verifyRecord(record, report, (problem) => fault(record.offset, problem));
    // Counts as there only once it is known to be whole.
    await record.length();
    report.records += 1;
    const id = record.header('WARC-Record-ID');
    if (id !== undefined) seen.add(ownText(id));
    const target = record.type === 'revisit' ? record.header('WARC-Refers-To') : undefined;
    if (target !== undefined && !seen.has(target)) waiting.push({ report, offset: record.offset, id: ownText(target) });
  };
  await eachRecord(file, visit, ({ offset, problem }) => fault(offset, problem));
  if (report.records === 0 && report.faults === 0) fault(undefined, 'holds no record');
  return report;
}

type Counts = Record<'digests' | 'uncheckedDigests' | 'codedDigests', number>;

async function verifyRecord(record: ReadRecord, counts: Counts, fault: (problem: string) => void): Promise<void> {
  for (const name of MANDATORY) if ((record.header(name) ?? '') === '') fault(`has no ${name}`);
  const blockDigest = record.header('WARC-Block-Digest');
  const block = blockDigest === undefined ? undefined : new DigestCheck(blockDigest);
  const payload = payloadCheck(record);
  for await (const piece of record.content()) {
    block?.update(piece);
    payload?.update(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  }
  // A block that is cut off is a fault of its own.
  await record.length();
  const judge = (name: string, verdict: DigestVerdict | 'coded' | undefined) => {
    if (verdict === 'wrong') fault(`${name} does not match (${printable(record.header(name) ?? '')})`);
    else if (verdict === 'unknown') counts.uncheckedDigests += 1;
    else if (verdict !== undefined) counts.digests += 1;
    if (verdict === 'coded') counts.codedDigests += 1;
  };
  judge('WARC-Block-Digest', block?.verdict());
  judge('WARC-Payload-Digest', payload?.verdict());
}

function payloadCheck(record: ReadRecord): DigestCheck | HttpPayloadCheck | undefined {
  const digest = record.header('WARC-Payload-Digest');
  if (digest === undefined || NO_PAYLOAD.has(record.type) || record.header('WARC-Segment-Number') !== undefined) return undefined;
  // Whether the digest is of what came or of what should have come, tools don't agree; the block digest says that the bytes are right.
  if (record.header('WARC-Truncated') !== undefined) return undefined;
  const isHttp = /^application\/http\b/i.test(record.header('Content-Type') ?? '');
  return isHttp ? new HttpPayloadCheck(digest, record.type === 'request') : new DigestCheck(digest);
}

/** On one line and of a bounded length, whatever stands in the file. */
function printable(text: string): string {
  const clean = text.replace(/[^ -~]+/g, '?');
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
