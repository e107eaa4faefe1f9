/**
 * The time of day, as it was when the program started and has gone on since: it never steps, back or forth.
 *
 * Leases and visits are written down with it and outlive the program, so a monotonic count alone will not do.
 */
import { performance } from 'node:perf_hooks';
import { timeOfDayMs } from '../util/time-of-day.ts';

/** Milliseconds since 1970. */
export type Clock = () => number;

export function steadyClock(): Clock {
  const origin = timeOfDayMs() - performance.now();
  return () => Math.floor(origin + performance.now());
}
