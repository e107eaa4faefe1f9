/**
 * How many statistics buckets clients may begin: each one that was not named lately costs a look-up, and memory until it is written.
 *
 * Names that were let through are known for a while, so that a crawl which goes on naming its own pays nothing.
 */
import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { plainAnswer, type Answer } from '../http/answer.ts';

/** At once, and again after so many seconds without any as it takes to fill up. */
const MAX_AT_ONCE = 10_000;
const PER_SECOND = 1_000;
const KNOWN_NAMES = 100_000;
/** characters of all names that are known */
const KNOWN_CHARS = 8 * 1024 * 1024;

export interface NewBuckets {
  /**
   * Let a request's buckets in.
   *
   * @param crowded so many buckets wait to be written that no new one is wanted
   * @returns what a client is told whose buckets are too many at the moment; nothing is counted then
   */
  refuse(names: readonly string[], crowded: boolean): Answer | undefined;
}

export function newBuckets(): NewBuckets {
  const known = new LRUCache<string, true>({ max: KNOWN_NAMES, maxSize: KNOWN_CHARS, sizeCalculation: (_true, name) => name.length + 1 });
  let free = MAX_AT_ONCE;
  let sinceMs = performance.now();

  const fillUp = () => {
    const nowMs = performance.now();
    free = Math.min(MAX_AT_ONCE, free + ((nowMs - sinceMs) / 1000) * PER_SECOND);
    sinceMs = nowMs;
  };

  return {
    refuse(names, crowded) {
      let unknown = 0;
      for (const name of names) if (known.get(name) === undefined) unknown++;
      if (unknown === 0) return undefined;
      fillUp();
      if (crowded || unknown > free) {
        const seconds = Math.max(1, Math.ceil((unknown - free) / PER_SECOND));
        const line = `Warcprox-Meta: stats.buckets: ${unknown} of them are new, expected at most ${PER_SECOND} new ones a second, try again in ${seconds} s`;
        return { ...plainAnswer(429, line), fields: [['Retry-After', String(seconds)]] };
      }
      free -= unknown;
      for (const name of names) known.set(name, true);
      return undefined;
    },
  };
}
