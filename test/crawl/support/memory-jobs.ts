/** Jobs in memory that fetch nothing: tests say what becomes of them. For what the wire shows of jobs, whatever they do. */
import { EventEmitter, once } from 'node:events';
import { create } from '@bufbuild/protobuf';
import { Failure } from '../../../src/crawl/failure.ts';
import { hexOf, newId, uuidOf } from '../../../src/crawl/ids.ts';
import {
  JobDeletedError,
  type Id,
  type ItemFilter,
  type ItemPage,
  type ItemsAfter,
  type Job,
  type JobChange,
  type JobFilter,
  type JobLogLine,
  type Jobs,
  type NewJob,
  type Page,
  type ReadItem,
} from '../../../src/crawl/jobs/types.ts';
import { JobRunState, PolicySchema } from '../../../src/crawl/proto/starbelly_pb.ts';

const FINISHED = new Set([JobRunState.CANCELLED, JobRunState.COMPLETED]);

export class MemoryJobs implements Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #items = new Map<string, ReadItem[]>();
  readonly #events = new EventEmitter<{ change: [JobChange]; line: [Id, JobLogLine] }>().setMaxListeners(0);
  readonly #lines: JobLogLine[] = [];
  #sequence = 0;
  /** items that streams have taken */
  read = 0;

  create({ seeds, policy, name = '', tags = [], scheduleId }: NewJob): Promise<Id> {
    const id = newId();
    this.#set({
      id,
      seeds,
      policy: create(PolicySchema, policy),
      name,
      tags,
      runState: JobRunState.RUNNING,
      startedAt: Date.now(),
      completedAt: undefined,
      counts: { items: 0, successes: 0, errors: 0, exceptions: 0 },
      statusCounts: new Map(),
      scheduleId,
    });
    return Promise.resolve(id);
  }

  /** A page was fetched, or failed. */
  add(id: Id, item: Partial<ReadItem> = {}): void {
    const job = this.#known(id);
    const all: ReadItem = {
      jobId: id,
      sequence: ++this.#sequence,
      url: `http://example.org/${this.#sequence}`,
      urlCan: `http://example.org/${this.#sequence}`,
      cost: 1,
      startedAt: Date.now(),
      completedAt: Date.now(),
      duration: 0.25,
      isSuccess: true,
      exception: undefined,
      answer: { status: 200, contentType: 'text/html', headers: [['CONTENT-TYPE', 'text/html']] },
      record: undefined,
      finalUrl: undefined,
      body: { bytes: Buffer.from('page'), isCompressed: false },
      ...item,
    };
    this.#items.set(hexOf(id), [...(this.#items.get(hexOf(id)) ?? []), all]);
    const { counts } = job;
    const kind = all.exception !== undefined ? 'exceptions' : all.isSuccess ? 'successes' : 'errors';
    const statusCounts = new Map(job.statusCounts);
    if (all.answer !== undefined) statusCounts.set(all.answer.status, (statusCounts.get(all.answer.status) ?? 0) + 1);
    this.#set({ ...job, counts: { ...counts, items: counts.items + 1, [kind]: counts[kind] + 1 }, statusCounts });
  }

  setState(id: Id, runState: JobRunState): Promise<void> {
    const job = this.#known(id);
    this.#set({ ...job, runState, completedAt: FINISHED.has(runState) ? Date.now() : undefined });
    return Promise.resolve();
  }

  edit(id: Id, { name, tags }: { readonly name?: string | undefined; readonly tags?: readonly string[] | undefined }): Promise<void> {
    const job = this.#known(id);
    this.#set({ ...job, name: name ?? job.name, tags: tags ?? job.tags });
    return Promise.resolve();
  }

  get(id: Id): Promise<Job> {
    return Promise.resolve(this.#known(id));
  }

  list({ scheduleId }: JobFilter, { offset, limit }: Page) {
    const found = this.tracked().filter(
      (job) => scheduleId === undefined || (job.scheduleId && hexOf(job.scheduleId) === hexOf(scheduleId)),
    );
    return Promise.resolve({ found: found.reverse().slice(offset, offset + limit), total: found.length });
  }

  latestOf(scheduleId: Id): Promise<Job | undefined> {
    return this.list({ scheduleId }, { offset: 0, limit: 1 }).then(({ found }) => found[0]);
  }

  delete(id: Id): Promise<void> {
    if (!FINISHED.has(this.#known(id).runState)) return Promise.reject(new Failure('Can only delete cancelled or completed jobs.'));
    this.forget(id);
    return Promise.resolve();
  }

  /** Delete it, whatever it does. */
  forget(id: Id): void {
    this.#jobs.delete(hexOf(id));
    this.#events.emit('change', { kind: 'deleted', id });
  }

  items(id: Id, { success, error, exception }: ItemFilter, { offset, limit, newestFirst = false }: ItemPage) {
    this.#known(id);
    const kindOf = (item: ReadItem) => (item.exception !== undefined ? exception : item.isSuccess ? success : error);
    const found = (this.#items.get(hexOf(id)) ?? []).filter(kindOf);
    if (newestFirst) found.reverse();
    return Promise.resolve({ found: found.slice(offset, offset + limit), total: found.length });
  }

  item(id: Id, wanted: number): Promise<ReadItem> {
    this.#known(id);
    const item = this.#items.get(hexOf(id))?.find(({ sequence }) => sequence === wanted);
    return item === undefined ? Promise.reject(new Failure(`No item of that job has the number ${wanted}`)) : Promise.resolve(item);
  }

  itemsAfter(id: Id, sequence: number, { signal }: ItemsAfter): Promise<AsyncIterable<ReadItem>> {
    this.#known(id);
    return Promise.resolve(this.#stream(id, sequence, signal));
  }

  async *#stream(id: Id, after: number, signal: AbortSignal | undefined): AsyncGenerator<ReadItem, void> {
    let last = after;
    for (;;) {
      const next = (this.#items.get(hexOf(id)) ?? []).find((item) => item.sequence > last);
      if (next !== undefined) {
        last = next.sequence;
        this.read++;
        yield next;
        continue;
      }
      const job = this.#jobs.get(hexOf(id));
      if (job === undefined) throw new JobDeletedError('deleted');
      if (FINISHED.has(job.runState) || signal?.aborted === true) return;
      await once(this.#events, 'change', signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }

  tracked(): Job[] {
    return [...this.#jobs.values()];
  }

  peek(id: Id): Job | undefined {
    return this.#jobs.get(hexOf(id));
  }

  onChange(listener: (change: JobChange) => void): () => void {
    this.#events.on('change', listener);
    return () => void this.#events.off('change', listener);
  }

  /** Something was not fetched. */
  drop(id: Id, line: JobLogLine): void {
    this.#lines.push(line);
    this.#events.emit('line', id, line);
  }

  log(): JobLogLine[] {
    return this.#lines;
  }

  onLog(_: Id, listener: (line: JobLogLine) => void): () => void {
    const heard = (_id: Id, line: JobLogLine) => listener(line);
    this.#events.on('line', heard);
    return () => void this.#events.off('line', heard);
  }

  downloads() {
    return { current: 0, maximum: 20, rateLimiter: 0, perJob: new Map() };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #known(id: Id): Job {
    const job = this.#jobs.get(hexOf(id));
    if (job === undefined) throw new Failure(`No job exists with ID=${uuidOf(id)}`);
    return job;
  }

  #set(job: Job): void {
    this.#jobs.set(hexOf(job.id), job);
    this.#events.emit('change', { kind: 'changed', id: job.id });
  }
}
