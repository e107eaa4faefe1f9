/**
 * The crawl server: jobs and settings in a database, a core that fetches and archives, and the listener by which clients reach them.
 *
 *   listener ─ log-in ─ WebSocket ─► commands ─► settings, jobs ─ Core.fetch ─► origin, WARC files
 */
import { EventEmitter } from 'node:events';
import { hostname as machineName } from 'node:os';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import { SecretBox } from '../auth/secret-box.ts';
import { createAuthenticator } from '../auth/authenticator.ts';
import { CrawlServer } from '../crawl/api/server.ts';
import type { Render } from '../crawl/jobs/render.ts';
import type { Jobs } from '../crawl/jobs/types.ts';
import { loadOf } from '../crawl/monitor/load.ts';
import { Resources } from '../crawl/monitor/resources.ts';
import { scheduledJobs } from '../crawl/scheduled-jobs.ts';
import { Scheduler } from '../crawl/settings/scheduler.ts';
import { openSettings, type Settings } from '../crawl/settings/settings.ts';
import type { Changes } from '../options/changes.ts';
import type { CrawlSlice } from '../options/rows/crawl.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { Listener } from '../serve/listener.ts';
import { DatabaseError } from '../store/errors.ts';
import { Databases } from '../store/level/database.ts';
import { makeFolders } from '../util/folder.ts';
import type { Log } from '../util/log.ts';
import { isLoopback } from '../util/network.ts';
import { allInOrder } from '../util/thrown.ts';
import { timeOfDayMs } from '../util/time-of-day.ts';
import { crawlHandler } from './crawl-handler.ts';
import { CRAWL_TUNING, openJobs as jobsOnCore } from './crawl-jobs.ts';
import { CrawlRenderer } from './crawl-render.ts';
import type { Core, CoreEvents } from './core.ts';
import { openCore } from './open-core.ts';
import { CrawlReload } from './crawl-reload.ts';
import { crawlUsers, usersFile, type FirstAccount } from './crawl-users.ts';
import type { Figures } from './figures.ts';
import { handlesFor, tellOfHandles } from './handles.ts';
import { listenAt } from './listening.ts';
import { readTlsFiles } from './tls-files.ts';

export interface CrawlParts {
  readonly options: CrawlSlice & ResolvedCoreOptions;
  readonly adminPassword: string | undefined;
  /** of tests; the jobs that fetch through the core by default */
  readonly openJobs?: OpenJobs;
  readonly log: Log;
}

/** Opens the jobs of a database. */
export type OpenJobs = (parts: JobsParts) => Promise<Jobs>;

export interface JobsParts {
  readonly level: ClassicLevel;
  readonly settings: Settings;
  readonly core: Core;
  readonly render: Render;
  readonly options: CrawlSlice & ResolvedCoreOptions;
  readonly log: Log;
}

/** Frames of the resource monitor that are kept, one a second. */
const HISTORY = 300;
const OWNER_ONLY = 0o700;

type Closing = () => Promise<void> | void;

/** What it is put together from. */
interface CrawlRooms {
  readonly reload: CrawlReload;
  readonly folder: string;
  readonly first: FirstAccount | undefined;
  readonly jobs: Jobs;
  readonly settings: Settings;
  readonly core: Core;
  readonly listener: Listener;
  readonly scheme: 'http' | 'https';
  /** in the order in which they are closed */
  readonly steps: readonly Closing[];
}

export class CrawlProgram extends EventEmitter<CoreEvents> implements AsyncDisposable {
  /** folder of the database */
  readonly folder: string;
  readonly warcDir: string;
  /** made at this start */
  readonly first: FirstAccount | undefined;
  readonly jobs: Jobs;
  readonly settings: Settings;
  readonly #core: Core;
  readonly #listener: Listener;
  readonly #scheme: string;
  readonly #steps: readonly Closing[];
  readonly #reload: CrawlReload;
  #closing: Promise<void> | undefined;

  constructor({ reload, folder, first, jobs, settings, core, listener, scheme, steps }: CrawlRooms) {
    super();
    this.folder = folder;
    this.first = first;
    this.jobs = jobs;
    this.settings = settings;
    this.warcDir = core.warcDir;
    this.#core = core;
    this.#listener = listener;
    this.#scheme = scheme;
    this.#steps = steps;
    this.#reload = reload;
    core.on('capture', (capture) => this.emit('capture', capture));
    core.on('fatal', (error) => this.emit('fatal', error));
  }

  /** Such as `http://127.0.0.1:8010`, or with https. */
  get url(): string {
    const { address: bound } = this.#listener;
    if (bound === undefined) throw new Error('not listening');
    return `${this.#scheme}://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
  }

  /** What has been archived. */
  figures(): Figures {
    return this.#core.figures();
  }

  /** Take over what is reloadable, all of it or, with an error, nothing. One call at a time. @throws OptionError */
  reload(options: CrawlSlice & ResolvedCoreOptions): Promise<Changes> {
    return this.#reload.to(options);
  }

  /** Take no more requests, pause the jobs, write everything. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= allInOrder(this.#steps);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Open everything, then listen.
 *
 * @throws OptionError, DatabaseError, KeyFileError, or an error whose message is one line, when it cannot start
 */
export async function startCrawl(parts: CrawlParts): Promise<CrawlProgram> {
  const steps: Closing[] = [];
  const opened = (step: Closing) => void steps.unshift(step);
  try {
    return await start(parts, opened, steps);
  } catch (error) {
    await allInOrder(steps).catch(() => undefined);
    throw error;
  }
}

async function start(
  { options, adminPassword, openJobs = jobsOnCore, log }: CrawlParts,
  opened: (step: Closing) => void,
  steps: Closing[],
): Promise<CrawlProgram> {
  const { db: folder } = options;
  const secure = await readTlsFiles(options);
  const scheme = secure === undefined ? 'http' : 'https';
  await makeFolders(folder, OWNER_ONLY).catch(() => undefined);
  const databases = new Databases(log);
  opened(() => databases.close());
  const level = await openLevel(databases, join(folder, 'database'));
  const { users, first } = await crawlUsers({ file: usersFile(options), adminPassword, log });
  const box = await SecretBox.open(join(folder, 'secrets.key'), true);
  const settings = await openSettings({ level, box, now: timeOfDayMs });

  const wanted = {
    maxConnections: options.maxConnections,
    playback: false,
    maxExchanges: options.maxThreads,
    crawlLogs: options.crawlLogDir !== undefined,
  };
  const handles = handlesFor(wanted);
  const later: { listener?: Listener; renderer?: CrawlRenderer } = {};
  const listening = () => [later.listener?.address, ...(later.renderer?.listening ?? [])].filter((address) => address !== undefined);
  const core = await openCore({ options, log, handles, listening, playbackIndex: true });
  opened(() => core.close());
  const renderer = (later.renderer = new CrawlRenderer({ core, options, log }));
  opened(() => renderer.close());
  const jobs = await openJobs({ level, settings, core, render: renderer.render, options, log });
  opened(() => jobs.close());

  const resources = new Resources({ load: () => loadOf(jobs), history: HISTORY, now: timeOfDayMs, log });
  opened(() => resources.close());
  const scheduler = new Scheduler({ schedules: settings.schedules, jobs: scheduledJobs(jobs, settings.policies), now: timeOfDayMs, log });
  opened(() => scheduler.close());

  const authenticator = createAuthenticator({ users, challenge: 'Basic realm="Crawler"' });
  const server = new CrawlServer({ jobs, settings, resources, maxRequest: options.maxRequest, log });
  const hostNames = [options.address, machineName(), ...options.pageHost];
  const listener = (later.listener = new Listener({
    handler: crawlHandler({ server, jobs, authenticator, hostNames, replayUrl: options.replayUrl, log }),
    secureContexts: () => Promise.reject(new Error('there are no tunnels here')),
    secure,
    maxConnections: handles.maxConnections,
    socketTimeoutMs: options.socketTimeout * 1000,
    headTimeoutMs: options.headTimeout * 1000,
    minRate: { bytesPerSecond: options.minRate, windowMs: options.socketTimeout * 1000 },
    heads: core.heads,
    log,
  }));
  opened(() => listener.close());
  opened(() => server.close());
  opened(() => listener.stop());
  const reload = new CrawlReload({ options, core, authenticator, log });
  const program = new CrawlProgram({ reload, folder, first, jobs, settings, core, listener, scheme, steps });
  const { port, address } = options;
  await listenAt(listener, { address: address === 'localhost' ? '127.0.0.1' : address, port, portFlag: '--port' });
  if (secure === undefined && !isLoopback(listener.address?.address ?? ''))
    log.warn({ address }, 'passwords come in the clear from other machines: --tls-cert and --tls-key speak TLS');
  tellOfHandles(wanted, handles, log);
  return program;
}

async function openLevel(databases: Databases, folder: string): Promise<ClassicLevel> {
  await makeFolders(folder, OWNER_ONLY).catch(() => undefined);
  try {
    return (await databases.open(folder, CRAWL_TUNING)).level();
  } catch (error) {
    throw error instanceof DatabaseError ? error.withFlags('--db') : error;
  }
}
