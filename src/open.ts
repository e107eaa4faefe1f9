/**
 * What has to be there before a proxy can be put together: opened in order, and closed again when a later thing cannot be.
 */
import { hostname as machineName } from 'node:os';
import { loadOrCreateCa, type CertificateAuthority } from './ca/authority.ts';
import { openLeafStore, type LeafStore } from './ca/contexts.ts';
import { OptionError } from './options/error.ts';
import type { ResolvedOptions } from './options/table.ts';
import { loadPlugins, PluginError, type LoadedPlugins } from './postfetch/plugin-loader.ts';
import { PLUGIN_TIMEOUT_MS } from './postfetch/plugins.ts';
import { Databases, type Section } from './store/database.ts';
import { DedupStore } from './store/dedup-store.ts';
import { playbackIndex, type PlaybackIndex } from './store/playback-index.ts';
import { StatsStore } from './store/stats-store.ts';
import type { Log } from './util/log.ts';
import { WarcOptionError } from './warc/errors.ts';
import { nameTemplate, type NameTemplate } from './warc/filename.ts';
import { prepareFolder } from './warc/folder.ts';
import { loadLock, type OutputOptions } from './warc/output.ts';

export interface Opened {
  readonly ca: CertificateAuthority;
  readonly leaves: LeafStore;
  readonly template: NameTemplate;
  readonly lock: OutputOptions['lock'];
  readonly databases: Databases;
  /** undefined when the feature is switched off */
  readonly dedup: DedupStore | undefined;
  readonly stats: StatsStore | undefined;
  readonly playback: PlaybackIndex | undefined;
  readonly plugins: LoadedPlugins;
}

/** Of the playback index when no other database is used. */
const DATABASE = './warctap.db';

/** @throws OptionError, or an error whose message is one line */
export async function openAll(options: ResolvedOptions, version: string, log: Log): Promise<Opened> {
  const hostname = machineName();
  const template = templateOf(options, hostname);
  const lock = options.noWarcOpenSuffix ? loadLock() : () => true;
  await prepareFolder(options.dir);
  const ca = await loadOrCreateCa({ file: options.cacert, hostname, log });
  const leaves = await openLeafStore({ ca, dir: options.certsDir, log });
  const databases = new Databases();
  try {
    const section = async (folder: string | undefined, name: string): Promise<Section | undefined> =>
      folder === undefined ? undefined : (await databases.open(folder)).section(name);
    const dedup = await section(options.cdxserverDedup === undefined ? options.dedupDbFile : undefined, 'dedup');
    const stats = await section(options.statsDbFile, 'stats');
    const index = options.playbackPort !== undefined;
    const playback = await section(index ? (options.dedupDbFile ?? options.statsDbFile ?? DATABASE) : undefined, 'playback');
    return {
      ca,
      leaves,
      template,
      lock,
      databases,
      dedup: dedup && new DedupStore(dedup),
      stats: stats && new StatsStore({ section: stats, log }),
      playback: playback && playbackIndex(playback),
      plugins: await pluginsOf(options, version, log),
    };
  } catch (error) {
    await leaves.close();
    await databases.close();
    throw error;
  }
}

function templateOf(options: ResolvedOptions, hostname: string): NameTemplate {
  try {
    return nameTemplate(options.warcFilename, options.gzip, hostname);
  } catch (error) {
    if (!(error instanceof WarcOptionError)) throw error;
    throw new OptionError('warcFilename', options.warcFilename, `a usable template for file names (this one has ${error.message})`);
  }
}

async function pluginsOf(options: ResolvedOptions, version: string, log: Log): Promise<LoadedPlugins> {
  try {
    return await loadPlugins({ modules: options.plugin, cwd: process.cwd(), options, version, timeoutMs: PLUGIN_TIMEOUT_MS, log });
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw new OptionError('plugin', error.module, error.expected);
  }
}
