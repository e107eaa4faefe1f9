/**
 * What is kept of URLs and hosts. All of it is JSON; what is not said is left out.
 */

/** Times are milliseconds since 1970, UTC. */
export interface UrlRecord {
  readonly url: string;
  /** -100 to 100, 0 unless said */
  priority?: number;
  /** the page that it was found on */
  parent?: string;
  /** where it waits to be handed out */
  place?: readonly [rank: number, number: number];
  lease?: Lease;
  /** leases that ended without a report, since the last one */
  attempts?: number;
  /** visits that failed, since the last one that did not */
  failures?: number;
  /** visited, and to be visited again then */
  due?: number;
  /** given up after too many attempts */
  failed?: true;
  /** its place in the list of new links */
  listed?: number;
  visit?: Visit;
}

export interface Lease {
  readonly worker: string;
  readonly given: number;
  readonly ends: number;
}

/** The latest accepted report. */
export interface Visit {
  readonly at: number;
  readonly received: number;
  readonly worker: string;
  /** as the report has it, which tells a repetition */
  readonly visited?: string;
  readonly status_code: number | null;
  readonly result: string;
  readonly headers: Readonly<Record<string, string>>;
  /** milliseconds */
  readonly fetch_time?: number;
  readonly total_time?: number;
  /** of the body, in bytes */
  readonly length: number;
  readonly type?: string;
  /** `sha1:` and hex digits */
  readonly digest?: string;
  readonly redirects?: readonly unknown[];
  /** fields that the protocol does not know */
  readonly other?: Readonly<Record<string, unknown>>;
}

export interface HostRecord {
  /** how many of its URLs are out */
  out: number;
  /** of each rank the number of the first that waits, and the number behind the last; between them some may have gone */
  queues: Record<string, [head: number, tail: number]>;
  /** when one was last handed out */
  last: number;
  /** its key among the hosts with work */
  next?: string;
}

/** Numbers for people, and what goes on from start to start. */
export interface Counts {
  /** of every sequence */
  sequence: number;
  urls: number;
  waiting: number;
  given: number;
  visited: number;
  failed: number;
  hosts: number;
  /** hosts with work, by rank */
  readonly ready: Record<string, number>;
}

export const NO_COUNTS: Counts = { sequence: 0, urls: 0, waiting: 0, given: 0, visited: 0, failed: 0, hosts: 0, ready: {} };

const MAX_PRIORITY = 100;

/** Where it queues: the lower, the sooner; what was never visited before what is due again. */
export function rankOf({ priority = 0, visit }: Pick<UrlRecord, 'priority' | 'visit'>): number {
  return (MAX_PRIORITY - priority) * 2 + (visit === undefined ? 0 : 1);
}

export type State = 'new' | 'given' | 'visited' | 'due' | 'failed';

export function stateOf({ place, lease, visit, failed }: UrlRecord): State {
  if (lease !== undefined) return 'given';
  if (place !== undefined) return visit === undefined ? 'new' : 'due';
  return failed === true ? 'failed' : 'visited';
}
