/**
 * What robots.txt lets be fetched: looked up once for each scheme and host, through the same road as pages, and remembered for ten minutes.
 *
 * Source: RFC 9309 §2.3.1 (unavailable, unreachable). 401 and 403 forbid everything, as in the
 * published worker.
 */
import { LRUCache } from 'lru-cache';
import { askRobots, robotsRules } from '../../page/robots.ts';
import { reasonOf } from '../../util/thrown.ts';
import { isRefused, type FetchPage } from './page.ts';

/** `allowed`, `denied`, or why that cannot be told. */
export type Verdict = { readonly allowed: boolean } | { readonly problem: string };
type Rules = (url: string) => Verdict;

const KEPT_MS = 600_000;
const MAX_HOSTS = 10_000;

export interface Robots {
  /** @throws what the core does not let through (`isRefused`) */
  of(url: string, signal: AbortSignal): Promise<Verdict>;
}

export function robots(fetch: FetchPage, userAgent: string): Robots {
  const known = new LRUCache<string, Promise<Rules>>({ max: MAX_HOSTS, ttl: KEPT_MS });
  return {
    async of(url, signal) {
      const { origin } = new URL(url);
      const rules = known.get(origin) ?? rulesOf(fetch, `${origin}/robots.txt`, userAgent, signal);
      known.set(origin, rules, { noUpdateTTL: true });
      try {
        return (await rules)(url);
      } catch (error) {
        // The next one may have more luck.
        known.delete(origin);
        // What the core does not let through says nothing of robots.txt: the page would not be let through, either.
        if (isRefused(error)) throw error;
        return { problem: reasonOf(error) };
      }
    },
  };
}

async function rulesOf(fetch: FetchPage, first: string, userAgent: string, signal: AbortSignal): Promise<Rules> {
  const { status, text } = await askRobots(first, (url) => fetch(url, { headers: { 'User-Agent': userAgent }, signal }));
  if (status >= 200 && status <= 299) {
    const rules = await robotsRules(first, text, userAgent);
    return (page) => ({ allowed: rules.allows(page) });
  }
  if (status === 401 || status === 403) return () => ({ allowed: false });
  if (status >= 300 && status <= 499) return () => ({ allowed: true });
  return () => ({ problem: `status ${status}` });
}
