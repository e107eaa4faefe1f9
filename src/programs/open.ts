/**
 * What has to be there before a core can be put together: opened in order, and closed again when a later thing cannot be.
 */
import { hostname as machineName, tmpdir } from 'node:os';
import { join } from 'node:path';
import { OptionError } from '../options/error.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { warcFolders } from '../options/warc-dir.ts';
import type { CrawlLogSlice } from '../options/rows/logs-and-settings.ts';
import type { WarcSlice } from '../options/rows/warc-files.ts';
import { loadPlugins, PluginError, type LoadedPlugins } from '../archive/plugin-loader.ts';
import { PLUGIN_TIMEOUT_MS } from '../archive/plugins.ts';
import { Databases, type Database } from '../store/level/database.ts';
import type { DedupStore } from '../store/dedup.ts';
import { DatabaseError } from '../store/errors.ts';
import { levelDedup } from '../store/level/dedup.ts';
import { KnownKeys } from '../store/level/known-keys.ts';
import { levelPlayback } from '../store/level/playback.ts';
import { LevelStatistics } from '../store/level/statistics.ts';
import type { PlaybackIndex } from '../store/playback.ts';
import type { StatisticsStore } from '../store/statistics.ts';
import { makeWritable, proveWritable } from '../util/folder.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import type { Encoder } from '../warc/codec/codec.ts';
import { createEncoder } from '../warc/codec/encoders.ts';
import { WarcOptionError } from '../warc/errors.ts';
import { nameTemplate, type NameTemplate } from '../warc/write/filename.ts';
import { Indexes } from '../warc/write/indexes.ts';
import { openFinished } from './finished-steps.ts';
import type { Finished } from '../finished/finished.ts';
import { prepareFolder } from '../warc/write/folder.ts';
import { repairLeftovers } from '../warc/tools/leftovers.ts';
import { loadLock, lockIfPossible, type FileLock } from '../warc/write/output.ts';
import { sharedStore } from './shared-store.ts';

export interface Opened {
  /** closed with the WARC files */
  readonly encoder: Encoder;
  readonly template: NameTemplate;
  /** closed with the WARC files */
  readonly indexes: Indexes | undefined;
  /** told of the WARC files that are closed; closed after them */
  readonly finished: Finished | undefined;
  readonly lock: FileLock;
  readonly databases: Databases;
  /** undefined when the feature is switched off */
  readonly dedup: DedupStore | undefined;
  readonly stats: StatisticsStore | undefined;
  readonly playback: PlaybackIndex | undefined;
  readonly plugins: LoadedPlugins;
  /** paths of the WARC files that are open, below their folder: kept by who writes them, for the indexes */
  readonly openFiles: Set<string>;
}

/** Of the playback index when no other database is used. */
const DATABASE = './warctap.db';

export interface OpenOptions {
  readonly options: ResolvedCoreOptions;
  /** keep an index that playback finds captures by */
  readonly playbackIndex: boolean;
  readonly version: string;
  readonly log: Log;
}

/** @throws OptionError, or an error whose message is one line */
export async function openParts({ options, playbackIndex, version, log }: OpenOptions): Promise<Opened> {
  const hostname = machineName();
  const encoder = createEncoder(options.gzip ? 'gzip' : 'none');
  const template = templateOf(options, encoder.suffix, hostname);
  const lock = lockOf(options);
  const { dir, indexes: folder } = warcFolders(options);
  await prepareFolder(dir);
  if (folder !== undefined) await prepareIndexes(folder);
  await prepareTemporaryFolder();
  await prepareCrawlLogs(options);
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
      dir,
      subdirPrefix: options.subdirPrefix,
      lock,
      drop: async (lost) => ((await stores.dedup?.drop(lost)) ?? 0) + ((await stores.playback?.drop(lost)) ?? 0),
      log,
    });
    if (known !== undefined) {
      await known.begin();
      dedup?.beforeClose(() => known.save());
    }
    const indexes =
      options.cdxj || folder !== undefined ? new Indexes({ dir, subdirPrefix: options.subdirPrefix, folder, log }) : undefined;
    await indexes?.makeMissing((path) => openFiles.has(path));
    const finished = await openFinished(options, log);
    return {
      encoder,
      finished,
      indexes,
      template,
      lock: lock === undefined ? () => true : options.noWarcOpenSuffix ? lock : lockIfPossible(lock),
      databases,
      ...stores,
      stats: stats && (shared?.stats ?? statisticsIn(stats, log)),
      openFiles,
      plugins: await pluginsOf(options, version, log),
    };
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

/** Where bodies under way go: a proxy without it would fail with the first large one. */
async function prepareTemporaryFolder(): Promise<void> {
  const dir = tmpdir();
  try {
    await proveWritable(dir);
  } catch (error) {
    throw new WarcOptionError(`TMPDIR ${dir}: temporary files cannot be written there: ${reasonOf(error)}`, { cause: error });
  }
}

async function prepareIndexes(folder: string): Promise<void> {
  try {
    await makeWritable(folder);
  } catch (error) {
    throw new WarcOptionError(`--collection: indexes cannot be written to ${folder}: ${reasonOf(error)}`, { cause: error });
  }
}

async function prepareCrawlLogs({ crawlLogDir: dir }: CrawlLogSlice): Promise<void> {
  if (dir === undefined) return;
  try {
    await makeWritable(dir);
  } catch (error) {
    throw new OptionError('crawlLogDir', dir, `a folder that can be written to (${reasonOf(error)})`);
  }
}

/** @returns undefined where there are no locks, and they can be done without */
function lockOf({ noWarcOpenSuffix }: WarcSlice): FileLock | undefined {
  try {
    return loadLock();
  } catch (error) {
    if (!noWarcOpenSuffix) return undefined;
    throw new WarcOptionError(`--no-warc-open-suffix: ${(error as Error).message}`, { cause: error });
  }
}

function templateOf(options: WarcSlice, suffix: string, hostname: string): NameTemplate {
  try {
    return nameTemplate(options.warcFilename, suffix, hostname);
  } catch (error) {
    if (!(error instanceof WarcOptionError)) throw error;
    throw new OptionError('warcFilename', options.warcFilename, `a usable template for file names (this one has ${error.message})`);
  }
}

async function pluginsOf(options: ResolvedCoreOptions, version: string, log: Log): Promise<LoadedPlugins> {
  try {
    return await loadPlugins({ modules: options.plugin, cwd: process.cwd(), options, version, timeoutMs: PLUGIN_TIMEOUT_MS, log });
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw new OptionError('plugin', error.module, error.expected);
  }
}
