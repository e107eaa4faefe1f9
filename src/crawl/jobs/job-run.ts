/**
 * A job that runs: what it has under way, and how that ends in the database.
 *
 * The end of an entry is one change: the item with its number, the counters, the links that are new, the cookies, and that the entry is
 * gone. Whatever is under way when the job stops is not stored, and stands in the frontier as if it had not been begun.
 */
import { setMaxListeners } from 'node:events';
import { LRUCache } from 'lru-cache';
import type { Log } from '../../util/log.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { hexOf, uuidOf } from '../ids.ts';
import type { Batch, CrawlDatabase } from './database.ts';
import type { Frontier } from './frontier.ts';
import { before, type Entry, type HostQueue } from './host-queue.ts';
import type { HostTurns } from './host-turns.ts';
import { kindOf, putItem } from './items.ts';
import type { JobRecord, JobRecords } from './job-records.ts';
import { key } from './keys.ts';
import type { JobCounts } from './types.ts';
import { NotNowError } from './failures.ts';
import { visit, type NewItem, type NewLink, type Outcome, type VisitParts } from './visit.ts';
import type { WarcBodies } from './warc-bodies.ts';

export interface JobRunParts {
  readonly db: CrawlDatabase;
  readonly records: JobRecords;
  readonly record: JobRecord;
  readonly frontier: Frontier;
  readonly bodies: WarcBodies;
  readonly visits: Omit<VisitParts, 'storeLinks'>;
  /** there may be more to do, or it is done */
  readonly onChange: () => void;
  /** nothing can be fetched for now */
  readonly onNotNow: (error: NotNowError) => void;
  readonly log: Log;
}

/** Why what was under way is not stored. */
class StoppedError extends Error {
  override readonly name = 'StoppedError';
}

const SEEN_IN_MEMORY = 20_000;
/** Source: setTimeout takes no more. */
const MAX_TIMER_MS = 2_147_483_647;

export class JobRun {
  readonly record: JobRecord;
  readonly frontier: Frontier;
  readonly downloads = { current: 0 };
  readonly #parts: JobRunParts;
  readonly #stopping = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #tries = new Map<number, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** keys of URLs that are known to have been seen */
  readonly #seen = new LRUCache<string, true>({ max: SEEN_IN_MEMORY });
  readonly #beganAt: number;
  readonly #ranBefore: number;
  /** has had all the time that it may have */
  #outOfTime = false;

  constructor(parts: JobRunParts) {
    this.#parts = parts;
    this.record = parts.record;
    this.frontier = parts.frontier;
    const { clock, rules } = parts.visits;
    // Each request listens to it.
    setMaxListeners(0, this.#stopping.signal);
    this.#beganAt = clock.elapsed();
    this.#ranBefore = this.record.ranMs;
    if (rules.maxMs < Infinity) this.#timeOut(rules.maxMs - this.#ranBefore);
  }

  get tasks(): number {
    return this.#tasks.size;
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Milliseconds, with those of earlier runs. */
  get ranMs(): number {
    return this.#ranBefore + this.#parts.visits.clock.elapsed() - this.#beganAt;
  }

  /** Nothing is left to do, or it has had enough. */
  get done(): boolean {
    const { maxItems } = this.#parts.visits.rules;
    if (this.#outOfTime || this.record.next.counts.items >= maxItems) return true;
    return this.#tasks.size === 0 && this.frontier.exhausted;
  }

  /** The cheapest entry that may be fetched now; else when one may be, in milliseconds. */
  next(turns: HostTurns): HostQueue | number {
    const { maxItems } = this.#parts.visits.rules;
    // A place is kept for all that is under way, so that there are never more items than asked for.
    if (this.stopped || this.record.next.counts.items + this.#tasks.size >= maxItems) return Infinity;
    let best: HostQueue | undefined;
    let soon = Infinity;
    for (const queue of this.frontier.hosts.values()) {
      const { head } = queue;
      if (head === undefined || (best?.head !== undefined && before(best.head, head))) continue;
      const wait = turns.readyIn(queue.host);
      if (wait === 0) best = queue;
      else soon = Math.min(soon, wait);
    }
    return best ?? soon;
  }

  /** Visit the first entry of a host whose turn it is. */
  begin(queue: HostQueue, turns: HostTurns): void {
    const entry = queue.take();
    if (entry === undefined) return;
    const turn = turns.take(queue.host);
    const { record, visits, log } = this.#parts;
    const meta = {
      stats: { buckets: ['starbelly', `job-${uuidOf(record.id)}`] },
      metadata: { job_id: uuidOf(record.id), seed: record.job.seeds[entry.seed] ?? '' },
    };
    const asker = { meta, signal: this.#stopping.signal, downloads: this.downloads };
    const storeLinks = (links: readonly NewLink[]) => this.#store(links);
    const task = visit({ ...visits, storeLinks }, asker, entry, turn, this.#tries.get(entry.n) ?? 0)
      .then((outcome) => this.#ended(entry, outcome))
      .catch((error: unknown) => this.#failed(entry, error, log))
      .finally(() => {
        this.#tasks.delete(task);
        this.#parts.onChange();
      });
    this.#tasks.add(task);
  }

  /** Begin nothing more, cut off what runs, and wait for it. */
  async stop(): Promise<void> {
    this.#stopping.abort(new StoppedError('the job was stopped'));
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#tasks);
    await this.frontier.settled();
  }

  /** Part of a change. */
  count(batch: Batch): void {
    this.record.ranMs = this.ranMs;
    this.#parts.visits.cookies.save(batch);
    this.#parts.records.touch(this.record);
  }

  async #ended(entry: Entry, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'again') return this.#again(entry, outcome.afterMs);
    const { bodies, record } = this.#parts;
    const { item, links } = outcome;
    const place = item?.answer && (await bodies.place(record.id, item.last));
    await this.#store(links, (batch) => {
      this.frontier.delete(batch, entry);
      if (item !== undefined) {
        putItem(batch, record.id, item, place);
        if (place !== undefined) bodies.save(batch, record.id, place);
        record.become(counted(record.next, item));
      }
      this.count(batch);
    });
    this.#tries.delete(entry.n);
    this.frontier.ended(entry);
  }

  /** Those of the links that were not seen before, with whatever else belongs to the same batch. */
  async #store(links: readonly NewLink[], put: (batch: Batch) => void = () => undefined): Promise<void> {
    const { db, record } = this.#parts;
    const unseen = links.filter(({ seen }) => !this.#seen.has(seen.toString('latin1')));
    const names = unseen.map(({ seen }) => key('S', record.id, seen));
    const added = await db.change((batch) => {
      this.#stopping.signal.throwIfAborted();
      put(batch);
      return unseen.flatMap((link, index) => {
        const name = names[index];
        if (name === undefined || batch.has(name)) return [];
        batch.put(name);
        return [this.frontier.put(batch, link.entry)];
      });
    }, names);
    for (const { seen } of unseen) this.#seen.set(seen.toString('latin1'), true);
    this.frontier.added(added);
    if (added.length > 0) this.#parts.onChange();
  }

  #again(entry: Entry, afterMs: number): void {
    this.#tries.set(entry.n, (this.#tries.get(entry.n) ?? 0) + 1);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.frontier.giveBack(entry);
      this.#parts.onChange();
    }, afterMs);
    this.#timers.add(timer);
  }

  #failed(entry: Entry, error: unknown, log: Log): void {
    if (error instanceof NotNowError) {
      this.frontier.giveBack(entry);
      this.#parts.onNotNow(error);
    } else if (!this.stopped) {
      // The database: the crawls are at their end, which is told by whoever has it.
      log.error({ err: error, job: hexOf(this.record.id), code: codeOf(error) }, `a page could not be stored: ${reasonOf(error)}`);
      this.#parts.onNotNow(new NotNowError(reasonOf(error), { cause: error }));
    }
  }

  #timeOut(ms: number): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (ms > MAX_TIMER_MS) return this.#timeOut(ms - MAX_TIMER_MS);
        this.#outOfTime = true;
        this.#parts.onChange();
      },
      Math.min(Math.max(ms, 0), MAX_TIMER_MS),
    );
    this.#timers.add(timer);
  }
}

function counted(
  { counts, statusCounts }: { readonly counts: JobCounts; readonly statusCounts: ReadonlyMap<number, number> },
  item: NewItem,
) {
  const kind = kindOf(item);
  const status = item.answer?.status;
  return {
    counts: {
      items: counts.items + 1,
      successes: counts.successes + Number(kind === 'success'),
      errors: counts.errors + Number(kind === 'error'),
      exceptions: counts.exceptions + Number(kind === 'exception'),
    },
    statusCounts: status === undefined ? statusCounts : new Map(statusCounts).set(status, (statusCounts.get(status) ?? 0) + 1),
  };
}
