/**
 * Makes a damaged folder of LevelDB whole, by LevelDB's own repair.
 *
 * ```
 * (damaged blocks are left out) ─► LevelDB's repair ─► drop entries that are not what was written ─► put the tables in order
 * ```
 *
 * What LevelDB puts aside stands in `lost` in the folder, until the next repair. The folder must not be open.
 * Source: https://github.com/google/leveldb/blob/main/db/repair.cc. It puts the tables in the order of their numbers, in which an older
 * value can hide a newer one, until they are put together.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { rememberWhole } from './check/inspect.ts';
import { COMPLETE } from './journal.ts';
import { unseal } from './seal.ts';

export interface Repaired {
  /** that are left */
  readonly entries: number;
  /** that were there, and not what was written */
  readonly dropped: number;
}

const DROP_AT_ONCE = 1000;
/** Before and behind all keys. */
const FIRST = '';
const LAST = '\uffff';

/**
 * Of a folder whose damage was left out.
 *
 * @param stray tables that are no part of the database, which LevelDB's repair would take for one
 * @throws LevelDB's error
 */
export async function repairFolder(path: string, stray: readonly string[]): Promise<Repaired> {
  for (const name of stray) await rm(join(path, name), { force: true });
  await rm(join(path, 'lost'), { recursive: true, force: true });
  await ClassicLevel.repair(path);
  const level = new ClassicLevel(path);
  await level.open();
  try {
    const repaired = await dropDamaged(level);
    await level.compactRange(FIRST, LAST);
    return repaired;
  } finally {
    await level.close();
    await rememberWhole(path);
  }
}

/** Entries whose value is not the one that was written with their key. */
async function dropDamaged(level: ClassicLevel): Promise<Repaired> {
  let entries = 0;
  let dropped = 0;
  let keys: string[] = [];
  const drop = async () => {
    await level.batch(keys.map((key) => ({ type: 'del', key })));
    dropped += keys.length;
    keys = [];
  };
  for await (const [key, value] of level.iterator()) {
    // What a journal says may be among what is lost: after a crash the index has to be read as a whole.
    if (key.endsWith(COMPLETE)) await level.del(key);
    else if (unseal(key, value) === undefined) keys.push(key);
    else entries++;
    if (keys.length >= DROP_AT_ONCE) await drop();
  }
  await drop();
  return { entries, dropped };
}
