/**
 * One workload with the proxy under V8's profiler: where its time goes, in µs of self time for each request.
 *
 * `npm run bench -- --profile WORDS`, or without a build `node --import tsx test/bench/profile.ts WORDS [SECONDS]`.
 * Counts only samples of the time that counts, without the warm-up. Copies the profile to tmp/bench, where Chrome's developer tools open it.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { measure, type Measured } from './measure.ts';
import { hasWords } from './options.ts';
import { profiled } from './peers/warctap.ts';
import { WORKLOADS, type Workload } from './workloads.ts';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame; readonly children?: readonly number[] }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  /** µs since the sample before */
  readonly timeDeltas: readonly number[];
}

const ROWS = 30;
const KEPT = 'tmp/bench/last.cpuprofile';

/** @param words the workload's name, or words of it: the first that has all of them */
export async function profile(words: readonly string[], seconds = 5): Promise<void> {
  const workload = WORKLOADS.find(({ name }) => name === words.join(' ')) ?? WORKLOADS.find(({ name }) => hasWords(name, words));
  if (workload === undefined) throw new Error(`no workload has ${words.join(' ')} in its name`);
  await measure(workload, profiled, { warmUpSeconds: 2, seconds, requests: 0 }, (dir, measured) =>
    Promise.resolve(report(workload, dir, measured)),
  );
}

function report(workload: Workload, dir: string, measured: Measured): void {
  const folder = join(dir, 'proxy', 'profile');
  const [name = ''] = readdirSync(folder);
  mkdirSync('tmp/bench', { recursive: true });
  copyFileSync(join(folder, name), KEPT);
  const cpuProfile = JSON.parse(readFileSync(KEPT, 'utf8')) as CpuProfile;
  const keysBy = (keyOf: (frame: CallFrame) => string) => new Map(cpuProfile.nodes.map(({ id, callFrame }) => [id, keyOf(callFrame)]));
  const byFunction = keysBy(({ functionName, url, lineNumber }) =>
    url === '' ? functionName : `${functionName || '(anonymous)'} ${place(url)}:${lineNumber + 1}`,
  );
  const byFile = keysBy(({ functionName, url }) => (url === '' ? functionName : place(url)));
  const rate = Math.round(measured.requests / measured.seconds);
  console.log(`${workload.name}, under the profiler: ${rate} requests/s, ${Math.round(measured.cpuUs)} µs CPU a request (all threads)`);
  console.log(`load and origin were busy ${Math.round(measured.loadShare * 100)} % of their core`);
  const { requests } = measured;
  print('µs/request by function', selfTimes(cpuProfile, measured, byFunction), requests);
  print('µs/request by file', selfTimes(cpuProfile, measured, byFile), requests);
  print('µs/request by the file of ours that it was done for', selfTimes(cpuProfile, measured, ownersOf(cpuProfile)), requests);
  console.log(`profile: ${KEPT}`);
}

/** For each node the nearest file of dist/ that called it, or Node. */
function ownersOf({ nodes }: CpuProfile): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<number, string>();
  const walk = (id: number, caller: string) => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { url, functionName } = node.callFrame;
    const own = place(url);
    const owner =
      own.startsWith('dist/') && !own.startsWith('dist/esm/') ? own : functionName.startsWith('(') && caller === '' ? functionName : caller;
    owners.set(id, owner || 'node');
    for (const child of node.children ?? []) walk(child, owner === '(root)' ? '' : owner);
  };
  const [root] = nodes;
  if (root !== undefined) walk(root.id, '');
  return owners;
}

/** @param keys of the nodes */
function selfTimes(profile: CpuProfile, { fromUs, toUs }: Measured, keys: ReadonlyMap<number, string>): Map<string, number> {
  const times = new Map<string, number>();
  let atUs = profile.startTime;
  profile.samples.forEach((id, index) => {
    // A sample stands for the time until the next one.
    atUs += profile.timeDeltas[index] ?? 0;
    const key = keys.get(id) ?? '';
    if (atUs >= fromUs && atUs < toUs) times.set(key, (times.get(key) ?? 0) + (profile.timeDeltas[index + 1] ?? 0));
  });
  return times;
}

function print(title: string, times: Map<string, number>, requests: number): void {
  let total = 0;
  for (const [key, us] of times) if (key !== '(idle)') total += us;
  console.log(`\n${title}; busy ${(total / requests).toFixed(1)}, idle ${((times.get('(idle)') ?? 0) / requests).toFixed(1)}`);
  const sorted = [...times].filter(([key]) => key !== '(idle)').sort(([, a], [, b]) => b - a);
  for (const [key, us] of sorted.slice(0, ROWS)) {
    console.log(`${(us / requests).toFixed(2).padStart(8)} ${((us / total) * 100).toFixed(1).padStart(5)} %  ${key}`);
  }
}

/** `dist/proxy/exchange.js`, `node:net`, `node_modules/…` */
function place(url: string): string {
  return url.replace(/^file:\/\//, '').replace(/^.*\/((?:dist|node_modules)\/)/, '$1');
}

if (import.meta.filename === process.argv[1]) {
  const words = process.argv.slice(2);
  const seconds = Number(words.at(-1));
  await profile(Number.isNaN(seconds) ? words : words.slice(0, -1), Number.isNaN(seconds) ? undefined : seconds);
}
