/**
 * Which links of a report become new URLs: those it names, those in its page if they are to be followed, less what the filter drops.
 */
import { setImmediate } from 'node:timers/promises';
import type { Regex } from '../regex/regex.ts';
import type { TimeSlices } from '../util/slices.ts';
import { decoderOf } from '../page/charset.ts';
import { isHtml } from '../page/html.ts';
import { followed, linkReader, type FollowLinks } from './links.ts';
import { distinct, type Report } from './reports.ts';
import type { KnownUrl } from './urls.ts';

export interface PageLinksParts {
  readonly follow: FollowLinks;
  /** what a link has to match, whole */
  readonly filter: Regex | undefined;
  readonly slices: TimeSlices;
}

const MAX_PAGE_BYTES = 10 * 1024 * 1024;
/** Parsed in one go, in bytes: a millisecond or so. */
const STEP_BYTES = 65_536;

export function pageLinks({ follow, filter, slices }: PageLinksParts): (reports: readonly Report[]) => Promise<readonly Report[]> {
  const passes = async (links: readonly KnownUrl[]): Promise<readonly KnownUrl[]> => {
    if (filter === undefined) return links;
    const kept: KnownUrl[] = [];
    for (const link of links) if (await slices.run(filter.match(link.url))) kept.push(link);
    return kept;
  };
  return async (reports) => {
    if (follow === 'off' && filter === undefined) return reports;
    const all: Report[] = [];
    for (const report of reports) {
      const found = await followed(follow === 'off' ? [] : await inPage(report), report.found?.url ?? '', follow);
      all.push({ ...report, links: await passes(distinct([...report.links, ...found])) });
    }
    return all;
  };
}

async function inPage({ found, visit, body }: Report): Promise<readonly KnownUrl[]> {
  if (found === undefined || body === undefined || !isHtml(visit?.type)) return [];
  const reader = await linkReader(found.url);
  const decoder = decoderOf(visit?.type, body);
  for (let at = 0; at < Math.min(body.length, MAX_PAGE_BYTES); at += STEP_BYTES) {
    reader.write(decoder.decode(body.subarray(at, at + STEP_BYTES), { stream: true }));
    await setImmediate();
  }
  return reader.end();
}
