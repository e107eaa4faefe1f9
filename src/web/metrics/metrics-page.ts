/**
 * `GET /metrics`: what the proxy has done and holds, for Prometheus. No URL, prefix or bucket is in it: those have no bound.
 *
 * Looks at what is counted anyway, when it is asked. docs/metrics.md lists the names.
 */
import type { Looked } from '../looked.ts';
import type { FetchHandler } from '../pages.ts';
import { ARCHIVED, type CaptureCounts } from './capture-counts.ts';
import { exposition, EXPOSITION_TYPE, type Family, type HistogramFamily, type Sample } from './exposition.ts';
import { processFamilies } from './process-families.ts';

/** A disk that is written to. */
export interface DiskSpaceState {
  /** what it is there for */
  readonly of: string;
  readonly freeBytes: number;
  /** with less than this, nothing more is begun */
  readonly minBytes: number;
}

/** @param look asked anew for each request */
export function metricsPage(counts: CaptureCounts, look: () => Promise<Looked>): FetchHandler {
  return async () => {
    const looked = await look();
    const text = exposition([...families(counts, looked), ...processFamilies(looked.processes)]);
    return new Response(text, {
      headers: { 'content-type': EXPOSITION_TYPE, 'content-length': String(Buffer.byteLength(text)), 'cache-control': 'no-store' },
    });
  };
}

function families(counts: CaptureCounts, { status, warcFiles, bounds, disks }: Looked): (Family | HistogramFamily)[] {
  const counted = (name: string, help: string, samples: readonly Sample[]): Family => ({ name, help, type: 'counter', samples });
  const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({ name, help, type: 'gauge', samples });
  const one = (value: number): readonly Sample[] => [{ value }];
  const each = (label: string, values: Iterable<readonly [string, number]>): Sample[] =>
    Array.from(values, ([text, value]) => ({ labels: { [label]: text }, value }));
  const { durations, sizes } = counts;
  const { processors, databases, workers = [] } = status;
  return [
    gauge('warctap_info', 'What runs, as labels.', [{ labels: { version: status.version }, value: 1 }]),
    gauge('warctap_start_time_seconds', 'When it was started, in seconds since 1970.', one(status.startedAt.getTime() / 1000)),
    counted('warctap_captures_total', 'Captures that have left the chain, by what has become of them.', [
      ...each(
        'archived',
        ARCHIVED.map((as) => [as, counts.archived[as]]),
      ),
    ]),
    counted('warctap_answers_total', 'Captures with an answer, by the class of its status.', each('status', counts.statuses)),
    counted('warctap_failures_total', 'Fetches without an answer, by the code of the error.', each('code', counts.failures)),
    {
      name: 'warctap_capture_duration_seconds',
      help: 'From the start of a fetch to its end.',
      type: 'histogram',
      ...histogramOf(durations),
    },
    { name: 'warctap_capture_size_bytes', help: 'Bytes that came, head and framing included.', type: 'histogram', ...histogramOf(sizes) },
    counted('warctap_warc_bytes_total', 'Bytes written to WARC files, as they are on disk.', one(status.warcBytesWritten)),
    counted('warctap_warc_files_total', 'WARC files begun.', one(warcFiles)),
    gauge('warctap_requests_waiting', 'Requests that wait for their turn.', one(status.waitingRequests)),
    gauge('warctap_behind_seconds', 'Since the oldest capture in the chain was handed over.', one(status.secondsBehind)),
    gauge(
      'warctap_processor_queued',
      'Captures before or in a processor of the chain.',
      each(
        'processor',
        processors.map(({ name, queued }) => [name, queued]),
      ),
    ),
    counted(
      'warctap_processor_errors_total',
      'Captures that a processor has failed for.',
      each(
        'processor',
        processors.map(({ name, errors }) => [name, errors]),
      ),
    ),
    gauge(
      'warctap_bound_used',
      'How much is taken of what has a bound.',
      bounds.map(({ name, unit, used }) => ({ labels: { bound: name, unit }, value: used })),
    ),
    gauge(
      'warctap_bound_limit',
      'How much there is of it.',
      bounds.flatMap(({ name, unit, limit }) => (limit === undefined ? [] : [{ labels: { bound: name, unit }, value: limit }])),
    ),
    gauge(
      'warctap_free_bytes',
      'Space left on a disk.',
      each(
        'disk',
        disks.map(({ of, freeBytes }) => [of, freeBytes]),
      ),
    ),
    gauge(
      'warctap_min_free_bytes',
      'With less space than that, nothing more is begun.',
      each(
        'disk',
        disks.map(({ of, minBytes }) => [of, minBytes]),
      ),
    ),
    gauge(
      'warctap_database_up',
      'Whether a database is in use, 1, or away, 0.',
      each(
        'folder',
        databases.map(({ folder, problem }) => [folder, problem === undefined ? 1 : 0]),
      ),
    ),
    gauge(
      'warctap_database_waiting',
      'Entries that are put in later.',
      each(
        'folder',
        databases.map(({ folder, waiting }) => [folder, waiting]),
      ),
    ),
    counted(
      'warctap_database_lost_total',
      'Entries that never will be.',
      each(
        'folder',
        databases.map(({ folder, lost }) => [folder, lost]),
      ),
    ),
    gauge(
      'warctap_worker_up',
      'Whether a worker answers, 1, or not, 0.',
      each(
        'worker',
        workers.map(({ worker, problem }) => [String(worker), problem === undefined ? 1 : 0]),
      ),
    ),
    counted('warctap_meta_ignored_total', 'Requests whose Warcprox-Meta came without its secret.', one(status.metaIgnored)),
  ];
}

function histogramOf({ bounds, counts, sum }: CaptureCounts['durations']): Pick<HistogramFamily, 'bounds' | 'counts' | 'sum'> {
  return { bounds, counts, sum };
}
