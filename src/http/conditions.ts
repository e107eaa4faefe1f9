/**
 * Conditional requests, judged by the validators of an answer: ETag and Last-Modified.
 *
 * Source: RFC 9110 §8.8.3 (comparison of tags), §13.1.2, §13.1.3, §13.1.5, §13.2.2 (order).
 */
import type { Fields } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Whether the client has this answer already, so that 304 says all. */
export function isNotModified(request: Fields, answer: Fields): boolean {
  const tags = request.all('if-none-match').join(',');
  if (request.has('if-none-match')) {
    if (tags.trim() === '*') return true;
    const own = tagIn(answer);
    return own !== undefined && [...tags.matchAll(TAG)].some(([, , opaque]) => opaque === own.opaque);
  }
  const since = parseHttpDate(request.get('if-modified-since') ?? '');
  const modified = parseHttpDate(answer.get('last-modified') ?? '');
  return since !== undefined && modified !== undefined && modified <= since;
}

/** Whether a range of this answer fits what the client has of it. True without If-Range. */
export function rangeApplies(request: Fields, answer: Fields): boolean {
  const condition = request.get('if-range');
  if (condition === undefined) return true;
  if (condition.includes('"')) {
    const own = tagIn(answer);
    return own !== undefined && !own.weak && condition === own.opaque;
  }
  const modified = parseHttpDate(answer.get('last-modified') ?? '');
  const date = parseHttpDate(answer.get('date') ?? '');
  const wanted = parseHttpDate(condition);
  if (modified === undefined || date === undefined || wanted === undefined) return false;
  // What was modified in the second in which it was sent may have been modified again in it (§8.8.2.2).
  return modified.getTime() === wanted.getTime() && modified < date;
}

function tagIn(answer: Fields): { readonly weak: boolean; readonly opaque: string } | undefined {
  const value = answer.get('etag');
  const [match] = value?.matchAll(TAG) ?? [];
  if (match?.[2] === undefined || match[0] !== value) return undefined;
  return { weak: match[1] !== undefined, opaque: match[2] };
}
