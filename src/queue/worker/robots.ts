/**
 * What robots.txt lets be fetched: looked up once for each scheme and host, through the same road as pages, and remembered for ten minutes.
 *
 * Source: RFC 9309 §2.3.1 (redirects, unavailable, unreachable), §2.5 (at least 500 KiB are read). 401 and 403 forbid everything, as in the
 * published worker.
 */
import { LRUCache } from 'lru-cache';
import { reasonOf } from '../../util/thrown.ts';
import { redirectOf, type FetchPage } from './page.ts';

/** `allowed`, `denied`, or why that cannot be told. */
export type Verdict = { readonly allowed: boolean } | { readonly problem: string };
type Rules = (url: string) => Verdict;

const KEPT_MS = 600_000;
const MAX_HOSTS = 10_000;
const MAX_BYTES = 512 * 1024;
const MAX_REDIRECTS = 5;

export interface Robots {
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
        return { problem: reasonOf(error) };
      }
    },
  };
}

async function rulesOf(fetch: FetchPage, first: string, userAgent: string, signal: AbortSignal): Promise<Rules> {
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await fetch(url, { headers: { 'User-Agent': userAgent }, signal });
    const next = redirectOf(response);
    if (next !== undefined) {
      response.cancel();
      url = next;
      continue;
    }
    const { status } = response;
    if (status >= 200 && status <= 299) return await parsed(first, await beginning(response.body), userAgent);
    response.cancel();
    if (status === 401 || status === 403) return () => ({ allowed: false });
    if (status >= 400 && status <= 499) return () => ({ allowed: true });
    return () => ({ problem: `status ${status}` });
  }
  // Too many redirects: unavailable (§2.3.1.2).
  return () => ({ allowed: true });
}

async function parsed(url: string, text: string, userAgent: string): Promise<Rules> {
  const { default: parser } = await import('robots-parser');
  // Its types are those of an ES module, which it is not.
  const rules = (parser as unknown as typeof parser.default)(url, text);
  return (page) => ({ allowed: rules.isAllowed(page, userAgent) !== false });
}

async function beginning(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    pieces.push(piece);
    size += piece.length;
    if (size >= MAX_BYTES) break;
  }
  return Buffer.concat(pieces).subarray(0, MAX_BYTES).toString();
}
