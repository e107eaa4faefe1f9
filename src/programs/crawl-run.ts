/**
 * One crawl job from beginning to end: the server with a job of its own, which ends when that does.
 */
import { EventEmitter } from 'node:events';
import { clone, create } from '@bufbuild/protobuf';
import { Failure } from '../crawl/failure.ts';
import { hexOf } from '../crawl/ids.ts';
import type { Id, Job } from '../crawl/jobs/types.ts';
import { PolicyLimitsSchema, PolicySchema, type Policy } from '../crawl/proto/starbelly_pb.ts';
import type { CoreEvents } from './core.ts';
import { startCrawl, type CrawlParts, type CrawlProgram } from './crawl.ts';
import type { Figures } from './figures.ts';

export interface CrawlRunParts extends CrawlParts {
  readonly seeds: readonly string[];
  /** undefined for Deep Crawl */
  readonly policy: Policy | undefined;
  readonly maxItems: number | undefined;
  /** seconds between two requests to a host; undefined for what the database has */
  readonly delay: number | undefined;
}

const DEFAULT_POLICY = 'Deep Crawl';

export class CrawlRun extends EventEmitter<CoreEvents> implements AsyncDisposable {
  readonly job: string;
  readonly ended: Promise<void>;
  /** names, in the order in which they were begun */
  readonly files = new Set<string>();
  readonly #program: CrawlProgram;
  readonly #id: Id;
  readonly #leaving = new AbortController();
  #last: Job | undefined;

  constructor(program: CrawlProgram, id: Id) {
    super();
    this.#program = program;
    this.#id = id;
    this.job = hexOf(id);
    program.on('capture', (capture) => this.emit('capture', capture));
    program.on('fatal', (error) => this.emit('fatal', error));
    this.ended = this.#follow();
    // Whoever waits for its end hears of it; nobody else has to.
    this.ended.catch(() => undefined);
  }

  get url(): string {
    return this.#program.url;
  }

  get folder(): string {
    return this.#program.folder;
  }

  get warcDir(): string {
    return this.#program.warcDir;
  }

  get first(): CrawlProgram['first'] {
    return this.#program.first;
  }

  /** As it was when it was last looked at. */
  get state(): Job | undefined {
    return this.#program.jobs.peek(this.#id) ?? this.#last;
  }

  figures(): Figures {
    return this.#program.figures();
  }

  async close(): Promise<void> {
    this.#leaving.abort();
    this.#last = this.state;
    await this.#program.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(): Promise<void> {
    const { jobs } = this.#program;
    const items = await jobs.itemsAfter(this.#id, 0, { compressionOk: true, signal: this.#leaving.signal });
    for await (const { record } of items) if (record !== undefined) this.files.add(record.file);
    this.#last = this.state;
  }
}

/** @throws Failure for what no job can be made of, or as `startCrawl` */
export async function startCrawlRun({ seeds, policy: given, maxItems, delay, ...parts }: CrawlRunParts): Promise<CrawlRun> {
  const program = await startCrawl(parts);
  try {
    const { policies, rateLimits } = program.settings;
    if (delay !== undefined) await rateLimits.set('', delay);
    const known = policies.list().find(({ name }) => name === DEFAULT_POLICY);
    if (given !== undefined) policies.check(given);
    const policy = given ?? (known && clone(PolicySchema, known));
    if (policy === undefined) throw new Failure(`there is no policy ${DEFAULT_POLICY} any more: name a file of one with --policy`);
    if (maxItems !== undefined) {
      policy.limits ??= create(PolicyLimitsSchema);
      policy.limits.maxItems = maxItems;
    }
    return new CrawlRun(program, await program.jobs.create({ seeds, policy }));
  } catch (error) {
    await program.close();
    throw error;
  }
}
