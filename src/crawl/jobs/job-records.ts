/**
 * Jobs in the database: unfinished ones, and those that ended within a day, in memory as well.
 *
 * What is shown of a job is what is stored of it: a change is seen when it has been written.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { Failure } from '../failure.ts';
import { hexOf, readId, uuidOf } from '../ids.ts';
import { JobRunState, PolicySchema } from '../proto/starbelly_pb.ts';
import type { Batch, CrawlDatabase } from './database.ts';
import { after, double, ID_BYTES, key, within } from './keys.ts';
import type { Clock, Id, Job, JobChange, JobFilter, Listed, Page } from './types.ts';

/** What never changes of a job, as it is stored. */
interface Fixed {
  readonly seeds: readonly string[];
  /** Base64 */
  readonly policy: string;
  readonly startedAt: number;
  /** Base64 */
  readonly scheduleId?: string | undefined;
}

/** What does. */
interface State {
  readonly name: string;
  readonly tags: readonly string[];
  readonly runState: JobRunState;
  readonly completedAt?: number | undefined;
  readonly counts: readonly [items: number, successes: number, errors: number, exceptions: number];
  readonly statusCounts: readonly (readonly [status: number, count: number])[];
  readonly ranMs: number;
}

/** A job as it becomes; `job` is what is stored of it. */
export class JobRecord {
  readonly id: Id;
  job: Job;
  /** milliseconds that it has run */
  ranMs: number;
  #next: Job;

  constructor(job: Job, ranMs: number) {
    this.id = job.id;
    this.job = job;
    this.ranMs = ranMs;
    this.#next = job;
  }

  get next(): Job {
    return this.#next;
  }

  /** Part of a change, whose batch has to `touch` it. */
  become(change: Partial<Job>): void {
    this.#next = { ...this.#next, ...change };
  }
}

const DAY_MS = 86_400_000;
const AT_ONCE = 100;

export function isFinished({ runState }: Pick<Job, 'runState'>): boolean {
  return runState === JobRunState.CANCELLED || runState === JobRunState.COMPLETED;
}

export class JobRecords {
  readonly #db: CrawlDatabase;
  readonly #clock: Pick<Clock, 'now'>;
  /** by hexadecimal identifier, the oldest first */
  readonly #tracked = new Map<string, JobRecord>();
  readonly #listeners = new Set<(change: JobChange) => void>();
  #touched = new Set<JobRecord>();
  #stored: readonly JobRecord[] = [];

  private constructor(db: CrawlDatabase, clock: Pick<Clock, 'now'>) {
    this.#db = db;
    this.#clock = clock;
  }

  static async open(db: CrawlDatabase, clock: Pick<Clock, 'now'>): Promise<JobRecords> {
    const records = new JobRecords(db, clock);
    for await (const name of db.keys(within(key('T')))) {
      const record = await records.#read(name.subarray(-ID_BYTES));
      if (record !== undefined && records.#isTracked(record)) records.#tracked.set(hexOf(record.id), record);
    }
    db.onBatch(
      (batch) => records.#put(batch),
      () => records.#tell(),
    );
    return records;
  }

  /** Part of a change. */
  add(batch: Batch, job: Job): JobRecord {
    const { id, seeds, policy, startedAt, scheduleId } = job;
    const fixed: Fixed = {
      seeds,
      policy: Buffer.from(toBinary(PolicySchema, policy)).toString('base64'),
      startedAt,
      scheduleId: scheduleId && Buffer.from(scheduleId).toString('base64'),
    };
    batch.put(key('J', id), fixed);
    batch.put(key('T', double(startedAt), id));
    if (scheduleId !== undefined) batch.put(key('X', scheduleId, double(startedAt), id));
    const record = new JobRecord(job, 0);
    this.#tracked.set(hexOf(id), record);
    this.touch(record);
    return record;
  }

  /** Part of a change: it is stored with it, and told. */
  touch(record: JobRecord): void {
    this.#touched.add(record);
  }

  /** Part of a change. */
  remove(batch: Batch, { id, startedAt, scheduleId }: Job): void {
    for (const space of ['J', 'N'] as const) batch.delete(key(space, id));
    batch.delete(key('T', double(startedAt), id));
    if (scheduleId !== undefined) batch.delete(key('X', scheduleId, double(startedAt), id));
  }

  /** It is gone. */
  removed(id: Id): void {
    this.#tracked.delete(hexOf(id));
    this.#emit({ kind: 'deleted', id });
  }

  on(listener: (change: JobChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** One of those in memory. */
  peek(id: Id): JobRecord | undefined {
    return this.#tracked.get(hexOf(id));
  }

  /** @throws Failure */
  async get(id: Id): Promise<JobRecord> {
    const record = this.peek(readId(id)) ?? (await this.#read(id));
    if (record === undefined) throw new Failure(`No job exists with ID=${uuidOf(id)}`);
    return record;
  }

  tracked(): JobRecord[] {
    for (const [name, record] of this.#tracked) if (!this.#isTracked(record)) this.#tracked.delete(name);
    return [...this.#tracked.values()];
  }

  /** Newest first. */
  async list({ startedAfter, tag, scheduleId }: JobFilter, { offset, limit }: Page): Promise<Listed<Job>> {
    const prefix = scheduleId === undefined ? key('T') : key('X', scheduleId);
    const { gte, lt } = within(prefix);
    // Times are above zero: so those from before 1970 are all of them.
    const from = startedAfter === undefined || startedAfter <= 0 ? gte : after(Buffer.concat([prefix, double(startedAfter)]));
    const found: Job[] = [];
    let total = 0;
    const look = async (ids: readonly Id[]) => {
      for (const id of ids) {
        const wanted = total >= offset && found.length < limit;
        if (tag === undefined && !wanted) {
          total++;
          continue;
        }
        const job = (this.peek(id) ?? (await this.#read(id)))?.job;
        if (job === undefined || (tag !== undefined && !job.tags.includes(tag))) continue;
        if (wanted) found.push(job);
        total++;
      }
    };
    let ids: Id[] = [];
    for await (const name of this.#db.keys({ gte: from, lt, reverse: true })) {
      ids.push(name.subarray(-ID_BYTES));
      if (ids.length < AT_ONCE) continue;
      await look(ids);
      ids = [];
    }
    await look(ids);
    return { found, total };
  }

  #isTracked({ next }: JobRecord): boolean {
    return !isFinished(next) || (next.completedAt ?? 0) > this.#clock.now() - DAY_MS;
  }

  async #read(id: Id): Promise<JobRecord | undefined> {
    const [fixedBytes, stateBytes] = await this.#db.getMany([key('J', id), key('N', id)]);
    if (fixedBytes === undefined || stateBytes === undefined) return undefined;
    const { seeds, policy, startedAt, scheduleId } = JSON.parse(fixedBytes.toString()) as Fixed;
    const { name, tags, runState, completedAt, counts, statusCounts, ranMs } = JSON.parse(stateBytes.toString()) as State;
    const [items, successes, errors, exceptions] = counts;
    const job: Job = {
      id: Uint8Array.from(id),
      seeds,
      policy: fromBinary(PolicySchema, Buffer.from(policy, 'base64')),
      name,
      tags,
      runState,
      startedAt,
      completedAt,
      counts: { items, successes, errors, exceptions },
      statusCounts: new Map(statusCounts),
      scheduleId: scheduleId === undefined ? undefined : Uint8Array.from(Buffer.from(scheduleId, 'base64')),
    };
    return new JobRecord(job, ranMs);
  }

  #put(batch: Batch): void {
    this.#stored = [...this.#touched];
    this.#touched = new Set();
    for (const { id, next, ranMs } of this.#stored) {
      const { name, tags, runState, completedAt, counts, statusCounts } = next;
      const { items, successes, errors, exceptions } = counts;
      const state: State = {
        ...{ name, tags, runState, completedAt, ranMs },
        counts: [items, successes, errors, exceptions],
        statusCounts: [...statusCounts],
      };
      batch.put(key('N', id), state);
    }
  }

  #tell(): void {
    for (const record of this.#stored) {
      record.job = record.next;
      this.#emit({ kind: 'changed', id: record.id });
    }
    this.#stored = [];
  }

  #emit(change: JobChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
