/**
 * A visit: robots.txt, the page behind its redirects, and the report of it in the words of the published worker.
 */
import { performance } from 'node:perf_hooks';
import { MessageError } from '../../http/errors.ts';
import { FetchError } from '../../http/fetch-error.ts';
import { reasonOf } from '../../util/thrown.ts';
import { followed, type FollowLinks } from '../links.ts';
import { isoSeconds } from '../times.ts';
import { ACCEPT_ENCODING, redirectOf, type FetchedPage } from '../../page/fetched.ts';
import { isRefused, readBody, type FetchPage } from './page.ts';
import type { Robots } from './robots.ts';
import { timeOfDayMs } from '../../util/time-of-day.ts';

export interface Item {
  readonly url: string;
  /** of the latest visit */
  readonly headers: Readonly<Record<string, string>>;
}

export type ReportOut = Readonly<Record<string, unknown>> & { readonly url: string };

export interface VisitParts {
  readonly fetch: FetchPage;
  readonly robots: Robots;
  readonly userAgent: string;
  readonly follow: FollowLinks;
}

const MAX_REDIRECTS = 10;
const TIMEOUT_MS = 60_000;
/** The core begins nothing: that says nothing of the page. */
const NOT_NOW: ReadonlySet<string> = new Set(['no-space', 'shutting-down']);

/** @returns undefined when it could not be tried, or was given up by `stop` */
export async function visit(parts: VisitParts, item: Item, stop: AbortSignal): Promise<ReportOut | undefined> {
  const begun = performance.now();
  const visited = isoSeconds(timeOfDayMs());
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const done = (report: object): ReportOut => ({ url: item.url, visited, total_time: Math.round(performance.now() - begun), ...report });
  try {
    return done(await looked(parts, item, AbortSignal.any([stop, timeout])));
  } catch (error) {
    if (stop.aborted || (error instanceof FetchError && NOT_NOW.has(error.code))) return undefined;
    return done({ status_code: null, result: timeout.aborted ? 'Fetch timeout' : resultOf(error), headers: {} });
  }
}

async function looked({ fetch, robots, userAgent, follow }: VisitParts, item: Item, signal: AbortSignal): Promise<object> {
  const redirects: object[] = [];
  let url = item.url;
  for (;;) {
    const verdict = await robots.of(url, signal);
    signal.throwIfAborted();
    if ('problem' in verdict) return { status_code: null, result: `/robots.txt fetch problem: ${verdict.problem}`, headers: {}, redirects };
    if (!verdict.allowed) return { status_code: null, result: 'Deny by robots.txt', headers: {}, redirects };
    const begun = performance.now();
    const headers = {
      'User-Agent': userAgent,
      'Accept-Encoding': ACCEPT_ENCODING,
      ...(redirects.length === 0 ? conditions(item) : {}),
    };
    const page = await fetch(url, { headers, signal });
    const next = redirectOf(page);
    if (next !== undefined && redirects.length < MAX_REDIRECTS) {
      redirects.push({ url, status_code: page.status });
      page.cancel();
      url = next;
      continue;
    }
    const { length, digest, links } = await readBody(page, follow !== 'off');
    return {
      status_code: page.status,
      result: page.reason,
      headers: headersOf(page, item),
      fetch_time: Math.round(performance.now() - begun),
      content_length: length,
      content_digest: digest,
      ...(redirects.length === 0 ? {} : { redirects }),
      links: (await followed(links, page.url, follow)).map((link) => link.url),
    };
  }
}

/** Source: RFC 9110 §13.1.2, §13.1.3. */
function conditions({ headers }: Item): Readonly<Record<string, string>> {
  const of = (name: string) => Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  const [tag, modified] = [of('etag'), of('last-modified')];
  return { ...(tag === undefined ? {} : { 'If-None-Match': tag }), ...(modified === undefined ? {} : { 'If-Modified-Since': modified }) };
}

const NOT_MODIFIED = 304;

/** Of an answer that says that nothing has changed, those that are known stay. */
function headersOf({ status, headers }: FetchedPage, item: Item): Readonly<Record<string, string>> {
  return { ...(status === NOT_MODIFIED ? item.headers : {}), ...Object.fromEntries(headers) };
}

function resultOf(error: unknown): string {
  if (error instanceof MessageError) return 'Invalid URI';
  return isRefused(error) ? `Proxy: ${reasonOf(error)}` : reasonOf(error);
}
