/**
 * One folder of LevelDB: made, looked at, repaired where it is damaged, and opened.
 *
 * Never lets LevelDB begin a new database in a folder that holds something else: it would delete files whose names look like its own.
 * Source: classic-level 3; for the file names https://github.com/google/leveldb/blob/main/doc/impl.md.
 */
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel, type OpenOptions } from 'classic-level';
import { makeFolders } from '../../util/folder.ts';
import type { Log } from '../../util/log.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { DatabaseError } from '../errors.ts';
import { inspectFolder, leaveOut, rememberWhole, type Damage } from './check/inspect.ts';
import { ownerOf } from './owner.ts';
import { repairFolder } from './repair.ts';

/** How LevelDB is opened; what is left out is its own default. */
export type Tuning = Pick<OpenOptions, 'cacheSize' | 'writeBufferSize' | 'maxFileSize' | 'maxOpenFiles'>;

export interface FolderParts {
  /** as it was given */
  readonly folder: string;
  /** the one path of it */
  readonly path: string;
  readonly tuning: Tuning;
  readonly log: Log;
}

/** What may be in a folder whose database was never finished: the file CURRENT is made last. */
const UNFINISHED = /^(?:LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.dbtmp)$/;
const MANIFEST = /^MANIFEST-\d+$/;
const OF_LEVELDB =
  /^(?:LOCK|LOG|LOG\.old|CURRENT|MANIFEST-\d+|\d+\.(?:dbtmp|log|ldb|sst)|lost|warctap-whole-files\.json|warctap-\w+\.filter(?:\.tmp)?)$/;

/**
 * Make the folder if there is none.
 *
 * @returns its one path
 * @throws DatabaseError when it cannot be a database
 */
export async function prepareFolder(folder: string): Promise<string> {
  await makeFolders(folder).catch((error: unknown) => {
    throw unusable(folder, error);
  });
  return pathOf(folder).path;
}

/** @returns its one path; @throws DatabaseError when there is no database, or something else beside it */
export function existingFolder(folder: string): string {
  const { path, names } = pathOf(folder);
  if (!names.some(isOfLevel)) throw new DatabaseError('DATABASE_FOREIGN', folder, 'is no database: the folder is empty; name another one');
  return path;
}

/**
 * Open what is whole, or has become so.
 *
 * @param thorough look also at tables that were whole before
 * @throws DatabaseError when another process has it, or it cannot be used
 */
export async function openWhole({ folder, path, tuning, log }: FolderParts, thorough = false): Promise<ClassicLevel> {
  const { damages, stray, interrupted } = await inspectFolder(path, thorough);
  await leaveOut(path, damages);
  const level = await openUnlessDamaged(folder, path, tuning);
  if (level instanceof ClassicLevel && damages.length === 0) return opened(level, path, interrupted);
  if (level instanceof ClassicLevel) await level.close();
  const told = level instanceof ClassicLevel || damages.length > 0 ? toldOf(damages) : level.told;
  log.warn({ database: folder }, `database ${folder} is damaged (${told}) and is being repaired`);
  const { entries, dropped } = await repairFolder(path, stray).catch((error: unknown) => {
    throw beyondRepair(folder, told, error);
  });
  const lost = dropped === 0 ? '' : ` ${dropped} that were not what was written were dropped;`;
  log.error(
    { database: folder, entries, dropped },
    `database ${folder} was damaged (${told}) and has been repaired: ${entries} entries are left,${lost} what stood in the damaged parts is lost; ` +
      'entries of the deduplication and playback indexes are put back by warctap store rebuild',
  );
  const again = await openUnlessDamaged(folder, path, tuning);
  if (again instanceof ClassicLevel) return opened(again, path, false);
  throw beyondRepair(folder, again.told, again.error);
}

/** `000005.ldb: 2 of 781 blocks; 000006.log: 120 of 4000 bytes` */
export function toldOf(damages: readonly Damage[]): string {
  return damages.map(({ file, told }) => `${file}: ${told}`).join('; ');
}

async function opened(level: ClassicLevel, path: string, interrupted: boolean): Promise<ClassicLevel> {
  await rememberWhole(path, interrupted).catch(() => undefined);
  return level;
}

interface Unopened {
  readonly told: string;
  readonly error: unknown;
}

/** LevelDB takes the lock first of all: whatever else is wrong is told of only when no other process has the folder. */
async function openUnlessDamaged(folder: string, path: string, tuning: Tuning): Promise<ClassicLevel | Unopened> {
  const isNew = readdirSync(path).every((name) => UNFINISHED.test(name));
  const level = new ClassicLevel(path, { createIfMissing: isNew });
  try {
    await level.open(tuning);
    return level;
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const code = codeOf(cause);
    const told = reasonOf(cause);
    if (code === 'LEVEL_LOCKED') throw locked(folder, path, error);
    if (code === 'LEVEL_CORRUPTION' || told.endsWith('No such file or directory')) return { told, error };
    if (told.endsWith('(create_if_missing is false)')) return { told: 'the file CURRENT is missing', error };
    throw new DatabaseError('DATABASE_UNUSABLE', folder, `cannot be opened: ${told}`, error);
  }
}

function beyondRepair(folder: string, told: string, error: unknown): DatabaseError {
  return new DatabaseError(
    'DATABASE_DAMAGED',
    folder,
    `is damaged (${told}), and LevelDB's repair failed; move it away to begin a new one`,
    error,
  );
}

/** @throws DatabaseError when it is a file, or holds something that LevelDB did not make */
function pathOf(folder: string): { readonly path: string; readonly names: readonly string[] } {
  let names: string[];
  let path: string;
  try {
    path = realpathSync(folder);
    names = readdirSync(path);
  } catch (error) {
    throw unusable(folder, error);
  }
  const other = names.includes('CURRENT') ? undefined : names.find((name) => !isOfLevel(name));
  // A log or a table alone may be anybody's.
  const stray = names.some((name) => name === 'CURRENT' || MANIFEST.test(name)) ? undefined : names.find((name) => !UNFINISHED.test(name));
  const foreign = other ?? stray;
  if (foreign === undefined) return { path, names };
  throw new DatabaseError(
    'DATABASE_FOREIGN',
    folder,
    `is no database: the folder holds other things, such as ${JSON.stringify(foreign)}; name another one`,
  );
}

function isOfLevel(name: string): boolean {
  return OF_LEVELDB.test(name);
}

function locked(folder: string, path: string, error: unknown): DatabaseError {
  return new DatabaseError(
    'DATABASE_LOCKED',
    folder,
    `is in use by ${ownerOf(join(path, 'LOCK'))}; stop that one, or name another folder`,
    error,
  );
}

function unusable(folder: string, error: unknown): DatabaseError {
  const code = codeOf(error);
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return new DatabaseError('DATABASE_FOREIGN', folder, 'is a file; name a folder', error);
  }
  return new DatabaseError('DATABASE_UNUSABLE', folder, `cannot be opened: ${reasonOf(error)}`, error);
}
