/**
 * Repairs what a crash has left: all `.open` files of the folder of WARC files, before the proxy starts.
 *
 * The order makes it safe to be stopped at any moment and to begin again: look at all files, drop what the indexes say of records that
 * are not there, only then cut and rename. One file at a time, so that neither memory nor open files grow with their number.
 * Source: specification §12.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import { closedName, OPEN_SUFFIX, pathBelow, WARC_SUFFIX } from '../paths.ts';
import type { FileLock } from '../write/output.ts';
import { inspect, NotRepairedError, repair, type Finding } from './repair.ts';

/** What is left of the files, by their paths below the folder of WARC files, without `.open`. */
export interface Leftovers {
  /** where what is whole ends, in bytes of the (compressed) file */
  readonly ends: ReadonlyMap<string, number>;
  /** in use by another process, or not to be read */
  readonly unknown: ReadonlySet<string>;
}

export interface LeftoversOptions {
  readonly dir: string;
  /** WARC files are in a folder per prefix */
  readonly subdirPrefix: boolean;
  /** undefined where locks don't work: nothing is repaired then, as another program may be writing the files */
  readonly lock: FileLock | undefined;
  /** drops the entries of all indexes whose record is lost; called in any case. @returns how many */
  readonly drop: (leftovers: Leftovers) => Promise<number>;
  readonly log: Log;
}

/** Never throws for a file that cannot be repaired: that is logged, and the file left as it is. @throws what `drop` throws */
export async function repairLeftovers({ dir, subdirPrefix, lock, drop, log }: LeftoversOptions): Promise<void> {
  const files = await leftoversIn(dir, subdirPrefix);
  const pathsOf = (all: readonly string[]) => new Set(all.map((file) => pathBelow(dir, file)));
  if (files.length === 0 || lock === undefined) await drop({ ends: new Map(), unknown: pathsOf(files) });
  if (files.length === 0) return;
  if (lock === undefined) {
    log.warn(
      { dir, files: files.length },
      'open WARC files are not repaired: locks do not work here, and another program may be writing them',
    );
    return;
  }
  const findings: Finding[] = [];
  for (const file of files) {
    const finding = await orLogged(file, log, () => inspect(file, lock));
    if (finding !== undefined) findings.push(finding);
  }
  const ends = new Map(findings.map((finding) => [pathBelow(dir, finding.file), endOf(finding)]));
  const dropped = await drop({ ends, unknown: pathsOf(files.filter((file) => findings.every((finding) => finding.file !== file))) });
  if (dropped > 0) log.warn({ entries: dropped }, 'dropped index entries of records that were lost');
  for (const finding of findings) {
    const repaired = await orLogged(finding.file, log, () => repair(finding.file, lock, finding));
    if (repaired === undefined) continue;
    const { file, ok, bytesCut, records, path, told } = repaired;
    log[ok ? 'warn' : 'error']({ file, path, records, bytesCut }, `WARC file of an earlier run: ${told}`);
  }
}

/** A damaged file stays as it is, and so do the entries of what stands behind the damage: whoever reads a place checks it. */
function endOf({ verdict, end }: Finding): number {
  return verdict === 'leave' ? Infinity : end;
}

/** All `.open` files, whosever they are. */
export async function leftoversIn(dir: string, subdirPrefix: boolean): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && isLeftover(entry.name)).map(({ name }) => join(dir, name));
  if (subdirPrefix) {
    for (const folder of entries.filter((entry) => entry.isDirectory())) files.push(...(await leftoversIn(join(dir, folder.name), false)));
  }
  return files.sort();
}

function isLeftover(name: string): boolean {
  return name.endsWith(OPEN_SUFFIX) && WARC_SUFFIX.test(closedName(name));
}

async function orLogged<T>(file: string, log: Log, job: () => Promise<T>): Promise<T | undefined> {
  try {
    return await job();
  } catch (error) {
    if (error instanceof NotRepairedError && error.code === 'LOCKED') {
      log.info({ file }, 'an open WARC file is in use by another process');
    } else {
      log.error({ file, err: error }, `an open WARC file was not repaired: ${reasonOf(error)}`);
    }
    return undefined;
  }
}
