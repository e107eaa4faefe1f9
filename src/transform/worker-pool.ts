/**
 * Takes jobs out of the queue and runs so many at a time, in the order in which they were submitted.
 *
 * Hears of new ones by the file system, and looks once a second all the same: that a worker of another process was killed tells nobody.
 */
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import { cleanUp, cleanUpFolders, sweepEveryMs } from './clean-up.ts';
import { folderEvents } from './folder-events.ts';
import type { Hex } from './job-id.ts';
import { runJob, type JobSettings } from './job-run.ts';
import type { JobStore } from './job-store.ts';

export interface WorkerPoolOptions {
  readonly store: JobStore;
  readonly workers: number;
  readonly settings: JobSettings;
  /** results are kept so long */
  readonly resultTtlSeconds: number;
  readonly log: Log;
}

const LOOK_MS = 1000;
/** A job whose result found no room on the disk is tried again after so long. */
const RETRY_MS = 10_000;

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #running = new Map<Hex, Promise<void>>();
  /** jobs that are left alone for a while */
  readonly #later = new Set<Hex>();
  readonly #stop = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #watcher: { close(): void } | undefined;
  #looking: Promise<void> | undefined;
  #again = false;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** @throws the system's error */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    const { store, resultTtlSeconds, log } = options;
    await cleanUpFolders(store);
    await cleanUp(store, resultTtlSeconds);
    pool.#watcher = folderEvents(store.queueDir, () => pool.#look(), log);
    pool.#timers.push(setInterval(() => pool.#look(), LOOK_MS));
    pool.#timers.push(
      setInterval(
        () =>
          void cleanUp(store, resultTtlSeconds).catch((error: unknown) => log.warn({ err: error }, `old results stay: ${reasonOf(error)}`)),
        sweepEveryMs(resultTtlSeconds),
      ),
    );
    pool.#look();
    return pool;
  }

  /** Jobs in progress go back to the queue. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#watcher?.close();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#looking;
    await Promise.all(this.#running.values());
  }

  #look(): void {
    this.#again = true;
    this.#looking ??= this.#takeAll().finally(() => (this.#looking = undefined));
  }

  async #takeAll(): Promise<void> {
    const { log } = this.#options;
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false;
      try {
        await this.#take();
      } catch (error) {
        log.error({ err: error }, `the queue cannot be read: ${reasonOf(error)}`);
      }
    }
  }

  async #take(): Promise<void> {
    const { store, workers } = this.#options;
    if (this.#running.size >= workers) return;
    for (const hex of await store.list()) {
      if (this.#running.size >= workers || this.#stop.signal.aborted) return;
      if (this.#running.has(hex) || this.#later.has(hex)) continue;
      const claim = await store.claim(hex);
      if (claim !== undefined) this.#running.set(hex, this.#run(claim));
    }
  }

  async #run(claim: NonNullable<Awaited<ReturnType<JobStore['claim']>>>): Promise<void> {
    const { store, settings, log } = this.#options;
    const { hex, record } = claim;
    try {
      await runJob(store, claim, settings, this.#stop.signal, log);
    } catch (error) {
      log.error({ err: error, job: record.id }, `a job stays in the queue, its result cannot be written: ${reasonOf(error)}`);
      this.#later.add(hex);
      setTimeout(() => this.#later.delete(hex), RETRY_MS).unref();
    } finally {
      await claim.release().catch(() => undefined);
      this.#running.delete(hex);
      this.#look();
    }
  }
}
