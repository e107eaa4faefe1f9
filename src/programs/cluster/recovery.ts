/**
 * What is done about the files of a worker that has died.
 *
 * What stands whole in them and in no index is put there, by what the worker had won; only then may others have what is left of that. The files
 * are cut behind their last whole record and get their names. Only what was written since the indexes were told last is read.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { reindex, type Reindexed } from '../../archive/reindex.ts';
import type { Unsettled } from '../../store/remote/files.ts';
import type { Served } from '../../store/remote/server.ts';
import type { Log } from '../../util/log.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { WarcReadError } from '../../warc/errors.ts';
import { OPEN_SUFFIX, pathBelow } from '../../warc/paths.ts';
import { leftoversIn } from '../../warc/tools/leftovers.ts';
import { NotRepairedError, repair, repairFrom } from '../../warc/tools/repair.ts';
import type { FileLock } from '../../warc/write/output.ts';
import type { Stores } from '../stores.ts';

export interface RecoveryParts {
  readonly dir: string;
  readonly subdirPrefix: boolean;
  /** undefined where there are none */
  readonly lock: FileLock | undefined;
  readonly stores: Pick<Stores, 'dedup' | 'playback' | 'openFiles'>;
  /** told of a file that has its name now */
  readonly onClosed: (file: string) => void;
  /** one that has ended as it should has told of all its files, and what others are about to name is theirs */
  readonly died: boolean;
  readonly log: Log;
}

interface There extends Unsettled {
  /** where it is now */
  readonly file: string;
}

/** @param worker that has died, and will say nothing more. Never throws for a file: that is logged */
export async function recover(worker: number, served: Served, parts: RecoveryParts): Promise<void> {
  const { dir, lock, log } = parts;
  const { unfinished } = served;
  const files = (await Promise.all(served.unsettled.map(async (each) => thereIs(dir, each)))).flatMap((file) => file ?? []);
  const added: Reindexed = { records: 0, dedup: 0, playback: 0 };
  for (const file of files) await orLogged(log, file.file, () => putIntoIndexes(file, served, parts, added));
  if (added.dedup > 0 || added.playback > 0) log.info({ worker, ...added }, 'what a worker had written last is in the indexes');
  await served.release();
  const named = new Set<string>();
  for (const { file, path, from, open } of files) {
    if (!open) continue;
    await orLogged(log, file, async () => {
      const repaired = await repairFrom(file, lock ?? (() => true), from);
      const { ok, bytesCut, records, told } = repaired;
      log[ok ? 'warn' : 'error']({ worker, file, path: repaired.path, records, bytesCut }, `WARC file of a worker that has died: ${told}`);
      named.add(path);
      if (ok && repaired.path !== undefined) parts.onClosed(repaired.path);
    });
  }
  // It had closed these, and not said so, or had not made their index.
  for (const path of unfinished) {
    const file = join(dir, path);
    if (!named.has(path) && (await isFile(file))) parts.onClosed(file);
  }
  served.forgetFiles();
  if (parts.died) await repairUntold(parts);
}

/** @returns undefined where it is gone */
async function thereIs(dir: string, unsettled: Unsettled): Promise<There | undefined> {
  const { path } = unsettled;
  for (const name of [path + OPEN_SUFFIX, path]) {
    const file = join(dir, name);
    if (await isFile(file)) return { ...unsettled, file };
  }
  return undefined;
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() === true;
}

async function putIntoIndexes({ file, path, from }: There, served: Served, { stores }: RecoveryParts, added: Reindexed): Promise<void> {
  const won = keysByDigest(served.held);
  const dedup = stores.dedup && {
    claim: (wanted: readonly unknown[]) => wanted.map(() => 'won' as const),
    publish: served.publish,
  };
  try {
    await reindex(file, path, { dedup, playback: stores.playback, keysOf: (digest) => won.get(digest) ?? [], start: from }, added);
  } catch (error) {
    // That is what is cut off.
    if (!(error instanceof WarcReadError)) throw error;
  }
}

/** The keys that one digest has in its buckets. */
function keysByDigest(held: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  for (const key of held) {
    const digest = key.slice(0, key.indexOf('|'));
    keys.set(digest, [...(keys.get(digest) ?? []), key]);
  }
  return keys;
}

/** Files that it had just made, and not told of. Those of others are known, or locked. */
async function repairUntold({ dir, subdirPrefix, lock, stores, onClosed, log }: RecoveryParts): Promise<void> {
  if (lock === undefined) return;
  for (const file of await leftoversIn(dir, subdirPrefix).catch(() => [])) {
    if (stores.openFiles.has(pathBelow(dir, file))) continue;
    await orLogged(log, file, async () => {
      const { ok, path } = await repair(file, lock);
      if (ok && path !== undefined) onClosed(path);
    });
  }
}

async function orLogged(log: Log, file: string, job: () => Promise<unknown>): Promise<void> {
  try {
    await job();
  } catch (error) {
    if (error instanceof NotRepairedError && error.code !== 'CANNOT_LOCK') return;
    // Whoever writes it has given it its name meanwhile.
    if (codeOf(error) === 'ENOENT') return;
    log.error({ file, err: error }, `the WARC file ${basename(file)} of a worker that has died was not seen to: ${reasonOf(error)}`);
  }
}
