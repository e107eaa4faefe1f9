/**
 * `/dashboard/captures.json`: captures that are kept in memory, the latest first, by the filters of `/events`; and
 * `/dashboard/archived.json`: all that the playback index has, by the beginning of a URL.
 */
import type { Listed, PlaybackIndex } from '../../store/playback.ts';
import { textResponse, type FetchHandler } from '../pages.ts';
import { beginningsOf } from './beginnings.ts';
import type { CaptureEvent } from './event.ts';
import { filterOf, numberIn, QueryError } from './filter.ts';
import type { Recent } from './recent.ts';

const MAX_FOUND = 500;
const USUAL = 200;

export function recentSearch(recent: Recent): FetchHandler {
  return understood((query) => {
    const wanted = filterOf(query, ['before', 'limit']);
    const limit = numberIn(query, 'limit', 1, MAX_FOUND) ?? USUAL;
    const before = numberIn(query, 'before', 1, Number.MAX_SAFE_INTEGER) ?? recent.next;
    const found: CaptureEvent[] = [];
    let id = Math.min(before, recent.next) - 1;
    for (; id >= recent.first && found.length < limit; id--) {
      const event = recent.peek(id);
      if (event !== undefined && wanted(event)) found.push(event);
    }
    const captures = found.map((event) => recent.textOf(event)).join(',');
    const rest = JSON.stringify({
      instance: recent.instance,
      next: recent.next,
      kept: recent.size,
      before: id >= recent.first ? id + 1 : null,
    });
    return `{"captures":[${captures}],${rest.slice(1)}`;
  });
}

/** @param index undefined: there is none */
export function archivedSearch(index: Pick<PlaybackIndex, 'list'> | undefined): FetchHandler {
  return understood(async (query) => {
    const url = query.get('url') ?? '';
    const limit = numberIn(query, 'limit', 1, MAX_FOUND) ?? USUAL;
    if (index === undefined) throw new QueryError('there is no index of what was archived: expected --playback-port of the proxy');
    const beginnings = beginningsOf(url);
    let { nth, from } = placeOf(query.get('from') ?? '0:', beginnings.length);
    const found: Listed[] = [];
    for (; nth < beginnings.length && found.length < limit; nth++, from = undefined) {
      const { captures, next } = await index.list(beginnings[nth] ?? '', limit - found.length, from);
      found.push(...captures);
      if (next !== undefined) return told(found, `${nth}:${next}`);
    }
    return told(found, nth < beginnings.length ? `${nth}:` : null);
  });
}

const told = (captures: readonly Listed[], next: string | null): string =>
  JSON.stringify({ captures: onceEach(captures).map(formOf), next });

/** Where a list goes on: in which beginning, and there from what. @throws QueryError */
function placeOf(text: string, beginnings: number): { nth: number; from: string | undefined } {
  const [, nth = '', from = ''] = /^(\d):(.*)$/s.exec(text) ?? [];
  if (nth === '' || Number(nth) >= beginnings)
    throw new QueryError(`from ${JSON.stringify(text.slice(0, 200))}: expected the next of an answer`);
  return { nth: Number(nth), from: from === '' ? undefined : from };
}

/** One that can answer several things is in the index as often. */
function onceEach(captures: readonly Listed[]): readonly Listed[] {
  return [...new Map(captures.map((capture) => [capture.recordId, capture])).values()];
}

function formOf({ url, startedAt, type, recordId, file, offset, length, payloadDigest, payloadSize }: Listed): object {
  const time = startedAt.toISOString();
  return { url, time, recordType: type, recordId, file, offset, length, digest: payloadDigest, size: payloadSize ?? null };
}

function understood(answer: (query: URLSearchParams) => string | Promise<string>): FetchHandler {
  return async (request) => {
    try {
      return jsonText(await answer(new URL(request.url).searchParams));
    } catch (error) {
      if (error instanceof QueryError) return textResponse('text/plain;charset=utf-8', `${error.message}\n`, 400);
      throw error;
    }
  };
}

/** JSON that nobody keeps, and no other site reads. */
export function jsonText(text: string): Response {
  const response = textResponse('application/json', `${text}\n`);
  response.headers.set('cache-control', 'no-store');
  response.headers.set('x-content-type-options', 'nosniff');
  response.headers.set('cross-origin-resource-policy', 'same-origin');
  return response;
}
