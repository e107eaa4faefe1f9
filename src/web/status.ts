/**
 * `GET /status`: what the proxy is doing, as indented JSON.
 *
 * Source: spec/warcprox.md §7; names and `role` are those of warcprox.
 */
import { textResponse, type FetchHandler } from './pages.ts';

/** Everything the page shows, asked for anew each time. */
export interface StatusSource {
  readonly version: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly startedAt: Date;
  readonly maxExchanges: number;
  readonly activeRequests: number;
  readonly waitingRequests: number;
  readonly queued: number;
  readonly maxQueued: number;
  /** since the oldest capture in the chain was handed over */
  readonly secondsBehind: number;
  readonly urlsProcessed: number;
  readonly warcBytesWritten: number;
  /** the fetch that has been running longest, and where its client connects from if that is still there */
  readonly earliestFetch:
    { readonly startedAt: Date; readonly clientAddress: readonly [host: string, port: number] | undefined } | undefined;
  /** the capture that has been in the chain longest, and the processor that it is before or in */
  readonly earliestInChain: { readonly url: string; readonly processor: string | undefined } | undefined;
  /** `errors`: captures that a processor has failed for */
  readonly processors: readonly { readonly name: string; readonly queued: number; readonly errors: number }[];
  /** requests whose Warcprox-Meta came without its secret, and was ignored */
  readonly metaIgnored: number;
  /** `problem`: why it is not used at the moment; `waiting`: entries that are put in later, `lost`: entries that never will be */
  readonly databases: readonly {
    readonly folder: string;
    readonly problem: string | undefined;
    readonly waiting: number;
    readonly lost: number;
  }[];
  /** what is done with WARC files that are closed; undefined where nothing is */
  readonly finished?:
    | {
        readonly waiting: number;
        readonly steps: readonly {
          readonly step: string;
          readonly done: number;
          readonly failed: number;
          readonly lastError: string | null;
        }[];
      }
    | undefined;
  readonly rate: (minutes: number) => Rate;
  /** where many processes share the work: that of the one that has the stores, and each of the others */
  readonly pid?: number;
  readonly workers?: readonly WorkerState[];
}

export interface Rate {
  readonly actual_elapsed: number;
  readonly urls_per_sec: number;
  readonly warc_bytes_per_sec: number;
}

/** What one of many processes is doing. */
export interface WorkerState {
  readonly worker: number;
  readonly pid: number | undefined;
  readonly activeRequests: number;
  readonly waitingRequests: number;
  readonly queued: number;
  readonly urlsProcessed: number;
  /** why the rest is what it said last */
  readonly problem?: string | undefined;
}

/** @param look asked anew for each request */
export function statusPage(look: () => StatusSource | Promise<StatusSource>): FetchHandler {
  return async () => textResponse('application/json', `${JSON.stringify(statusOf(await look()), null, 2)}\n`);
}

function statusOf(source: StatusSource): object {
  return {
    role: 'warcprox',
    version: source.version,
    host: source.host,
    address: source.address,
    port: source.port,
    pid: source.pid ?? process.pid,
    threads: source.maxExchanges,
    active_requests: source.activeRequests,
    unaccepted_requests: source.waitingRequests,
    load: source.queued / source.maxQueued,
    queued_urls: source.queued,
    queue_max_size: source.maxQueued,
    urls_processed: source.urlsProcessed,
    warc_bytes_written: source.warcBytesWritten,
    start_time: source.startedAt.getTime() / 1000,
    rates_1min: source.rate(1),
    rates_5min: source.rate(5),
    rates_15min: source.rate(15),
    earliest_still_active_fetch_start: source.earliestFetch?.startedAt.toISOString() ?? null,
    // As warcprox has them: objects whose values are null when there is nothing. The socket is that of the client.
    earliest_still_active_socket: {
      socket: source.earliestFetch?.clientAddress?.join(':') ?? null,
      name: null,
      peername: source.earliestFetch?.clientAddress ?? null,
      future_status: source.earliestFetch === undefined ? null : 'running',
      exception: null,
    },
    earliest_still_active_postfetch: {
      url: source.earliestInChain?.url ?? null,
      postfetch_plugin: source.earliestInChain?.processor ?? null,
    },
    seconds_behind: source.secondsBehind,
    postfetch_chain: source.processors.map(({ name, queued, errors }) => ({ processor: name, queued_urls: queued, errors })),
    warcprox_meta_ignored: source.metaIgnored,
    ...(source.workers && {
      workers: source.workers.map(({ worker, pid, activeRequests, waitingRequests, queued, urlsProcessed, problem }) => ({
        worker,
        pid: pid ?? null,
        active_requests: activeRequests,
        unaccepted_requests: waitingRequests,
        queued_urls: queued,
        urls_processed: urlsProcessed,
        problem: problem ?? null,
      })),
    }),
    databases: source.databases.map(({ folder, problem, waiting, lost }) => ({
      folder,
      state: problem === undefined ? 'in use' : 'away',
      problem: problem ?? null,
      entries_waiting: waiting,
      entries_lost: lost,
    })),
    ...(source.finished && {
      finished_files: {
        waiting: source.finished.waiting,
        steps: source.finished.steps.map(({ step, done, failed, lastError }) => ({ step, done, failed, last_error: lastError })),
      },
    }),
  };
}
