/**
 * A worker for a queue manager: a core in this process, and what asks it for pages.
 *
 *   manager ─ URLs ─► worker ─ Core.fetch ─► origin, WARC files
 *           ◄─ reports ─
 */
import { EventEmitter } from 'node:events';
import type { QueueWorkerSlice } from '../options/rows/queue.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { nameOf } from '../queue/access.ts';
import { givenUrls, type GivenUrls } from '../queue/worker/given-urls.ts';
import { managerAt, ManagerAwayError, jsonOf } from '../queue/worker/manager.ts';
import { Outbox } from '../queue/worker/outbox.ts';
import type { FetchPage } from '../queue/worker/page.ts';
import { robots } from '../queue/worker/robots.ts';
import { visit } from '../queue/worker/visit.ts';
import { Worker, type WorkerState } from '../queue/worker/worker.ts';
import type { Log } from '../util/log.ts';
import { reasonOf, allInOrder } from '../util/thrown.ts';
import { readVersion } from '../util/version.ts';
import type { Core, CoreEvents } from './core.ts';
import { openCore } from './open-core.ts';
import type { Figures } from './figures.ts';

export interface QueueWorkerParts {
  readonly options: QueueWorkerSlice & ResolvedCoreOptions;
  readonly key: string;
  /** to be fetched in place of what the manager hands out */
  readonly urls?: Iterable<string> | AsyncIterable<string>;
  readonly log: Log;
}

/** Of statistics. */
const BUCKET = 'heroshi';

export class QueueWorker extends EventEmitter<CoreEvents> implements AsyncDisposable {
  readonly manager: string;
  readonly name: string;
  readonly warcDir: string;
  readonly #core: Core;
  readonly #worker: Worker;
  readonly #given: GivenUrls | undefined;
  #closing: Promise<void> | undefined;

  constructor(manager: string, name: string, core: Core, worker: Worker, given: GivenUrls | undefined) {
    super();
    this.manager = manager;
    this.name = name;
    this.warcDir = core.warcDir;
    this.#core = core;
    this.#worker = worker;
    this.#given = given;
    core.on('capture', (capture) => this.emit('capture', capture));
    core.on('fatal', (error) => this.emit('fatal', error));
  }

  /** There is nothing more to do. Rejects when the manager refuses. */
  get ended(): Promise<void> {
    return this.#worker.ended;
  }

  /** What has been archived. */
  figures(): Figures {
    return this.#core.figures();
  }

  get state(): WorkerState {
    return this.#worker.state;
  }

  /** Finish what runs, deliver the reports, give back the rest, close all files. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#given?.close();
    await allInOrder([() => this.#worker.close(), () => this.#core.close()]);
  }
}

/** @throws OptionError, ManagerRefusalError, or an error whose message is one line, when it cannot start; a manager that is away is waited for */
export async function startQueueWorker({ options, key, urls, log }: QueueWorkerParts): Promise<QueueWorker> {
  const call = managerAt(options.manager, key);
  try {
    await jsonOf(await call('/worker'));
  } catch (error) {
    if (!(error instanceof ManagerAwayError)) throw error;
    log.warn({}, `waiting for the manager: ${reasonOf(error)}`);
  }
  const name = nameOf(key);
  const core = await openCore({ options, log });
  const fetch = fetchOf(core, name);
  const userAgent = options.userAgent ?? `heroshi-worker/${readVersion()} (warctap)`;
  let worker: Worker | undefined;
  try {
    const outbox = await Outbox.open({
      call,
      file: options.outbox,
      log,
      onDelivered: () => worker?.wake(),
      onRefused: (error) => worker?.fail(error),
    });
    const parts = { fetch, robots: robots(fetch, userAgent), userAgent, follow: options.follow };
    const { connections, perHost, untilEmpty } = options;
    const given = urls && givenUrls(urls, call, () => worker?.isQuiet ?? true);
    worker = new Worker({
      call: given?.call ?? call,
      outbox,
      visit: (item, stop) => visit(parts, item, stop),
      connections,
      perHost,
      untilEmpty,
      log,
    });
    // Whoever waits for its end hears of it; nobody else has to.
    worker.ended.catch(() => undefined);
    return new QueueWorker(options.manager, name, core, worker, given);
  } catch (error) {
    await core.close();
    throw error;
  }
}

/** Pages are told apart in statistics and the crawl log by who has fetched them. */
function fetchOf(core: Core, name: string): FetchPage {
  const meta = { stats: { buckets: [BUCKET, `worker-${name}`] }, metadata: { worker: name } };
  return (url, init) => core.fetch(url, { ...init, meta });
}
