/**
 * Whether robots.txt of a page's site lets it be visited. Each is asked for once.
 *
 * Source: RFC 9309 §2.3.1.3 (unavailable: all is allowed), §2.3.1.4 (unreachable: nothing is).
 */
import { LRUCache } from 'lru-cache';
import type { FetchedPage } from '../page/fetched.ts';
import { askRobots, robotsRules, type RobotsRules } from '../page/robots.ts';

/** Sites remembered. */
const MAX_SITES = 1000;
const SERVER_ERRORS = 500;

type Allows = Pick<RobotsRules, 'allows'>;
const NOTHING: Allows = { allows: () => false };

/** @param agent what is said in User-Agent: its product token is compared @returns never throws */
export function robotsGate(ask: (url: string) => Promise<FetchedPage>, agent: string): (url: string) => Promise<boolean> {
  const sites = new LRUCache<string, Promise<Allows>>({ max: MAX_SITES });
  const rulesOf = async (origin: string): Promise<Allows> => {
    const url = `${origin}/robots.txt`;
    try {
      const { status, text } = await askRobots(url, ask);
      return status >= SERVER_ERRORS ? NOTHING : await robotsRules(url, text, agent);
    } catch {
      return NOTHING;
    }
  };
  return async (url) => {
    const { origin } = new URL(url);
    let rules = sites.get(origin);
    if (rules === undefined) sites.set(origin, (rules = rulesOf(origin)));
    return (await rules).allows(url);
  };
}
