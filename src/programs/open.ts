/**
 * What has to be there before a core can be put together: opened in order, and closed again when a later thing cannot be.
 */
import { hostname as machineName, tmpdir } from 'node:os';
import { OptionError } from '../options/error.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { warcFolders } from '../options/warc-dir.ts';
import type { CrawlLogSlice } from '../options/rows/logs-and-settings.ts';
import type { WarcSlice } from '../options/rows/warc-files.ts';
import { loadPlugins, PluginError, type LoadedPlugins } from '../archive/plugin-loader.ts';
import { PLUGIN_TIMEOUT_MS } from '../archive/plugins.ts';
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
import { loadLock, lockIfPossible, type FileLock } from '../warc/write/output.ts';
import { openStores, type Stores } from './stores.ts';

export interface Opened extends Stores {
  /** closed with the WARC files */
  readonly encoder: Encoder;
  readonly template: NameTemplate;
  /** closed with the WARC files */
  readonly indexes: Indexes | undefined;
  /** told of the WARC files that are closed; closed after them */
  readonly finished: Finished | undefined;
  readonly lock: FileLock;
  readonly plugins: LoadedPlugins;
}

export interface OpenOptions {
  readonly options: ResolvedCoreOptions;
  /** keep an index that playback finds captures by */
  readonly playbackIndex: boolean;
  /** those of another process, which has opened and repaired everything; by default they are opened here */
  readonly stores?: Stores | undefined;
  readonly version: string;
  readonly log: Log;
}

/** @throws OptionError, or an error whose message is one line */
export async function openParts({ options, playbackIndex, stores: theirs, version, log }: OpenOptions): Promise<Opened> {
  const hostname = machineName();
  const encoder = createEncoder(options.gzip ? 'gzip' : 'none');
  const template = templateOf(options, encoder.suffix, hostname);
  const lock = lockOf(options);
  await prepareFolders(options);
  const stores = theirs ?? (await openStores({ options, playbackIndex, lock, log }));
  try {
    const indexes = indexesOf(options, log);
    // Of many processes the one with the stores does that, which knows the open files of all.
    if (theirs === undefined) await indexes?.makeMissing((path) => stores.openFiles.has(path));
    const finished = theirs === undefined ? await openFinished(options, log) : undefined;
    const plugins = await pluginsOf(options, version, log);
    return { encoder, indexes, finished, template, lock: lockFor(options, lock), ...stores, plugins };
  } catch (error) {
    await stores.databases.close();
    throw error;
  }
}

/** Undefined where none are made. */
export function indexesOf(options: WarcSlice, log: Log): Indexes | undefined {
  const { dir, indexes: folder } = warcFolders(options);
  return options.cdxj || folder !== undefined ? new Indexes({ dir, subdirPrefix: options.subdirPrefix, folder, log }) : undefined;
}

/** What a writer of WARC files does with locks. @param lock undefined where there are none */
export function lockFor({ noWarcOpenSuffix }: WarcSlice, lock: FileLock | undefined): FileLock {
  if (lock === undefined) return () => true;
  return noWarcOpenSuffix ? lock : lockIfPossible(lock);
}

/** The folders that are written to are there, and can be. @throws OptionError or WarcOptionError */
export async function prepareFolders(options: ResolvedCoreOptions): Promise<void> {
  const { dir, indexes } = warcFolders(options);
  await prepareFolder(dir);
  if (indexes !== undefined) await prepareIndexes(indexes);
  await prepareTemporaryFolder();
  await prepareCrawlLogs(options);
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
export function lockOf({ noWarcOpenSuffix }: WarcSlice): FileLock | undefined {
  try {
    return loadLock();
  } catch (error) {
    if (!noWarcOpenSuffix) return undefined;
    throw new WarcOptionError(`--no-warc-open-suffix: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws OptionError */
export function templateOf(options: WarcSlice, suffix: string, hostname: string): NameTemplate {
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
