/**
 * Makes a WARC file whole again: cuts it behind its last whole record and gives an `.open` file its final name.
 *
 * Works on files of any tool, and is careful in what it takes away: a file that another process has locked is left alone, no other
 * file is ever replaced, and nothing is cut off when whole records follow behind it.
 * Source: specification §3 (file names), §12; ISO 28500:2017 §4, Annex D.
 */
import { lstat, open, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { reasonOf } from '../../util/thrown.ts';
import { closedName, OPEN_SUFFIX, WARC_SUFFIX } from '../paths.ts';
import { moveWithoutReplacing } from '../write/move.ts';
import type { FileLock } from '../write/output.ts';
import { scanRecords, type Scan } from '../read/scan.ts';
import { FileWindow } from '../window.ts';
import { syncFolder } from '../../util/folder.ts';

/** What is the matter with a file, before anything is done to it. */
export interface Finding {
  readonly file: string;
  /** bytes of the file */
  readonly size: number;
  /** bytes of it that are whole records, from its start */
  readonly end: number;
  /** of them, those behind `from` */
  readonly records: number;
  /** where it was begun to look */
  readonly from: number;
  /** what stands behind them */
  readonly problem: string | undefined;
  /** `keep`: nothing to cut; `cut`: at `end`; `delete`: nothing in it is whole; `leave`: not without a person's judgement */
  readonly verdict: 'keep' | 'cut' | 'delete' | 'leave';
  /** which file it was, so that nothing is done to another one */
  readonly identity: string;
}

/** What was done. */
export interface Repair {
  readonly file: string;
  /** where the file is now; undefined when it was deleted */
  readonly path: string | undefined;
  /** false when the file is not whole and was left as it is */
  readonly ok: boolean;
  readonly bytesCut: number;
  readonly records: number;
  /** all of it in a few words, without the name of the file */
  readonly told: string;
}

/** Why a file was not looked at, or not touched. */
export class NotRepairedError extends Error {
  override readonly name = 'NotRepairedError';
  readonly code: 'LOCKED' | 'CANNOT_LOCK' | 'CHANGED';

  constructor(code: NotRepairedError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

const MAX_ATTEMPTS = 10_000;

/**
 * Look at a file, and change nothing.
 *
 * @throws NotRepairedError, or the file system's error
 */
export async function inspect(file: string, lock: FileLock): Promise<Finding> {
  return locked(file, lock, (handle, identity) => find(file, handle, identity));
}

/**
 * Repair a file.
 *
 * @param finding of an inspection; without it the file is inspected now
 * @throws NotRepairedError, or the file system's error
 */
export async function repair(file: string, lock: FileLock, finding?: Finding): Promise<Repair> {
  return locked(file, lock, async (handle, identity) => {
    if (finding !== undefined && finding.identity !== identity) throw new NotRepairedError('CHANGED', 'has changed meanwhile');
    return act(finding ?? (await find(file, handle, identity)), handle);
  });
}

/**
 * Repair a file of which it is known that it is whole up to a record.
 *
 * @param from where that record begins
 * @throws NotRepairedError, or the file system's error
 */
export async function repairFrom(file: string, lock: FileLock, from: number): Promise<Repair> {
  return locked(file, lock, async (handle, identity) => act(await find(file, handle, identity, from), handle));
}

/** Everything is done under the lock that a writer holds, so that no file is touched that is being written. */
async function locked<T>(file: string, lock: FileLock, job: (handle: FileHandle, identity: string) => Promise<T>): Promise<T> {
  const handle = await open(file, 'r+');
  try {
    if (!tryLock(lock, handle.fd)) throw new NotRepairedError('LOCKED', 'is in use by another process');
    const [inside, named] = [await handle.stat(), await lstat(file).catch(() => undefined)];
    if (!inside.isFile()) throw new NotRepairedError('CHANGED', 'is no file');
    // Between opening and locking its writer may have closed and renamed it.
    const moved = named === undefined || (!named.isSymbolicLink() && (named.ino !== inside.ino || named.dev !== inside.dev));
    if (moved) throw new NotRepairedError('CHANGED', 'was closed by another process meanwhile');
    return await job(handle, `${inside.dev}:${inside.ino}:${inside.size}:${inside.mtimeMs}`);
  } finally {
    await handle.close();
  }
}

function tryLock(lock: FileLock, fd: number): boolean {
  try {
    return lock(fd);
  } catch (error) {
    throw new NotRepairedError('CANNOT_LOCK', `cannot be locked, so nobody knows whether it is in use: ${reasonOf(error)}`, error);
  }
}

async function find(file: string, handle: FileHandle, identity: string, from = 0): Promise<Finding> {
  const { size } = await handle.stat();
  const scan = await scanRecords(new FileWindow(handle, size), !file.endsWith(OPEN_SUFFIX), from);
  const { records, end, rest } = scan;
  return { file, size, end, records, from, problem: rest?.problem, verdict: verdictOf(file, size, scan), identity };
}

function verdictOf(file: string, size: number, { records: behind, end, rest }: Scan): Finding['verdict'] {
  // Up to where the scan has begun there are some.
  const records = end > 0 ? Math.max(behind, 1) : behind;
  const begun = size === 0 || rest?.kind === 'cut';
  if (records === 0 && begun && file.endsWith(OPEN_SUFFIX)) return 'delete';
  if (rest === undefined) return 'keep';
  // What has no whole record may be no WARC file at all; and what was once closed held more than nothing.
  return records === 0 || rest.kind === 'damage' ? 'leave' : 'cut';
}

async function act(finding: Finding, handle: FileHandle): Promise<Repair> {
  const { file, size, end, records, from, problem, verdict } = finding;
  const done = { file, records };
  if (verdict === 'leave') {
    const whole = records === 0 ? 'no whole record' : `${count(records)} whole, then damage with whole ones behind it`;
    return { ...done, path: file, ok: false, bytesCut: 0, told: `left as it is: ${whole} (byte ${end}: ${problem ?? ''})` };
  }
  if (verdict === 'delete') {
    await unlink(file);
    await syncFolder(dirname(file));
    return { ...done, path: undefined, ok: true, bytesCut: size, told: `deleted: nothing whole in its ${size} bytes` };
  }
  const bytesCut = verdict === 'cut' ? size - end : 0;
  if (bytesCut > 0) {
    await handle.truncate(end);
    await handle.sync();
  }
  const cut = bytesCut === 0 ? 'whole' : `cut from ${size} to ${end} bytes (${problem ?? ''})`;
  const told = `${cut}, ${count(records)}${from > 0 ? ` behind byte ${from}` : ''}`;
  if (!file.endsWith(OPEN_SUFFIX)) return { ...done, path: file, ok: true, bytesCut, told };
  if (bytesCut === 0) await handle.sync();
  const path = await takeName(file, handle);
  await syncFolder(dirname(file));
  const other = path === closedName(file) ? '' : ', because that name is taken';
  return { ...done, path, ok: true, bytesCut, told: `${told}, now ${basename(path)}${other}` };
}

/** @returns the path that the file has got */
async function takeName(file: string, handle: FileHandle): Promise<string> {
  const wanted = closedName(file);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const path = attempt === 0 ? wanted : numbered(wanted, attempt);
    if (await moveWithoutReplacing(file, path)) return path;
    const [own, there] = [await handle.stat(), await lstat(path).catch(() => undefined)];
    if (there?.ino === own.ino && there.dev === own.dev) {
      // Its writer was stopped between giving it the new name and taking the old one away.
      await unlink(file);
      return path;
    }
  }
  throw new Error(`no free name in ${dirname(file)} after ${MAX_ATTEMPTS} attempts`);
}

/** `NAME-1.warc.gz` */
function numbered(file: string, attempt: number): string {
  const name = basename(file);
  const dot = WARC_SUFFIX.exec(name)?.index ?? name.length;
  return join(dirname(file), `${name.slice(0, dot)}-${attempt}${name.slice(dot)}`);
}

function count(records: number): string {
  return records === 1 ? '1 record' : `${records} records`;
}
