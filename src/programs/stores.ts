/**
 * The stores of a core: LevelDB folders, opened, and rid of what points at records that a crash has taken.
 */
import { join } from 'node:path';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { warcFolders } from '../options/warc-dir.ts';
import type { DedupStore } from '../store/dedup.ts';
import { DatabaseError } from '../store/errors.ts';
import { Databases, type Database, type DatabaseState } from '../store/level/database.ts';
import { levelDedup } from '../store/level/dedup.ts';
import { KnownKeys } from '../store/level/known-keys.ts';
import { levelPlayback } from '../store/level/playback.ts';
import { LevelStatistics } from '../store/level/statistics.ts';
import type { PlaybackIndex } from '../store/playback.ts';
import type { AddingStatistics, StatisticsStore } from '../store/statistics.ts';
import type { Log } from '../util/log.ts';
import { sharedStore } from './shared-store.ts';
import { repairLeftovers } from '../warc/tools/leftovers.ts';
import type { FileLock } from '../warc/write/output.ts';

export interface Stores {
  readonly databases: { readonly states: readonly DatabaseState[]; close(): Promise<void> };
  /** undefined when the feature is switched off */
  readonly dedup: DedupStore | undefined;
  readonly stats: StatisticsStore | undefined;
  readonly playback: PlaybackIndex | undefined;
  /** paths of the WARC files that are open, below their folder: kept by who writes them, for the indexes */
  readonly openFiles: Set<string>;
}

/** Those of this process. */
export interface OwnStores extends Stores {
  readonly stats: AddingStatistics | undefined;
}

/** Of the playback index when no other database is used. */
const DATABASE = './warctap.db';

export interface StoreOptions {
  readonly options: ResolvedCoreOptions;
  /** keep an index that playback finds captures by */
  readonly playbackIndex: boolean;
  /** undefined where there are none */
  readonly lock: FileLock | undefined;
  readonly log: Log;
}

/** @throws DatabaseError */
export async function openStores({ options, playbackIndex, lock, log }: StoreOptions): Promise<OwnStores> {
  const databases = new Databases(log);
  const openFiles = new Set<string>();
  try {
    const database = async (folder: string | false): Promise<Database | undefined> =>
      folder === false ? undefined : await openNamed(databases, folder);
    const dedup = await database(options.cdxserverDedup === undefined && options.dedupDbFile);
    const stats = await database(options.statsDbFile);
    const playback = await database(playbackIndex && (options.dedupDbFile || options.statsDbFile || DATABASE));
    const shared = await sharedStore({ options, database, databases, openFiles, log });
    const section = shared === undefined ? dedup?.later('dedup') : undefined;
    const known = dedup && section && new KnownKeys({ section, file: join(dedup.folder, 'warctap-dedup.filter'), log });
    const stores = {
      dedup: dedup && (shared?.dedup ?? (section && levelDedup(section, { openFiles, known }))),
      playback: playback && levelPlayback(playback.later('playback'), openFiles),
    };
    await repairLeftovers({
      dir: warcFolders(options).dir,
      subdirPrefix: options.subdirPrefix,
      lock,
      drop: async (lost) => ((await stores.dedup?.drop(lost)) ?? 0) + ((await stores.playback?.drop(lost)) ?? 0),
      log,
    });
    if (known !== undefined) {
      await known.begin();
      dedup?.beforeClose(() => known.save());
    }
    return { databases, ...stores, stats: stats && (shared?.stats ?? statisticsIn(stats, log)), openFiles };
  } catch (error) {
    await databases.close();
    throw error;
  }
}

function statisticsIn(database: Database, log: Log): LevelStatistics {
  const statistics = new LevelStatistics({ section: database.section('stats'), log });
  database.shows(statistics);
  return statistics;
}

async function openNamed(databases: Databases, folder: string): Promise<Database> {
  try {
    return await databases.open(folder);
  } catch (error) {
    throw error instanceof DatabaseError ? error.withFlags('--dedup-db-file and --stats-db-file') : error;
  }
}
