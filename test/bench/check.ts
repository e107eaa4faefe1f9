/**
 * Whether what a proxy recorded is complete and valid: every file closed and readable to its end, a record for every answer.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readWarc } from '../../src/warc/read/reader.ts';
import type { LoadResult } from './load.ts';
import type { Peer } from './peers/peer.ts';
import type { Workload } from './workloads.ts';

export interface Records {
  readonly responses: number;
  readonly revisits: number;
  readonly requestRecords: number;
}

/**
 * @param dir the run's folder
 * @throws when a record is missing, or a file cannot be read to its end
 */
export async function checkRecords(dir: string, peer: Peer, workload: Workload, { answered }: LoadResult): Promise<Records> {
  const records = await countRecords(join(dir, 'proxy', peer.warcs ?? ''));
  const { responses, revisits } = records;
  if (responses + revisits !== answered) throw new Error(`${responses} responses and ${revisits} revisits recorded of ${answered} answers`);
  if (!peer.deduplicates) return records;
  if (records.requestRecords !== answered) throw new Error(`${records.requestRecords} request records of ${answered} answers`);
  // Of pages it is known what is the same, and not how often it was the first.
  if (workload.browsers > 0) return records;
  // Duplicates that were under way together may all be originals, in peers.
  const originals = workload.body === 'same' ? (peer.originalsAtMost ?? 1) : answered;
  if (workload.body === 'same' ? responses > originals : responses !== originals) {
    throw new Error(
      `${responses} responses and ${revisits} revisits recorded of ${answered} answers, ${originals} expected to be originals`,
    );
  }
  return records;
}

/** Of all WARC files in a folder and those below. */
export async function countRecords(dir: string): Promise<Records> {
  const counts = new Map<string, number>();
  const names = readdirSync(dir, { recursive: true }).map(String);
  const unfinished = names.find((name) => name.endsWith('.open'));
  if (unfinished !== undefined) throw new Error(`${unfinished} was not closed`);
  for (const name of names.filter((name) => /\.warc(\.gz)?$/.test(name))) {
    for await (const record of readWarc(join(dir, name))) counts.set(record.type, (counts.get(record.type) ?? 0) + 1);
  }
  const count = (type: string) => counts.get(type) ?? 0;
  return { responses: count('response'), revisits: count('revisit'), requestRecords: count('request') };
}
