/**
 * A worker: takes URLs from a manager, visits them, reports, and gives back what it has when it stops.
 *
 * So many at once, and so many of one host; what waits for its host stays here, and nothing more is asked for. Knows neither how pages are
 * fetched nor where.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import { knownUrl } from '../urls.ts';
import { jsonOf, ManagerAwayError, ManagerRefusalError, type CallManager } from './manager.ts';
import type { Outbox } from './outbox.ts';
import type { Item, ReportOut } from './visit.ts';

export interface WorkerParts {
  readonly call: CallManager;
  readonly outbox: Outbox;
  /** @returns undefined when it could not be tried */
  readonly visit: (item: Item, stop: AbortSignal) => Promise<ReportOut | undefined>;
  readonly connections: number;
  readonly perHost: number;
  /** end when there is nothing more */
  readonly untilEmpty: boolean;
  readonly log: Log;
}

/** What it is doing, for people. */
export interface WorkerState {
  readonly fetching: number;
  readonly waiting: number;
  readonly visited: number;
  readonly delivered: number;
  readonly undelivered: number;
  readonly manager: 'there' | 'away' | 'holds us back';
}

/** Waits after an empty answer, or none, each twice as long as the one before. */
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** For downloads that run when it is to stop, and for what is to be told to the manager then. */
const LAST_VISITS_MS = 10_000;
const LAST_CALLS_MS = 5_000;
const ALIVE_MS = 60_000;
/** Reports that wait for the manager, for each download: past them nothing more is fetched. */
const MAX_UNDELIVERED = 20;

export class Worker {
  /** resolves when there is nothing more to do, or it was stopped; rejects when the manager does not want it */
  readonly ended: Promise<void>;
  readonly #parts: WorkerParts;
  readonly #stopping = new AbortController();
  readonly #abandoning = new AbortController();
  #waiting: Item[] = [];
  readonly #hosts = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #onChange: () => void = () => undefined;
  /** since it was last looked what may begin */
  #hasChanged = false;
  #failure: Error | undefined;
  #manager: WorkerState['manager'] = 'there';
  #visited = 0;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.ended = this.#run();
  }

  get state(): WorkerState {
    const { outbox } = this.#parts;
    return {
      fetching: this.#running.size,
      waiting: this.#waiting.length,
      visited: this.#visited,
      delivered: outbox.delivered,
      undelivered: outbox.waiting,
      manager: outbox.away ? 'away' : this.#manager,
    };
  }

  /** Nothing is under way, and nothing waits. */
  get isQuiet(): boolean {
    return this.#running.size === 0 && this.#waiting.length === 0 && this.#parts.outbox.waiting === 0;
  }

  /** The manager refuses: it will not get better. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#stop();
  }

  /** There may be something new. */
  wake(): void {
    this.#hasChanged = true;
    this.#onChange();
  }

  /** Take no more, finish what runs, deliver the reports, give back the rest. */
  async close(): Promise<void> {
    this.#stop();
    const timer = setTimeout(() => this.#abandoning.abort(), LAST_VISITS_MS);
    await this.ended.catch(() => undefined);
    clearTimeout(timer);
  }

  #stop(): void {
    this.#stopping.abort();
    this.wake();
  }

  async #run(): Promise<void> {
    // Whoever made it is told of its beginning before it begins.
    await Promise.resolve();
    // A call that is waited for does not keep the program running by itself.
    const alive = setInterval(() => undefined, ALIVE_MS);
    try {
      await this.#work();
    } finally {
      clearInterval(alive);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #work(): Promise<void> {
    const { connections, outbox, untilEmpty } = this.#parts;
    let pause = FIRST_PAUSE_MS;
    while (!this.#stopping.signal.aborted) {
      this.#hasChanged = false;
      this.#begin();
      const room = connections * 2 - this.#waiting.length - this.#running.size;
      const full = room < connections || outbox.waiting > connections * MAX_UNDELIVERED;
      // What is under way may bring new URLs: so it has to be over before the manager is asked for the last time.
      const quiet = this.isQuiet;
      const taken = full ? undefined : await this.#take(room);
      if (taken === 0 && quiet && untilEmpty && this.#manager === 'there') break;
      if (taken === 0) {
        const changed = await this.#nextChange(pause);
        pause = changed ? FIRST_PAUSE_MS : Math.min(pause * 2, MAX_PAUSE_MS);
      } else pause = FIRST_PAUSE_MS;
      if (taken === undefined) await this.#nextChange(FIRST_PAUSE_MS);
    }
    await this.#giveBack();
    await Promise.all(this.#running);
    await this.#giveBack();
    await outbox.close(LAST_CALLS_MS);
  }

  /** Whatever may go now, goes. */
  #begin(): void {
    const { connections, perHost } = this.#parts;
    this.#waiting = this.#waiting.filter((item) => {
      const host = knownUrl(item.url)?.host ?? '';
      const busy = this.#hosts.get(host) ?? 0;
      if (this.#running.size >= connections || busy >= perHost) return true;
      this.#hosts.set(host, busy + 1);
      const running = this.#visit(item).finally(() => {
        this.#running.delete(running);
        const left = (this.#hosts.get(host) ?? 1) - 1;
        if (left === 0) this.#hosts.delete(host);
        else this.#hosts.set(host, left);
        this.wake();
      });
      this.#running.add(running);
      return false;
    });
  }

  async #visit(item: Item): Promise<void> {
    const { visit, outbox, log } = this.#parts;
    const report = await visit(item, this.#abandoning.signal);
    if (report === undefined) {
      await this.#return([item.url]);
      return;
    }
    this.#visited++;
    log.debug({ url: item.url, status: report.status_code, result: report.result }, 'visited');
    outbox.push(report);
  }

  /** @returns how many; undefined when it was not possible to ask, and time has passed */
  async #take(limit: number): Promise<number | undefined> {
    const { call, log } = this.#parts;
    try {
      const response = await call('/crawl-queue', { method: 'POST', body: new URLSearchParams({ limit: String(limit) }).toString() });
      const items = itemsIn(await jsonOf(response));
      if (this.#manager === 'away') log.info({}, 'the manager is back');
      this.#manager = 'there';
      this.#waiting.push(...items);
      const seconds = Number(response.headers.get('retry-after'));
      if (items.length === 0 && seconds > 0) await this.#held(seconds);
      return items.length;
    } catch (error) {
      if (error instanceof ManagerAwayError) {
        if (this.#manager !== 'away') log.warn({}, `nothing to fetch for now: ${reasonOf(error)}`);
        this.#manager = 'away';
        return 0;
      }
      this.fail(error instanceof Error ? error : new Error(reasonOf(error)));
      return undefined;
    }
  }

  /** It asks for nothing until it may. */
  async #held(seconds: number): Promise<void> {
    const { call, log } = this.#parts;
    log.info({ seconds }, 'the manager holds this worker back');
    this.#manager = 'holds us back';
    for (let interval = seconds; !this.#stopping.signal.aborted;) {
      await wait(interval * 1000, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      const said = await call('/worker')
        .then(jsonOf)
        .catch((error: unknown) => {
          if (error instanceof ManagerRefusalError) throw error;
          return undefined;
        });
      const { control, 'recheck-interval': next } = (said ?? {}) as { control?: unknown; 'recheck-interval'?: unknown };
      if (control === 'resume') return;
      if (typeof next === 'number' && next > 0) interval = next;
    }
  }

  /** A download ends or a report is taken, or this time is over. @returns whether anything has changed */
  async #nextChange(ms: number): Promise<boolean> {
    if (this.#hasChanged) return true;
    const over = new AbortController();
    const changed = new Promise<boolean>((resolve) => (this.#onChange = () => resolve(true)));
    const late = wait(ms, false, { signal: AbortSignal.any([over.signal, this.#stopping.signal]) }).catch(() => false);
    const result = await Promise.race([changed, late]);
    over.abort();
    return result;
  }

  async #giveBack(): Promise<void> {
    const urls = this.#waiting.map(({ url }) => url);
    this.#waiting = [];
    if (urls.length > 0) await this.#return(urls);
  }

  /** Their leases end. When the manager is away they end by themselves. */
  async #return(urls: readonly string[]): Promise<void> {
    const { call, log } = this.#parts;
    await call('/crawl-queue', { method: 'DELETE', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(urls) }).catch(
      (error: unknown) =>
        log.warn({ urls: urls.length }, `URLs could not be given back, their leases end by themselves: ${reasonOf(error)}`),
    );
  }
}

function itemsIn(value: unknown): Item[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown): Item[] => {
    const { url, headers } = (each ?? {}) as { readonly url?: unknown; readonly headers?: unknown };
    if (typeof url !== 'string') return [];
    return [{ url, headers: typeof headers === 'object' && headers !== null ? (headers as Item['headers']) : {} }];
  });
}
