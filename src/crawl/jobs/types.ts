/**
 * What crawls show of themselves, and what they are given: the narrow waist between the wire and the engine.
 *
 * Times are in milliseconds since 1970, durations in seconds, as the protocol has them. What clients ask for and cannot have is a `Failure`
 * whose message is the text of the response. Nothing here knows a socket.
 */
import type { CaptchaSolver, DomainLogin, JobRunState, Policy } from '../proto/starbelly_pb.ts';

/** 16 bytes. */
export type Id = Uint8Array;

/** All that is known of a job, as it is at one moment: it never changes, a later state is another object. */
export interface Job {
  readonly id: Id;
  readonly seeds: readonly string[];
  /** as it was when the job was made */
  readonly policy: Policy;
  readonly name: string;
  readonly tags: readonly string[];
  /** never DELETED */
  readonly runState: JobRunState;
  readonly startedAt: number;
  /** undefined while it is unfinished */
  readonly completedAt: number | undefined;
  readonly counts: JobCounts;
  readonly statusCounts: ReadonlyMap<number, number>;
  readonly scheduleId: Id | undefined;
}

export interface JobCounts {
  readonly items: number;
  readonly successes: number;
  readonly errors: number;
  readonly exceptions: number;
}

/** What a new job is made of. Seeds, tags and name are as clients give them. */
export interface NewJob {
  readonly seeds: readonly string[];
  /** is copied */
  readonly policy: Policy;
  readonly name?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly scheduleId?: Id | undefined;
}

export interface JobFilter {
  /** strictly later */
  readonly startedAfter?: number | undefined;
  /** exactly one of the job's */
  readonly tag?: string | undefined;
  readonly scheduleId?: Id | undefined;
}

export interface Page {
  readonly offset: number;
  readonly limit: number;
}

export interface Listed<T> {
  readonly found: readonly T[];
  /** of the whole set, not of the page */
  readonly total: number;
}

/** One answer, or why there was none, as it is stored. */
export interface Item {
  readonly jobId: Id;
  /** one counter for all jobs, from 1 */
  readonly sequence: number;
  /** as requested: of the first request, should there have been redirects */
  readonly url: string;
  readonly urlCan: string;
  readonly cost: number;
  readonly startedAt: number;
  readonly completedAt: number;
  /** seconds */
  readonly duration: number;
  readonly isSuccess: boolean;
  /** there is no answer, for this reason */
  readonly exception: string | undefined;
  readonly answer: ItemAnswer | undefined;
  /** of the first exchange, where one was written */
  readonly record: RecordPlace | undefined;
  /** where redirects ended, if there were any */
  readonly finalUrl: string | undefined;
}

export interface ItemAnswer {
  readonly status: number;
  /** media type without parameters, lower case */
  readonly contentType: string;
  /** in the order in which they came, names in upper case */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Where a record stands. */
export interface RecordPlace {
  /** `<urn:uuid:…>` */
  readonly id: string;
  /** final file name, without folder */
  readonly file: string;
  /** of the record, or of its gzip member */
  readonly offset: number;
}

export interface ItemBody {
  readonly bytes: Uint8Array;
  /** `bytes` is one gzip member */
  readonly isCompressed: boolean;
}

/** An item with what it has of a body: undefined for an exception, and where none was asked for. */
export interface ReadItem extends Item {
  readonly body: ItemBody | undefined;
}

export interface ItemFilter {
  readonly success: boolean;
  readonly error: boolean;
  readonly exception: boolean;
}

/** How bodies are handed out: text may be packed, none is, or they are not read. */
export type BodyForm = 'packed' | 'plain' | 'none';

export interface ItemPage extends Page {
  readonly bodies: BodyForm;
  /** in descending sequence */
  readonly newestFirst?: boolean;
}

/** The job of a stream of items was deleted meanwhile. */
export class JobDeletedError extends Error {
  override readonly name = 'JobDeletedError';
}

export interface ItemsAfter {
  readonly compressionOk: boolean;
  /** ends it without a word */
  readonly signal?: AbortSignal;
}

/** A job as `tracked` has it, or is about to be gone. */
export interface JobChange {
  readonly kind: 'changed' | 'deleted';
  readonly id: Id;
}

/** Why something of a job was not fetched, or did not go as it should. */
export interface JobLogLine {
  readonly at: number;
  /** `cost`, `robots`, `seen`, `mime`, `login`, `retry`, `redirect`, `disk` … */
  readonly reason: string;
  readonly url: string;
  /** the rule, the limit, the error */
  readonly detail: string;
}

export interface Downloads {
  /** requests to sites that run */
  readonly current: number;
  readonly maximum: number;
  /** requests that wait for their host */
  readonly rateLimiter: number;
  /** current ones, for each running job by its identifier as 32 hexadecimal digits */
  readonly perJob: ReadonlyMap<string, { readonly id: Id; readonly name: string; readonly current: number }>;
}

/** The engine. Whatever takes an identifier throws `Failure` (`No job exists with ID=…`) for one that there is not. */
export interface Jobs {
  /** Stored with its seeds when it resolves, and on its way. @throws Failure */
  create(job: NewJob): Promise<Id>;
  /** Pause, resume or cancel. The state it has already is a success. @throws Failure */
  setState(id: Id, state: JobRunState): Promise<void>;
  /** `tags` replace those there are; a blank name changes nothing. @throws Failure */
  edit(id: Id, change: { readonly name?: string | undefined; readonly tags?: readonly string[] | undefined }): Promise<void>;
  /** @throws Failure */
  get(id: Id): Promise<Job>;
  /** Newest first. */
  list(filter: JobFilter, page: Page): Promise<Listed<Job>>;
  /** The newest of a schedule. */
  latestOf(scheduleId: Id): Promise<Job | undefined>;
  /** @throws Failure for one that may still run */
  delete(id: Id): Promise<void>;
  /** In ascending sequence. @throws Failure */
  items(id: Id, filter: ItemFilter, page: ItemPage): Promise<Listed<ReadItem>>;
  /** One of them, by its sequence. @throws Failure */
  item(id: Id, sequence: number, bodies: BodyForm): Promise<ReadItem>;
  /**
   * All items of a sequence greater than this one: first those there are, then those that come, without a gap; it ends with the job. As
   * slowly as it is read, in bounded memory.
   *
   * @throws Failure; while it is read, JobDeletedError, or an error that says why an item cannot be read
   */
  itemsAfter(id: Id, sequence: number, options: ItemsAfter): Promise<AsyncIterable<ReadItem>>;
  /** Unfinished jobs and those that ended within the last 24 hours, oldest first. */
  tracked(): readonly Job[];
  /** One of those, at once. */
  peek(id: Id): Job | undefined;
  /** @returns a function that ends it */
  onChange(listener: (change: JobChange) => void): () => void;
  /** The latest lines of its log, oldest first. */
  log(id: Id): readonly JobLogLine[];
  /** @returns a function that ends it */
  onLog(id: Id, listener: (line: JobLogLine) => void): () => void;
  downloads(): Downloads;
  /** Pause all jobs that run, and begin nothing more. */
  close(): Promise<void>;
}

/** What the engine asks of the settings. */
export interface Delays {
  /** Seconds between two requests to a host. @param host in lower case and IDNA form, without port */
  delayOf(host: string): number;
}

export interface Logins {
  /** of exactly this host */
  loginOf(host: string): DomainLogin | undefined;
}

export interface Solvers {
  solverOf(id: Id): CaptchaSolver | undefined;
}

/** The clocks, so that tests have their own. */
export interface Clock {
  /** milliseconds since 1970 */
  now(): number;
  /** milliseconds that never step back */
  elapsed(): number;
}
