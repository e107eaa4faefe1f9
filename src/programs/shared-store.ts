/**
 * The store of `--store`, which many machines share, as options name it.
 */
import { AuthFileError, readOwnFile } from '../auth/auth-file.ts';
import { OptionError } from '../options/error.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import type { Database, Databases } from '../store/level/database.ts';
import { storeAddress, type StoreAddress } from '../store/valkey/address.ts';
import type { SharedStore } from '../store/valkey/open.ts';
import type { Log } from '../util/log.ts';

export interface SharedStoreParts {
  readonly options: Pick<ResolvedCoreOptions, 'store' | 'storePasswordFile' | 'dedupDbFile' | 'statsDbFile'>;
  /** opens the database of a folder */
  readonly database: (folder: string) => Promise<Database | undefined>;
  /** closes it */
  readonly databases: Databases;
  /** paths of the WARC files that are open */
  readonly openFiles: ReadonlySet<string>;
  readonly log: Log;
}

/** @returns undefined without one; @throws OptionError, or StoreError when it cannot be used */
export async function sharedStore({ options, database, databases, openFiles, log }: SharedStoreParts): Promise<SharedStore | undefined> {
  const address = await addressOf(options, log);
  if (address === undefined) return undefined;
  const folder = options.dedupDbFile || options.statsDbFile;
  const local = folder === false ? undefined : await database(folder);
  if (local === undefined)
    throw new OptionError('store', options.store, '--dedup-db-file or --stats-db-file to name a folder, as it has nothing to share');
  const { openSharedStore } = await import('../store/valkey/open.ts');
  const shared = await openSharedStore({ address, database: local, openFiles, log });
  databases.join(shared);
  return shared;
}

async function addressOf({ store, storePasswordFile: file }: SharedStoreParts['options'], log: Log): Promise<StoreAddress | undefined> {
  const address = store === undefined ? undefined : storeAddress(store);
  if (file === undefined) return address;
  if (address === undefined) throw new OptionError('storePasswordFile', file, '--store beside it, which names the store');
  if (address.password !== undefined) throw new OptionError('storePasswordFile', file, 'no password in the URL of --store as well');
  return { ...address, password: await passwordIn(file, log) };
}

/** @throws OptionError for a file that cannot be used */
async function passwordIn(file: string, log: Log): Promise<string> {
  try {
    const password = (await readOwnFile(file, 'the password of the store', log)).replace(/\r?\n$/, '');
    if (password === '' || /[\r\n]/.test(password)) throw new AuthFileError('a file with one line, the password of the store');
    return password;
  } catch (error) {
    if (!(error instanceof AuthFileError)) throw error;
    throw new OptionError('storePasswordFile', file, error.expected);
  }
}
