/** What a run of chaos has seen from outside, which its WARC files are compared with. Times are of `performance.now()`. */

export interface Kill {
  readonly what: 'worker' | 'primary' | 'store';
  /** from 1 on; 0 for the store */
  readonly machine: number;
  /** from 1 on; 0 for what is no worker */
  readonly worker: number;
  /** how long the oldest capture had been in the chain of one of the machine's workers, as the machine said just before */
  readonly behindMs: number;
  readonly atMs: number;
  /** by the clock on the wall */
  readonly wallMs: number;
  /** by both clocks, when it was there again; of a worker this is not known */
  backMs?: number;
  backWallMs?: number;
}

/** A client's connection. */
export interface Line {
  readonly machine: number;
  readonly urls: string[];
  /** when the last request was sent that was answered: it was not cut before */
  sentMs: number;
  endedMs: number | undefined;
  /** no answer came at the end, though it was waited for */
  left?: boolean;
}

/** A row of requests with one limit, one after the other, while nothing was killed. */
export interface LimitRow {
  readonly limit: number;
  readonly passed: number;
}

export interface Seen {
  readonly kills: readonly Kill[];
  readonly lines: readonly Line[];
  /** when each URL was answered */
  readonly answered: ReadonlyMap<string, number>;
  readonly limits: readonly LimitRow[];
  /** the longest time that the clients, all in one process, were kept from looking at their connections */
  readonly lagMs: number;
  readonly faults: string[];
}
