/**
 * What warctap has to reach, as ratios within one run of the benchmark, and whether it did. Pure.
 */
import { figuresOf, table, type Figures, type Row } from './report.ts';

interface Target {
  readonly workload: string;
  /** a peer, or another workload of our own */
  readonly against: { readonly peer: string } | { readonly workload: string };
  readonly ratio: number;
  /** what is compared; requests a second when absent */
  readonly by?: 'cpu';
}

const TARGETS: readonly Target[] = [
  { workload: '1 kB unique, https, gzip', against: { peer: 'warcprox' }, ratio: 25 },
  { workload: '1 kB unique, http, gzip', against: { peer: 'warcprox' }, ratio: 12 },
  { workload: '50 kB over and over, https, gzip', against: { peer: 'warcprox' }, ratio: 8 },
  { workload: '1 kB unique, https', against: { peer: 'http-mitm-proxy' }, ratio: 1.3 },
  { workload: '1 kB unique, http', against: { peer: 'http-mitm-proxy' }, ratio: 1.3 },
  { workload: '10 MB unique, http', against: { peer: 'warcprox' }, ratio: 1.25 },
  { workload: '10 MB unique, http', against: { peer: 'http-mitm-proxy' }, ratio: 0.8 },
  { workload: '1,000 hosts once each, https, gzip', against: { peer: 'http-mitm-proxy' }, ratio: 5 },
  // A request costs 1.2 times as much at most.
  { workload: '2,000,000 in the index, 1 kB unique, http, gzip', against: { workload: '1 kB unique, http, gzip' }, ratio: 1 / 1.2 },
  { workload: 'all cores, 1 kB unique, https, gzip', against: { workload: '1 kB unique, https, gzip' }, ratio: 1.4 },
  // A request costs all processes together 1.15 times as much at most.
  ...[16, 256, 2000].flatMap((connections) =>
    ['2', 'auto'].map((workers) => ({
      workload: `workers: ${workers}, connections: ${connections}`,
      against: { workload: `workers: 1, connections: ${connections}` },
      ratio: 1 / 1.15,
      by: 'cpu' as const,
    })),
  ),
];
const MAX_P99_MS = 20;
const MAX_RSS_MB = 250;

/** @returns a line for each target that the rows have something to say about */
export function targetsTable(rows: readonly Row[]): string {
  const lines = [...TARGETS.flatMap((target) => ratioLine(target, rows)), ...limitLines(rows)];
  return table([['target', 'against', 'figure', 'by CPU', 'wanted', ''], ...lines]);
}

function ratioLine({ workload, against, ratio, by }: Target, rows: readonly Row[]): string[][] {
  const ours = figures(rows, workload, 'warctap');
  const theirs = 'peer' in against ? figures(rows, workload, against.peer) : figures(rows, against.workload, 'warctap');
  if (ours === undefined || theirs === undefined) return [];
  const reached = ours.requestsPerSecond / theirs.requestsPerSecond;
  const other = 'peer' in against ? against.peer : against.workload;
  const byCpu = theirs.cpuUs / ours.cpuUs;
  return [
    [
      workload,
      other,
      `${reached.toFixed(2)} x`,
      `${byCpu.toFixed(2)} x`,
      `${Number(ratio.toFixed(2))} x`,
      verdict((by === 'cpu' ? byCpu : reached) >= ratio),
    ],
  ];
}

function limitLines(rows: readonly Row[]): string[][] {
  const own = rows.filter(({ proxy }) => proxy === 'warctap');
  if (own.length === 0) return [];
  const small = own.filter(
    ({ workload }) => workload.size === 1000 && workload.connections === 16 && workload.hosts === 0 && workload.keepAlive,
  );
  const p99Ms = highest(
    small.filter(({ workload }) => !workload.allCores),
    (figures) => figures.p99Ms,
  );
  const rssMb = highest(
    own.filter(({ workload }) => workload.workers === 0),
    ({ peakRssMb }) => peakRssMb,
  );
  const failed = own.reduce((sum, { failures }) => sum + failures.length, 0);
  return [
    ...(p99Ms === undefined
      ? []
      : [['highest p99, 1 kB, 16 kept connections', '', `${p99Ms.toFixed(1)} ms`, '', `< ${MAX_P99_MS} ms`, verdict(p99Ms < MAX_P99_MS)]]),
    ...(rssMb === undefined
      ? []
      : [['highest peak RSS', '', `${Math.round(rssMb)} MB`, '', `< ${MAX_RSS_MB} MB`, verdict(rssMb < MAX_RSS_MB)]]),
    ['runs with an error or an incomplete archive', '', String(failed), '', '0', verdict(failed === 0)],
  ];
}

function figures(rows: readonly Row[], workload: string, proxy: string): Figures | undefined {
  const row = rows.find((row) => row.workload.name === workload && row.proxy === proxy);
  return row && figuresOf(row);
}

function highest(rows: readonly Row[], of: (figures: Figures) => number): number | undefined {
  const values = rows.flatMap((row) => figuresOf(row) ?? []).map(of);
  return values.length === 0 ? undefined : Math.max(...values);
}

const verdict = (met: boolean): string => (met ? 'met' : 'missed');
