/**
 * The command line of `npm run bench`.
 */
import { parseArgs } from 'node:util';
import { LIMITS, PEERS } from './peers/index.ts';
import { WORKLOADS, type Workload } from './workloads.ts';

export interface Options {
  readonly runs: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** that count, instead of seconds; 0: seconds */
  readonly requests: number;
  readonly workloads: readonly Workload[];
  /** nothing: those of each workload */
  readonly peers: readonly string[] | undefined;
  /** file for the results as JSON */
  readonly out: string | undefined;
  readonly profile: readonly string[] | undefined;
  /** a checkout that is measured, too, as "before" */
  readonly before: string | undefined;
  /** measured once more, with its dashboard open in a browser */
  readonly dashboard: boolean;
  readonly install: boolean;
  readonly help: boolean;
}

export const HELP = `npm run bench -- [options]

  --runs N        runs of each workload, medians count (3)
  --seconds N     that count of each run (5)
  --warm-up N     seconds before them (2)
  --requests N    so many count, after half as many of warm-up, instead of seconds: for processor time on a busy machine
  --only WORDS    only workloads with these words in their name, in whatever order; may be repeated. Those of
                  many processes are measured only so: --only workers:
  --peers LIST    measure these in all chosen workloads: names with commas, all or none
  --before DIR    measure another checkout too, which has been built, right after this one
  --dashboard     measure once more with the dashboard open in Chromium
  --out FILE      write the results there as JSON
  --install       install the peers into tmp/bench (all, or those of --peers), and end
  --profile WORDS run the first workload with these words under the profiler, and end

workloads: ${WORKLOADS.map(({ name }) => name).join('\n           ')}
peers:     ${PEERS.map(({ name }) => name).join(', ')}
limits:    ${LIMITS.join(', ')} (named like peers)`;

/** @throws Error of one line */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '2' },
      requests: { type: 'string' },
      only: { type: 'string', multiple: true, default: [''] },
      peers: { type: 'string' },
      out: { type: 'string' },
      before: { type: 'string' },
      dashboard: { type: 'boolean', default: false },
      install: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const runs = number('runs', values.runs);
  if (!Number.isInteger(runs)) throw new Error(`--runs: ${values.runs} is not a whole number`);
  return {
    runs,
    seconds: number('seconds', values.seconds),
    warmUpSeconds: number('warm-up', values['warm-up']),
    requests: values.requests === undefined ? 0 : number('requests', values.requests),
    workloads: chosenWorkloads(values.only),
    peers: values.peers === undefined ? undefined : chosenPeers(values.peers),
    out: values.out,
    before: values.before,
    profile: values.profile === undefined ? undefined : words(values.profile),
    dashboard: values.dashboard,
    install: values.install,
    help: values.help,
  };
}

export const words = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** A name that is given in full means that workload alone. */
function matches(name: string, text: string): boolean {
  return WORKLOADS.some((workload) => workload.name === text) ? name === text : hasWords(name, words(text));
}

/** All words, each as a word of its own: `http` is not `https`. */
export function hasWords(name: string, wanted: readonly string[]): boolean {
  const own = words(name);
  return wanted.every((word) => own.includes(word));
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new Error(`--${name}: ${text} is not a number above 0`);
  return value;
}

function chosenWorkloads(wanted: readonly string[]): readonly Workload[] {
  const workloads = WORKLOADS.filter(({ name, apart }) => wanted.some((text) => (text !== '' || !apart) && matches(name, text)));
  if (workloads.length === 0) throw new Error(`--only: no workload has the words ${wanted.join(' or ')} in its name`);
  return workloads;
}

function chosenPeers(text: string): readonly string[] {
  const known = [...PEERS.map(({ name }) => name), ...LIMITS];
  if (text === 'none') return [];
  if (text === 'all') return known;
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--peers: ${unknown} is none of ${known.join(', ')}`);
  return names;
}
