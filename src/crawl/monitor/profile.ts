/**
 * Where the time of this process goes: a profile of the CPU, by the inspector of Node, one at a time.
 *
 * A call is a sample in which a function was the innermost one; a function that is also further out has called itself.
 */
import { Session, type Profiler } from 'node:inspector/promises';
import { setTimeout } from 'node:timers/promises';
import { create, isFieldSet } from '@bufbuild/protobuf';
import { Failure } from '../failure.ts';
import {
  PerformanceProfileFunctionSchema,
  RequestPerformanceProfileSchema,
  ResponsePerformanceProfileSchema,
  type PerformanceProfileFunction,
  type RequestPerformanceProfile,
  type ResponsePerformanceProfile,
} from '../proto/starbelly_pb.ts';

const SORT_KEYS = {
  file: (each) => each.file,
  line_number: (each) => each.lineNumber,
  function: (each) => each.function,
  calls: (each) => each.calls,
  non_recursive_calls: (each) => each.nonRecursiveCalls,
  total_time: (each) => each.totalTime,
  cumulative_time: (each) => each.cumulativeTime,
} satisfies Record<string, (each: PerformanceProfileFunction) => string | number>;

const MAX_SECONDS = 60;
const SAMPLE_US = 1000;
const MICROSECONDS = 1_000_000;
let running = false;

/** @throws Failure */
export async function profile(request: RequestPerformanceProfile): Promise<ResponsePerformanceProfile> {
  const { duration, sortBy, topN } = request;
  if (!Object.hasOwn(SORT_KEYS, sortBy)) throw new Failure(`Invalid sort key: ${sortBy}`);
  if (running) throw new Failure('A profile is already running');
  running = true;
  try {
    const functions = functionsOf(await sampled(Math.min(Math.max(duration, 0), MAX_SECONDS) * 1000));
    const key = SORT_KEYS[sortBy as keyof typeof SORT_KEYS];
    functions.sort((a, b) => descending(key(a), key(b)));
    return create(ResponsePerformanceProfileSchema, {
      totalCalls: functions.reduce((sum, { calls }) => sum + calls, 0),
      totalTime: functions.reduce((sum, { totalTime }) => sum + totalTime, 0),
      functions: isFieldSet(request, RequestPerformanceProfileSchema.field.topN) ? functions.slice(0, Math.max(topN, 0)) : functions,
    });
  } finally {
    running = false;
  }
}

async function sampled(ms: number): Promise<Profiler.Profile> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
    await session.post('Profiler.start');
    await setTimeout(ms);
    return (await session.post('Profiler.stop')).profile;
  } finally {
    session.disconnect();
  }
}

function functionsOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): PerformanceProfileFunction[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const selfTimes = new Map<number, number>();
  samples.forEach((id, index) => selfTimes.set(id, (selfTimes.get(id) ?? 0) + Math.max(0, timeDeltas[index] ?? 0) / MICROSECONDS));
  const functions = new Map<string, PerformanceProfileFunction>();
  const open = new Set<string>();

  /** @returns the time of a node and all that it has called */
  const visit = (node: Profiler.ProfileNode): number => {
    const { functionName, url, lineNumber, columnNumber } = node.callFrame;
    const key = `${functionName} ${url} ${lineNumber} ${columnNumber}`;
    const outermost = !open.has(key);
    open.add(key);
    const own = selfTimes.get(node.id) ?? 0;
    const inner = (node.children ?? []).map((id) => byId.get(id)).filter((child) => child !== undefined);
    const whole = inner.reduce((sum, child) => sum + visit(child), own);
    if (outermost) open.delete(key);
    if (functionName === '(root)') return whole;
    const known =
      functions.get(key) ??
      create(PerformanceProfileFunctionSchema, {
        file: url,
        lineNumber: lineNumber + 1,
        function: functionName || '(anonymous)',
        calls: 0,
        nonRecursiveCalls: 0,
        totalTime: 0,
        cumulativeTime: 0,
      });
    const hits = node.hitCount ?? 0;
    known.calls += hits;
    known.totalTime += own;
    if (outermost) {
      known.nonRecursiveCalls += hits;
      known.cumulativeTime += whole;
    }
    functions.set(key, known);
    return whole;
  };
  const [root] = nodes;
  if (root !== undefined) visit(root);
  return [...functions.values()];
}

function descending(a: string | number, b: string | number): number {
  return a < b ? 1 : a > b ? -1 : 0;
}
