/**
 * Results as tables (Markdown) and as plain values for JSON. Pure.
 */
import type { Measured } from './measure.ts';
import type { Workload } from './workloads.ts';

/** One proxy (or limit) in one workload. */
export interface Row {
  readonly workload: Workload;
  readonly proxy: string;
  /** those that were good */
  readonly runs: readonly Measured[];
  /** why runs failed */
  readonly failures: readonly string[];
}

export interface Figures {
  readonly requestsPerSecond: number;
  readonly mbPerSecond: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly peakRssMb: number;
  readonly errors: number;
  readonly handshakes: number;
  readonly records: number;
  readonly loadShare: number;
  readonly balance: number;
  /** of browsers; 0: none were loaded */
  readonly pagesPerSecond: number;
  readonly cpuMsPerPage: number;
  readonly requestsPerPage: number;
  readonly stopSeconds: number;
}

/** Medians, each figure for itself; of peak RSS the highest. @returns nothing when no run was good */
export function figuresOf({ runs, workload }: Row): Figures | undefined {
  if (runs.length === 0) return undefined;
  const middle = (of: (run: Measured) => number) => median(runs.map(of));
  return {
    requestsPerSecond: middle(({ requests, seconds }) => requests / seconds),
    mbPerSecond: middle(({ bytes, seconds }) => bytes / seconds / 1e6),
    cpuUs: middle((run) => run.cpuUs),
    p50Ms: middle((run) => run.p50Ms),
    p99Ms: middle((run) => run.p99Ms),
    peakRssMb: Math.max(...runs.map((run) => run.peakRssMb)),
    errors: middle((run) => run.errors),
    handshakes: workload.scheme === 'https' ? middle((run) => run.connects) : 0,
    records: middle((run) => run.responses + run.revisits + run.requestRecords),
    loadShare: middle((run) => run.loadShare),
    balance: middle((run) => run.balance),
    pagesPerSecond: middle(({ pages = 0, seconds }) => pages / seconds),
    cpuMsPerPage: middle(({ pages = 0, requests, cpuUs }) => (pages === 0 ? 0 : (cpuUs * requests) / pages / 1000)),
    requestsPerPage: middle(({ pages = 0, requests }) => (pages === 0 ? 0 : requests / pages)),
    stopSeconds: middle((run) => run.stopSeconds),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? 0)) / 2;
}

export function resultsTable(rows: readonly Row[]): string {
  const head = [
    'workload',
    'proxy',
    'requests/s',
    'MB/s',
    'CPU µs/request',
    'p50 ms',
    'p99 ms',
    'peak RSS MB',
    'handshakes',
    'records',
    'load %',
    'balance %',
  ];
  const body = rows.map((row) => {
    const figures = figuresOf(row);
    if (figures === undefined) return [row.workload.name, row.proxy, `failed: ${(row.failures[0] ?? '').split('\n', 1)[0] ?? ''}`];
    const { requestsPerSecond, mbPerSecond, cpuUs, p50Ms, p99Ms, peakRssMb, handshakes, records, loadShare, balance } = figures;
    const failed = row.failures.length === 0 ? '' : ` (${row.failures.length} failed)`;
    const whole = [handshakes, records, loadShare * 100, balance * 100].map((value) => String(Math.round(value)));
    const speed = [rounded(requestsPerSecond) + failed, rounded(mbPerSecond)];
    return [
      row.workload.name,
      row.proxy,
      ...speed,
      String(Math.round(cpuUs)),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      String(Math.round(peakRssMb)),
      ...whole,
    ];
  });
  return table([head, ...body]);
}

/** Rows of browsers that load pages, whose times are those of a page. @returns undefined where there are none */
export function pagesTable(rows: readonly Row[]): string | undefined {
  const lines = rows.flatMap((row) => {
    const figures = row.workload.browsers === 0 ? undefined : figuresOf(row);
    if (figures === undefined) return [];
    const { pagesPerSecond, cpuMsPerPage, requestsPerPage, p50Ms, p99Ms, peakRssMb } = figures;
    const whole = [p50Ms, p99Ms, peakRssMb].map((value) => String(Math.round(value)));
    return [[row.workload.name, row.proxy, pagesPerSecond.toFixed(1), cpuMsPerPage.toFixed(1), requestsPerPage.toFixed(1), ...whole]];
  });
  if (lines.length === 0) return undefined;
  return table([['pages', 'proxy', 'pages/s', 'CPU ms/page', 'requests', 'p50 ms', 'p99 ms', 'peak RSS MB'], ...lines]);
}

/** Rows of many processes, as docs/scale.md has them: beside one process with as many connections. @returns undefined where there are none */
export function processesTable(rows: readonly Row[]): string | undefined {
  const many = rows.filter(({ workload, proxy }) => workload.workers !== 0 && proxy === 'warctap');
  if (many.length === 0) return undefined;
  const lines = many.map((row) => {
    const { workers, connections, store } = row.workload;
    const one = many.find(({ workload }) => workload.workers === 1 && workload.connections === connections && !workload.store);
    const [figures, ofOne] = [figuresOf(row), one && figuresOf(one)];
    const what = [String(workers), connections.toLocaleString('en'), store ? 'Valkey' : 'LevelDB'];
    if (figures === undefined) return [...what, 'failed', '', '', '', '', '', ''];
    const times = ofOne === undefined ? '' : `${(figures.cpuUs / ofOne.cpuUs).toFixed(2)} x`;
    const { requestsPerSecond, cpuUs, p50Ms, p99Ms, peakRssMb, balance } = figures;
    const latency = [p50Ms.toFixed(1), p99Ms.toFixed(1)];
    return [
      ...[...what, rounded(requestsPerSecond), String(Math.round(cpuUs)), times, ...latency],
      ...[String(Math.round(peakRssMb)), workers === 1 ? '' : `${Math.round(balance * 100)} %`],
    ];
  });
  const head = ['workers', 'connections', 'store', 'requests/s', 'CPU µs/request', 'of one', 'p50 ms', 'p99 ms', 'MB of all', 'balance'];
  return table([head, ...lines]);
}

const rounded = (value: number): string => (value < 100 ? value.toFixed(1) : String(Math.round(value)));

/** @param lines the first is the head */
export function table(lines: readonly (readonly string[])[]): string {
  const [head = []] = lines;
  const widths = head.map((_, column) =>
    Math.max(3, ...lines.map((line) => (line.length === head.length ? (line[column] ?? '').length : 0))),
  );
  const write = (line: readonly string[]) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [write(head), rule, ...lines.slice(1).map(write)].join('\n');
}
