/**
 * The runs of jobs: begun, stopped and ended, what they share, and what is cleared away behind them.
 *
 * One change of a job's state at a time.
 */
import { PdfReader } from '../../page/pdf/reader.ts';
import { timeSlices } from '../../util/slices.ts';
import { reasonOf } from '../../util/thrown.ts';
import { hexOf, readId, uuidOf } from '../ids.ts';
import { JobRunState } from '../proto/starbelly_pb.ts';
import type { CrawlDatabase } from './database.ts';
import { frontierRanges, Frontier } from './frontier.ts';
import { HostTurns } from './host-turns.ts';
import { JobCookies } from './cookies.ts';
import { JobLog } from './job-log.ts';
import type { JobRecord, JobRecords } from './job-records.ts';
import { JobRun } from './job-run.ts';
import { key, within } from './keys.ts';
import { LogIn } from './login.ts';
import type { CrawlJobsParts } from './parts.ts';
import { Pump } from './pump.ts';
import { Rendering } from './rendering.ts';
import { Requests } from './requests.ts';
import { Robots } from './robots.ts';
import { rulesOf, type Rules } from './rules.ts';
import type { Downloads, Id, Job } from './types.ts';
import type { WarcBodies } from './warc-bodies.ts';

const HOSTS_IN_MEMORY = 250;

export class JobRuns {
  readonly #parts: CrawlJobsParts;
  readonly #db: CrawlDatabase;
  readonly #records: JobRecords;
  readonly #bodies: WarcBodies;
  readonly #robots: Robots;
  readonly #turns: HostTurns;
  readonly #requests: Requests;
  readonly #pump: Pump;
  readonly #pdfs = new PdfReader();
  readonly #slices = timeSlices();
  readonly #logs = new Map<string, JobLog>();
  /** changes of a job's state, one after the other */
  readonly #changing = new Map<string, Promise<unknown>>();
  readonly #inBackground = new Set<Promise<void>>();
  #closed = false;

  constructor(parts: CrawlJobsParts, db: CrawlDatabase, records: JobRecords, bodies: WarcBodies) {
    const { clock, delays, fetch, settings, log } = parts;
    this.#parts = parts;
    this.#db = db;
    this.#records = records;
    this.#bodies = bodies;
    this.#robots = new Robots(db, clock);
    const onFree = () => this.#pump.kick();
    this.#turns = new HostTurns({ delays, clock, onFree });
    this.#requests = new Requests({
      fetch,
      turns: this.#turns,
      maxDownloads: settings.maxDownloads,
      timeoutMs: settings.timeoutMs,
      onFree,
    });
    this.#pump = new Pump({
      turns: this.#turns,
      requests: this.#requests,
      maxDownloads: settings.maxDownloads,
      maxVisits: settings.rateLimiterCapacity,
      onDone: (run) => this.#background(this.#finish(run.record.id)),
      onFault: (run, error) => {
        log.error({ err: error, job: hexOf(run.record.id) }, `the frontier of a job cannot be read: ${reasonOf(error)}`);
        this.#background(this.#pauseAll(reasonOf(error)));
      },
    });
  }

  async run(record: JobRecord): Promise<void> {
    if (this.#closed) return;
    const { id, job } = record;
    const { logins, solvers, settings, random, clock, render, log } = this.#parts;
    const rules = this.rulesOf(job.policy, job.seeds);
    const cookies = await JobCookies.open(this.#db, id);
    const jobLog = this.logOf(id);
    const solver = job.policy.captchaSolverId.length === 0 ? undefined : solvers.solverOf(job.policy.captchaSolverId);
    const common = { rules, cookies, requests: this.#requests, log: jobLog };
    const logIn = rules.logsIn ? new LogIn({ ...common, db: this.#db, job: id, logins, solver, random }) : undefined;
    const rendering = rules.renders && render !== undefined ? new Rendering({ ...common, render, jobLog, log }) : undefined;
    const { retries, retryMs, checkSeeds, maxBodyBytes } = settings;
    const run = new JobRun({
      db: this.#db,
      records: this.#records,
      record,
      frontier: this.frontierOf(id),
      bodies: this.#bodies,
      visits: {
        ...common,
        ...{ robots: this.#robots, turns: this.#turns, pdfs: this.#pdfs },
        ...{ logIn, rendering, clock, retries, retryMs, checkSeeds, maxBodyBytes },
      },
      onChange: this.#pump.kick,
      onNotNow: (error) => this.#background(this.#pauseAll(reasonOf(error))),
      log,
    });
    this.#pump.runs.set(hexOf(id), run);
    log.info({ job: uuidOf(id), seeds: job.seeds.length }, `crawl job "${job.name}" runs`);
    this.#pump.kick();
  }

  async pause(record: JobRecord, forNow = false): Promise<void> {
    const run = this.#pump.runs.get(hexOf(record.id));
    await run?.stop();
    this.#pump.runs.delete(hexOf(record.id));
    await this.#db.change((batch) => {
      run?.count(batch);
      // So that it can go on by itself.
      if (forNow && this.#parts.settings.resumeJobs) batch.put(key('G', record.id), { what: 'resume' });
      record.become({ runState: JobRunState.PAUSED });
      this.#records.touch(record);
    });
  }

  async end(record: JobRecord, runState: JobRunState): Promise<void> {
    const { id } = record;
    const run = this.#pump.runs.get(hexOf(id));
    await run?.stop();
    this.#pump.runs.delete(hexOf(id));
    const { clock, log } = this.#parts;
    await this.#db.change((batch) => {
      run?.count(batch);
      record.become({ runState, completedAt: clock.now() });
      this.#records.touch(record);
      batch.put(key('G', id), { what: 'frontier' });
    });
    log.info({ job: uuidOf(id), items: record.job.counts.items }, `crawl job "${record.job.name}" is ${JobRunState[runState]}`);
    this.clearLater(id, 'frontier');
  }

  /** Without waiting for it. */
  clearLater(id: Id, what: 'frontier' | 'all'): void {
    this.#background(this.#clear(id, what));
  }

  /** What nobody asks for any more, and the note that it has to go. */
  async #clear(id: Id, what: 'frontier' | 'all'): Promise<void> {
    const spaces = what === 'all' ? (['I', 'B', 'C', 'L'] as const) : [];
    for (const range of [...frontierRanges(id), ...spaces.map((space) => within(key(space, id)))])
      // What is left then goes after the next start.
      if (!(await this.#db.clear(range, () => this.#closed))) return;
    if (what === 'all') await this.#bodies.release(id);
    await this.#db.change((batch) => batch.delete(key('G', id)));
  }

  frontierOf(id: Id): Frontier {
    return new Frontier(this.#db, id, { hosts: HOSTS_IN_MEMORY, entries: this.#parts.settings.rateLimiterCapacity });
  }

  rulesOf(policy: Job['policy'], seeds: readonly string[]): Rules {
    const { version, random } = this.#parts;
    return rulesOf(policy, seeds, { slices: this.#slices, version, random });
  }

  logOf(id: Id): JobLog {
    const name = hexOf(id);
    const log = this.#logs.get(name) ?? new JobLog(this.#parts.clock);
    this.#logs.set(name, log);
    return log;
  }

  downloads(): Downloads {
    const runs = [...this.#pump.runs.values()];
    return {
      current: this.#requests.current,
      maximum: this.#parts.settings.maxDownloads,
      rateLimiter: this.#turns.waiting + runs.reduce((sum, run) => sum + run.frontier.waiting, 0),
      perJob: new Map(
        runs.map(({ record, downloads }) => [hexOf(record.id), { id: record.id, name: record.job.name, current: downloads.current }]),
      ),
    };
  }

  /** Its log is not asked for any more. */
  forget(id: Id): void {
    this.#logs.delete(hexOf(id));
  }

  /** One change of a job's state at a time. @throws Failure for what is no identifier */
  async exclusively<T>(id: Id, work: () => Promise<T>): Promise<T> {
    const name = hexOf(readId(id));
    const before = this.#changing.get(name) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.catch(() => undefined);
    this.#changing.set(name, settled);
    try {
      return await turn;
    } finally {
      if (this.#changing.get(name) === settled) this.#changing.delete(name);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#pump.close();
    const ids = [...this.#pump.runs.values()].map(({ record }) => record.id);
    await Promise.all(
      ids.map((id) =>
        this.exclusively(id, async () => {
          const record = await this.#records.get(id);
          if (record.job.runState === JobRunState.RUNNING) await this.pause(record, true);
        }),
      ),
    );
    this.#turns.close();
    await this.#pdfs.close();
    await Promise.all(this.#inBackground);
  }

  async #finish(id: Id): Promise<void> {
    await this.exclusively(id, async () => {
      const record = await this.#records.get(id);
      if (record.job.runState === JobRunState.RUNNING && this.#pump.runs.get(hexOf(id))?.done === true)
        await this.end(record, JobRunState.COMPLETED);
    });
  }

  /** Nothing can be fetched or stored for now, for this reason. */
  async #pauseAll(reason: string): Promise<void> {
    if (this.#closed) return;
    const runs = [...this.#pump.runs.values()].filter(({ stopped }) => !stopped);
    if (runs.length > 0) this.#parts.log.warn({ jobs: runs.length }, `all crawl jobs are paused: ${reason}`);
    for (const { record } of runs) {
      this.logOf(record.id).add('paused', '', reason);
      await this.exclusively(record.id, async () => {
        if (record.job.runState === JobRunState.RUNNING) await this.pause(record);
      });
    }
  }

  #background(work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => this.#parts.log.error({ err: error }, `a crawl job: ${reasonOf(error)}`))
      .finally(() => this.#inBackground.delete(watched));
    this.#inBackground.add(watched);
  }
}
