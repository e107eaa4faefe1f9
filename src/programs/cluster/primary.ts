/**
 * Many processes as one proxy: this one has the stores, the certificates' folder and the signals, the workers have the traffic.
 *
 * ```
 * clients ─► distributor ─► worker: listener ─ core ─ WARC files of its own
 *                              └─ wire ─► primary: dedup index with its claims, statistics, playback index
 * ```
 *
 * A worker that dies is replaced, once what it has left is seen to. Nothing is fetched or written here.
 */
import { EventEmitter } from 'node:events';
import { resolveOptions } from '../../options/resolve.ts';
import { changesOf, type Changes } from '../../options/changes.ts';
import { PROXY_OPTIONS, type ResolvedOptions, type WarctapOptions } from '../../options/table.ts';
import { warcFolders } from '../../options/warc-dir.ts';
import { pathBelow } from '../../warc/paths.ts';
import type { Log } from '../../util/log.ts';
import { KnownMoments } from '../../store/moments.ts';
import { momentsFor } from '../../store/remote/moments.ts';
import { oneForAll } from '../../util/one-for-all.ts';
import { allInOrder } from '../../util/thrown.ts';
import { readVersion } from '../../util/version.ts';
import { timeOfDay } from '../../util/time-of-day.ts';
import { usersOf } from '../access-files.ts';
import type { CoreEvents } from '../core-parts.ts';
import type { Figures } from '../figures.ts';
import type { FileLock } from '../../warc/write/output.ts';
import type { OwnStores } from '../stores.ts';
import { ClusterWatch } from './cluster-watch.ts';
import type { OpenPrimary } from './open-primary.ts';
import { recover } from './recovery.ts';
import { resultOf, type Done, type Door, type Outcome, type Started, type Task } from './said.ts';
import { shareOf } from './shares.ts';
import { Starter } from './starter.ts';
import { WorkerProcess } from './worker-process.ts';

export interface ClusterParts {
  /** options of the proxy */
  readonly given: WarctapOptions;
  /** more than one */
  readonly workers: number;
  /** the file that a worker runs */
  readonly entry: string;
  readonly logLevel: string;
  readonly log: Log;
  /** told of each line of a worker's log, JSON */
  readonly passOn: (line: string) => void;
}

export class ProxyCluster extends EventEmitter<CoreEvents> {
  readonly warcDir: string;
  /** rejects when workers die again and again */
  readonly ended: Promise<never>;
  readonly #parts: ClusterParts;
  readonly #stores: OwnStores;
  readonly #lock: FileLock | undefined;
  readonly #doors: OpenPrimary['doors'];
  readonly #indexes: OpenPrimary['indexes'];
  readonly #finished: OpenPrimary['finished'];
  readonly #startedAt = timeOfDay();
  /** those that listen */
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #starter = new Starter();
  readonly #moments = new KnownMoments();
  #options: ResolvedOptions;
  #logLevel: string;
  #started: Started | undefined;
  readonly #watch: ClusterWatch;
  #supervised: Promise<void>[] = [];
  /** what was said while workers start, which each of them says */
  readonly #said = new Set<string>();
  readonly #settled = oneForAll(async () => {
    await Promise.all(this.#running.map(({ wire }) => wire.call('settle').catch(() => undefined)));
  });
  #giveUp: (error: Error) => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: ClusterParts, { options, stores, lock, indexes, finished, doors }: OpenPrimary) {
    super();
    this.#parts = parts;
    this.#options = options;
    this.#stores = stores;
    this.#lock = lock;
    this.#doors = doors;
    this.#indexes = indexes;
    this.#finished = finished;
    this.#logLevel = parts.logLevel;
    this.warcDir = warcFolders(options).dir;
    this.ended = new Promise((_resolve, reject) => (this.#giveUp = reject));
    this.ended.catch(() => undefined);
    const { stats, playback, databases } = stores;
    this.#watch = new ClusterWatch({
      running: () => this.#running,
      own: () => ({ ...this.#identity, databases: databases.states, finished: finished?.state }),
      bucket: async (name) => stats?.get(name),
      hasIndex: playback !== undefined,
    });
  }

  get url(): string {
    return this.#listening.url;
  }

  get playbackUrl(): string | undefined {
    return this.#listening.playbackUrl;
  }

  get caFile(): string {
    return this.#listening.caFile;
  }

  figures(): Figures {
    return this.#watch.figures();
  }

  /** @throws what keeps one of them from starting; none runs then */
  async start(): Promise<void> {
    const numbers = Array.from({ length: this.#parts.workers }, (_, nth) => nth + 1);
    const starts = await Promise.allSettled(numbers.map((number) => this.#begin(number)));
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed !== undefined) {
      for (const worker of this.#running) worker.kill();
      await Promise.all(this.#running.map(({ gone }) => gone));
      throw failed.reason;
    }
    this.#supervised = this.#running.map((worker) => this.#supervise(worker));
  }

  /** As that of one proxy, for all of them. @throws OptionError, and then nothing has changed */
  async reload(given: WarctapOptions, logLevel: string): Promise<Changes> {
    const resolved = resolveOptions(given);
    const next = { ...resolved, maxSpool: resolved.maxSpool ?? this.#options.maxSpool };
    if (next.proxyAuthFile !== undefined && this.#options.proxyAuthFile !== undefined) await usersOf(next.proxyAuthFile, this.#parts.log);
    const reloads = this.#running.map(({ number, wire }) => wire.call('reload', shareOf(next, number, this.#parts.workers)));
    const [changes = changesOf(PROXY_OPTIONS, this.#options, next)] = (await Promise.all(reloads)).map((outcome) =>
      resultOf(outcome as Outcome<Changes>),
    );
    this.#logLevel = logLevel;
    for (const { wire } of this.#running) wire.tell('level', logLevel);
    const now = Object.fromEntries(changes.now.map((name) => [name, next[name as keyof ResolvedOptions]]));
    this.#options = { ...this.#options, ...now };
    return changes;
  }

  /** Have all workers finish, then close the stores. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#starter.stop();
    this.#watch.close();
    for (const door of Object.values(this.#doors)) door.close();
    const ends = this.#running.map(closed);
    await Promise.allSettled(ends);
    await Promise.allSettled(this.#supervised);
    const { stats, playback, databases } = this.#stores;
    await allInOrder([
      ...ends.map((end) => () => end),
      () => stats?.close(),
      () => playback?.close(),
      () => databases.close(),
      () => this.#indexes?.close(),
      () => this.#finished?.close(),
    ]);
  }

  get #running(): readonly WorkerProcess[] {
    return [...this.#workers.values()];
  }

  get #listening(): Started {
    if (this.#started === undefined) throw new Error('not listening');
    return this.#started;
  }

  /** A process more, until it listens. @throws what keeps it from that; it is gone then */
  async #begin(number: number): Promise<WorkerProcess> {
    const { workers: of } = this.#parts;
    const { dedup, stats, playback } = this.#stores;
    const worker: WorkerProcess = new WorkerProcess(number, this.#parts.entry, this.#stores, {
      log: (line: string) => this.#log(worker, line),
      done: (done: Done) => this.#watch.done(worker, done),
      settled: () => this.#settled(),
      ...momentsFor(this.#moments),
      finished: (file: string, prefix?: string) => {
        worker.served.finished(pathBelow(this.warcDir, file));
        this.#finished?.add(file, prefix);
      },
      fatal: (reason: string) => void this.emit('fatal', new Error(reason)),
      took: (door: Door) => this.#doors[door]?.took(worker),
      left: (door: Door, count: number) => this.#doors[door]?.left(worker, count),
    });
    this.#watch.add(worker);
    const stores = { dedup: dedup !== undefined, stats: stats !== undefined, playback: playback !== undefined };
    const doors = { proxy: this.#doors.proxy.address, playback: this.#doors.playback?.address };
    const task: Task = { number, of, logLevel: this.#logLevel, options: shareOf(this.#options, number, of), doors, stores };
    try {
      this.#started = await worker.start(task);
    } catch (error) {
      worker.kill();
      const how = await worker.gone;
      await this.#recover(worker);
      if (worker.wire.over && isGone(error)) throw new Error(`worker ${number} has ended while it started: ${how}`, { cause: error });
      throw error;
    }
    this.#workers.set(number, worker);
    for (const door of Object.values(this.#doors)) door.add(worker);
    return worker;
  }

  /** Until the end of all: wait for its end, see to what it has left, have another in its place. Never rejects. */
  async #supervise(first: WorkerProcess): Promise<void> {
    const { log } = this.#parts;
    const { number } = first;
    let worker: WorkerProcess | undefined = first;
    const attempts = this.#starter.attempts();
    while (worker !== undefined) {
      const gone = worker;
      void gone.wire.closed.then(() => Object.values(this.#doors).forEach((door) => door.remove(gone)));
      const ended = await gone.gone;
      this.#workers.delete(number);
      this.#watch.remove(worker);
      if (this.#closing === undefined || ended !== 'exit code 0')
        log.error(
          { worker: number, pid: worker.pid, ended },
          'a worker has died: what it has left is seen to, and another takes its place',
        );
      await this.#recover(worker, ended !== 'exit code 0');
      worker = undefined;
      while (worker === undefined && (await attempts.next())) {
        try {
          worker = await this.#begin(number);
          attempts.succeeded();
          log.info({ worker: number, pid: worker.pid }, 'another worker has taken its place');
        } catch (error) {
          log.error({ worker: number, err: error }, 'a worker cannot be started');
        }
      }
      if (worker === undefined && attempts.exhausted)
        this.#giveUp(new Error(`worker ${number} dies again and again, see the lines before`));
      // Begun before it was to end.
      if (worker !== undefined && this.#closing !== undefined) void worker.wire.call('close').catch(() => undefined);
    }
  }

  async #recover(worker: WorkerProcess, died = true): Promise<void> {
    const { subdirPrefix } = this.#options;
    const { dir } = warcFolders(this.#options);
    const { log } = this.#parts;
    // What is done with it may need its index, which takes as long as reading the file: nobody waits for that.
    const onClosed = (file: string) => void Promise.resolve(this.#indexes?.make(file)).then(() => this.#finished?.add(file));
    await recover(worker.number, worker.served, { dir, subdirPrefix, lock: this.#lock, stores: this.#stores, onClosed, died, log });
  }

  /** What all of them say at their start is said once. */
  #log(worker: WorkerProcess, line: string): void {
    if (!this.#workers.has(worker.number)) {
      const { msg } = JSON.parse(line) as { msg?: string };
      const known = this.#said.has(msg ?? '');
      this.#said.add(msg ?? '');
      if (known) return;
    }
    this.#parts.passOn(line);
  }

  get #identity() {
    const { maxThreads: maxExchanges, queueSize: maxQueued } = this.#options;
    const { address, port } = this.#listening;
    return { version: readVersion(), address, port, startedAt: this.#startedAt, maxExchanges, maxQueued };
  }
}

/** One that dies meanwhile is seen to as any other: nothing that was answered is lost by that. @throws what its own close throws */
async function closed({ wire }: WorkerProcess): Promise<void> {
  try {
    resultOf((await wire.call('close')) as Outcome<void>);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'WIRE_CLOSED';
}
