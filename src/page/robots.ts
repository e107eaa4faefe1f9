/**
 * robots.txt: asked for through whatever road, and what it says.
 *
 * Source: RFC 9309 §2.3.1 (redirects), §2.5 (at least 500 KiB are read), §2.2.1 (product tokens).
 */
import { redirectOf, type FetchedPage } from './fetched.ts';

const MAX_BYTES = 512 * 1024;
const MAX_REDIRECTS = 5;

/** `text` of a 2xx answer. Past five redirects the status is 404: that counts as there being none (§2.3.1.2). */
export interface RobotsAnswer {
  readonly status: number;
  readonly text: string;
}

/** @throws whatever `ask` throws */
export async function askRobots(first: string, ask: (url: string) => Promise<FetchedPage>): Promise<RobotsAnswer> {
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await ask(url);
    const { status } = response;
    if (status >= 200 && status <= 299) return { status, text: await beginning(response.body) };
    response.cancel();
    const next = redirectOf(response);
    if (next === undefined) return { status, text: '' };
    url = next;
  }
  return { status: 404, text: '' };
}

export interface RobotsRules {
  allows(page: string): boolean;
  /** seconds */
  readonly crawlDelay: number | undefined;
  readonly sitemaps: readonly string[];
}

/** @param url of the robots.txt @param agent what a crawler calls itself: its product token is compared */
export async function robotsRules(url: string, text: string, agent: string): Promise<RobotsRules> {
  const { default: parser } = await import('robots-parser');
  // Its types are those of an ES module, which it is not.
  const rules = (parser as unknown as typeof parser.default)(url, text.replace(/^\ufeff/, ''));
  const token = productToken(agent);
  return {
    allows: (page) => rules.isAllowed(page, token) !== false,
    crawlDelay: rules.getCrawlDelay(token),
    sitemaps: rules.getSitemaps(),
  };
}

/** What stands in front of the first slash or space, in lower case. */
export function productToken(agent: string): string {
  return (/^[^/\s]*/.exec(agent.trim())?.[0] ?? '').toLowerCase();
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
