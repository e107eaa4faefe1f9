/**
 * All crawl jobs: made, paused, resumed, cancelled, looked at, deleted; and the runs of those that are running.
 *
 * ```
 * clients ─► CrawlJobs ─► JobRun (of each) ─► visit ─► core ─► WARC files
 *                │ Pump: whose turn it is          └─► one batch: item, counters, links
 * ```
 *
 * Owns nothing but what it was given a folder or a database for; whoever opens those closes them after it.
 */
import { LRUCache } from 'lru-cache';
import { Failure } from '../failure.ts';
import { hexOf, newId } from '../ids.ts';
import { JobRunState } from '../proto/starbelly_pb.ts';
import { seenKeyOf } from './canonical.ts';
import { CrawlDatabase } from './database.ts';
import { hostOf } from './frontier.ts';
import { Items } from './items.ts';
import { isFinished, JobRecords, type JobRecord } from './job-records.ts';
import { JobRuns } from './job-runs.ts';
import { ID_BYTES, key, within } from './keys.ts';
import type { CrawlJobsParts } from './parts.ts';
import { defaultName, readSeed, readTags, seedUrl } from './seeds.ts';
import type {
  BodyForm,
  Downloads,
  Id,
  ItemFilter,
  ItemPage,
  ItemsAfter,
  Job,
  JobChange,
  JobFilter,
  JobLogLine,
  Jobs,
  Listed,
  NewJob,
  Page,
  ReadItem,
} from './types.ts';
import { Waiters } from './waiters.ts';
import { WarcBodies } from './warc-bodies.ts';

const SEED_COST = 1;
const NO_COUNTS = { items: 0, successes: 0, errors: 0, exceptions: 0 };
/** Jobs that were deleted while somebody reads their items. */
const MAX_DELETED = 10_000;

export class CrawlJobs implements Jobs {
  readonly #parts: CrawlJobsParts;
  readonly #db: CrawlDatabase;
  readonly #records: JobRecords;
  readonly #runs: JobRuns;
  readonly #items: Items;
  readonly #waiters = new Waiters();
  readonly #deleted = new LRUCache<string, true>({ max: MAX_DELETED });
  #closed = false;

  private constructor(parts: CrawlJobsParts, db: CrawlDatabase, records: JobRecords, bodies: WarcBodies) {
    this.#parts = parts;
    this.#db = db;
    this.#records = records;
    this.#runs = new JobRuns(parts, db, records, bodies);
    this.#items = new Items({ db, bodies, maxBodyBytes: parts.settings.maxBodyBytes });
    records.on(({ id }) => this.#waiters.wake(hexOf(id)));
  }

  /** Jobs that ran when the process ended are paused, or go on. @throws CrawlStoreError */
  static async open(parts: CrawlJobsParts): Promise<CrawlJobs> {
    const db = await CrawlDatabase.open(parts.level);
    const records = await JobRecords.open(db, parts.clock);
    const { warcDir: dir, keepDir, byId, log } = parts;
    const jobs = new CrawlJobs(parts, db, records, await WarcBodies.open({ db, dir, keepDir, byId, log }));
    await jobs.#afterStart();
    return jobs;
  }

  async create({ seeds: given, policy, name, tags = [], scheduleId }: NewJob): Promise<Id> {
    if (given.length === 0) throw new Failure('"seeds" is required');
    const seeds = given.map(readSeed);
    const { clock } = this.#parts;
    const rules = this.#runs.rulesOf(policy, seeds);
    const job: Job = {
      id: newId(),
      seeds,
      policy,
      name: name?.trim() ? name.trim() : defaultName(seeds),
      tags: readTags(tags),
      runState: JobRunState.RUNNING,
      startedAt: clock.now(),
      completedAt: undefined,
      counts: NO_COUNTS,
      statusCounts: new Map(),
      scheduleId,
    };
    const urls = seeds.map(seedUrl);
    const names = urls.map((url) => key('S', job.id, seenKeyOf(rules.identity(url))));
    const frontier = this.#runs.frontierOf(job.id);
    const record = await this.#db.change((batch) => {
      urls.forEach((url, seed) => {
        const known = names[seed];
        if (known === undefined || batch.has(known)) return;
        batch.put(known);
        frontier.put(batch, { url, cost: SEED_COST, seed, kind: 'seed', host: hostOf(url) });
      });
      return this.#records.add(batch, job);
    }, names);
    await this.#runs.run(record);
    return job.id;
  }

  async setState(id: Id, state: JobRunState): Promise<void> {
    if (state !== JobRunState.RUNNING && state !== JobRunState.PAUSED && state !== JobRunState.CANCELLED)
      throw new Failure(`Not allowed to set job run state: ${state}`);
    await this.#runs.exclusively(id, async () => {
      const record = await this.#records.get(id);
      const { runState } = record.job;
      if (runState === state) return;
      const refused = `Cannot change job run state from ${JobRunState[runState]} to ${JobRunState[state]}`;
      if (isFinished(record.job)) throw new Failure(refused);
      if (state === JobRunState.RUNNING) {
        await this.#become(record, { runState: state });
        await this.#runs.run(record);
      } else if (state === JobRunState.PAUSED) await this.#runs.pause(record);
      else await this.#runs.end(record, state);
    });
  }

  async edit(id: Id, { name, tags }: { readonly name?: string | undefined; readonly tags?: readonly string[] | undefined }): Promise<void> {
    const record = await this.#records.get(id);
    const newName = name?.trim() ?? '';
    if (newName === '' && tags === undefined) return;
    await this.#become(record, { ...(newName === '' ? {} : { name: newName }), ...(tags === undefined ? {} : { tags: readTags(tags) }) });
  }

  async get(id: Id): Promise<Job> {
    return (await this.#records.get(id)).job;
  }

  list(filter: JobFilter, page: Page): Promise<Listed<Job>> {
    return this.#records.list(filter, page);
  }

  async latestOf(scheduleId: Id): Promise<Job | undefined> {
    return (await this.list({ scheduleId }, { offset: 0, limit: 1 })).found[0];
  }

  async delete(id: Id): Promise<void> {
    await this.#runs.exclusively(id, async () => {
      const { job } = await this.#records.get(id);
      if (!isFinished(job)) throw new Failure('Can only delete cancelled or completed jobs.');
      await this.#db.change((batch) => {
        this.#records.remove(batch, job);
        batch.put(key('G', id), { what: 'all' });
      });
      this.#records.removed(id);
      this.#deleted.set(hexOf(id), true);
      this.#runs.forget(id);
      this.#runs.clearLater(id, 'all');
    });
  }

  async items(id: Id, filter: ItemFilter, page: ItemPage): Promise<Listed<ReadItem>> {
    const { counts } = await this.get(id);
    const total = (filter.success ? counts.successes : 0) + (filter.error ? counts.errors : 0) + (filter.exception ? counts.exceptions : 0);
    return { found: await this.#items.page(id, filter, page), total };
  }

  async item(id: Id, sequence: number, bodies: BodyForm): Promise<ReadItem> {
    await this.get(id);
    const item = await this.#items.one(id, sequence, bodies);
    if (item === undefined) throw new Failure(`No item of that job has the number ${sequence}`);
    return item;
  }

  async itemsAfter(id: Id, sequence: number, options: ItemsAfter): Promise<AsyncIterable<ReadItem>> {
    const record = await this.#records.get(id);
    const name = hexOf(id);
    return this.#items.after(id, sequence, options, {
      running: () => {
        if (this.#closed) throw new Error('the crawls are being closed');
        if (this.#deleted.has(name)) return undefined;
        // One that is not in memory ended long ago.
        return !isFinished((this.#records.peek(id) ?? record).job);
      },
      changed: () => this.#waiters.next(name),
    });
  }

  tracked(): readonly Job[] {
    return this.#records.tracked().map(({ job }) => job);
  }

  peek(id: Id): Job | undefined {
    return this.#records.peek(id)?.job;
  }

  onChange(listener: (change: JobChange) => void): () => void {
    return this.#records.on(listener);
  }

  log(id: Id): readonly JobLogLine[] {
    return this.#runs.logOf(id).lines;
  }

  onLog(id: Id, listener: (line: JobLogLine) => void): () => void {
    return this.#runs.logOf(id).on(listener);
  }

  downloads(): Downloads {
    return this.#runs.downloads();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiters.close();
    await this.#runs.close();
    await this.#db.settled();
  }

  async #afterStart(): Promise<void> {
    for (const [name, value] of await this.#db.entries(within(key('G')))) {
      const { what } = JSON.parse(value.toString()) as { readonly what: 'frontier' | 'all' | 'resume' };
      const id = Uint8Array.from(name.subarray(-ID_BYTES));
      if (what !== 'resume') this.#runs.clearLater(id, what);
    }
    for (const record of this.#records.tracked()) {
      const { runState } = record.job;
      const resumes = this.#parts.settings.resumeJobs && (await this.#ranAtStop(record, runState));
      if (resumes) {
        await this.#become(record, { runState: JobRunState.RUNNING });
        await this.#runs.run(record);
      } else if (runState === JobRunState.RUNNING || runState === JobRunState.PENDING) {
        await this.#become(record, { runState: JobRunState.PAUSED });
      }
    }
  }

  /** When the process ended, or was told to. */
  async #ranAtStop({ id }: JobRecord, state: JobRunState): Promise<boolean> {
    const marked = (await this.#db.get(key('G', id)))?.includes('"resume"') === true;
    if (marked) await this.#db.change((batch) => batch.delete(key('G', id)));
    return marked || state === JobRunState.RUNNING || state === JobRunState.PENDING;
  }

  async #become(record: JobRecord, change: Partial<Job>): Promise<void> {
    await this.#db.change(() => {
      record.become(change);
      this.#records.touch(record);
    });
  }
}
