/**
 * LevelDB folders: each opened once, shared by the stores in it as a section each, all closed together.
 *
 * Owns the lock of every folder, so that no two processes use one at a time. Knows nothing of what the stores keep, and never lets LevelDB
 * begin a new database in a folder that holds something else: it would delete files whose names look like its own.
 * Source: classic-level 3; for the file names https://github.com/google/leveldb/blob/main/doc/impl.md.
 */
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel, type OpenOptions } from 'classic-level';
import { makeFolders } from '../../util/folder.ts';
import { codeOf, reasonOf, throwAll } from '../../util/thrown.ts';
import { ownerOf } from './owner.ts';

/** A database that cannot be used. The message is one line that names the folder and says what to do. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: 'DATABASE_LOCKED' | 'DATABASE_FOREIGN' | 'DATABASE_DAMAGED' | 'DATABASE_UNUSABLE';
  readonly folder: string;

  constructor(code: DatabaseError['code'], folder: string, problem: string, cause?: unknown) {
    super(`database ${folder} ${problem}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.folder = folder;
  }
}

const sublevel = (level: ClassicLevel, name: string) => level.sublevel(name);
type Sublevel = ReturnType<typeof sublevel>;

export type Change =
  { readonly type: 'put'; readonly key: string; readonly value: string } | { readonly type: 'del'; readonly key: string };

/**
 * A store's own part of a database: keys and values are UTF-8 text.
 *
 * What happens for every capture goes to the whole database with the prefix of the part, as one chained batch: that takes 10 µs a capture
 * instead of 15.
 */
export class Section {
  readonly #level: ClassicLevel;
  readonly #sublevel: Sublevel;
  readonly #prefix: string;

  constructor(level: ClassicLevel, name: string) {
    this.#level = level;
    this.#sublevel = sublevel(level, name);
    this.#prefix = this.#sublevel.prefix;
  }

  get(key: string): Promise<string | undefined> {
    return this.#sublevel.get(key);
  }

  /** @returns the values in the order of the keys, undefined for those that there are not */
  getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    return this.#level.getMany(keys.map((key) => this.#prefix + key));
  }

  /** All or nothing. */
  batch(changes: readonly Change[]): Promise<void> {
    const batch = this.#level.batch();
    for (const change of changes) {
      if (change.type === 'put') batch.put(this.#prefix + change.key, change.value);
      else batch.del(this.#prefix + change.key);
    }
    return batch.write();
  }

  iterator(): AsyncIterable<[string, string]> {
    return this.#sublevel.iterator();
  }

  values(range: { readonly gte: string; readonly lt: string; readonly reverse: boolean; readonly limit?: number }): AsyncIterable<string> {
    return this.#sublevel.values(range);
  }
}

/** An open database. */
export interface Database {
  /** as it was given */
  readonly folder: string;
  /** @param name lower-case letters and digits; the same name is the same section */
  readonly section: (name: string) => Section;
  /** the whole of it, for who is alone in the folder and keeps his keys apart himself */
  readonly level: ClassicLevel;
}

/** How LevelDB is opened; what is left out is its own default. */
export type Tuning = Pick<OpenOptions, 'cacheSize' | 'writeBufferSize' | 'maxFileSize' | 'maxOpenFiles'>;

export class Databases implements AsyncDisposable {
  readonly #open = new Map<string, Promise<ClassicLevel>>();
  readonly #flags: string;

  /** @param flags those that name the folders, for messages */
  constructor(flags = '--dedup-db-file and --stats-db-file') {
    this.#flags = flags;
  }

  /**
   * Open a folder, or create it. A folder that is open already, by whatever path, is shared.
   *
   * @throws DatabaseError when another process has it, it holds something else, or it is damaged
   */
  async open(folder: string, tuning: Tuning = {}): Promise<Database> {
    await makeFolders(folder).catch((error: unknown) => {
      throw unusable(folder, this.#flags, error);
    });
    const path = prepare(folder, this.#flags);
    const opened = this.#open.get(path) ?? openLevel(folder, path, this.#flags, tuning);
    this.#open.set(path, opened);
    try {
      const level = await opened;
      return { folder, section: (name) => new Section(level, name), level };
    } catch (error) {
      this.#open.delete(path);
      throw error;
    }
  }

  /** Close all folders. To be called when the stores have written what they hold. */
  async close(): Promise<void> {
    const levels = [...this.#open.values()];
    this.#open.clear();
    const ends = await Promise.allSettled(levels.map(async (level) => (await level).close()));
    const errors = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    throwAll(errors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What may be in a folder whose database was never finished: the file CURRENT is made last. */
const UNFINISHED = /^(?:LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.dbtmp)$/;

/** @returns the one path of the folder */
function prepare(folder: string, flags: string): string {
  let names: string[];
  let path: string;
  try {
    path = realpathSync(folder);
    names = readdirSync(path);
  } catch (error) {
    throw unusable(folder, flags, error);
  }
  if (names.includes('CURRENT')) return path;
  const other = names.find((name) => !UNFINISHED.test(name));
  if (other === undefined) return path;
  if (names.some((name) => name.startsWith('MANIFEST-'))) {
    throw new DatabaseError('DATABASE_DAMAGED', folder, 'is damaged (the file CURRENT is missing); move it away to begin a new one');
  }
  throw new DatabaseError(
    'DATABASE_FOREIGN',
    folder,
    `is no database: the folder holds other things, such as ${JSON.stringify(other)}; name another one with ${flags}`,
  );
}

function unusable(folder: string, flags: string, error: unknown): DatabaseError {
  const code = codeOf(error);
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return new DatabaseError('DATABASE_FOREIGN', folder, `is a file; name a folder, existing or not, with ${flags}`, error);
  }
  return new DatabaseError('DATABASE_UNUSABLE', folder, `cannot be opened: ${reasonOf(error)}`, error);
}

function locked(folder: string, path: string, flags: string, error: unknown): DatabaseError {
  const owner = ownerOf(join(path, 'LOCK'));
  return new DatabaseError('DATABASE_LOCKED', folder, `is in use by ${owner}; stop that one, or name another folder with ${flags}`, error);
}

async function openLevel(folder: string, path: string, flags: string, tuning: Tuning): Promise<ClassicLevel> {
  const level = new ClassicLevel(path);
  try {
    await level.open(tuning);
    return level;
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const code = codeOf(cause);
    const reason = reasonOf(cause);
    if (code === 'LEVEL_LOCKED') throw locked(folder, path, flags, error);
    if (code === 'LEVEL_CORRUPTION' || reason.endsWith('No such file or directory')) {
      throw new DatabaseError('DATABASE_DAMAGED', folder, `is damaged (${reason}); move it away to begin a new one`, error);
    }
    throw new DatabaseError('DATABASE_UNUSABLE', folder, `cannot be opened: ${reason}`, error);
  }
}
