/**
 * What all workers may have together, divided among them.
 */
import type { ResolvedOptions } from '../../options/table.ts';

/** At least so much for heads: one of the largest has room. */
const MIN_HEADS = 1_048_576;
/** Connections are counted by the primary process, which has them all: a worker may have more of them than another. */
const NUMBERS = ['maxThreads', 'queueSize', 'cdxserverDedupMaxThreads', 'maxMemory', 'maxSpool'] as const;

/** More workers than this would leave one with nothing. */
export function mostWorkers({ maxThreads, maxConnections, queueSize }: ResolvedOptions): number {
  return Math.min(maxThreads, maxConnections, queueSize);
}

/** @param number of the worker, from 1 on. What does not divide goes to the first of them. 0, where it is no limit, stays so */
export function shareOf(options: ResolvedOptions, number: number, of: number): ResolvedOptions {
  const part = (whole: number) => Math.floor(whole / of) + (number <= whole % of ? 1 : 0);
  const parts = NUMBERS.flatMap((name) => {
    const whole = options[name];
    // Zero bytes of temporary files mean no limit, so none must come of dividing.
    if (whole === undefined || whole === 0) return [];
    return [[name, name === 'maxSpool' ? Math.max(part(whole), 1) : part(whole)] as const];
  });
  return { ...options, ...Object.fromEntries(parts), maxHeadMemory: Math.max(part(options.maxHeadMemory), MIN_HEADS) };
}
