/** Pages of lists. */
import { Failure } from '../failure.ts';
import type { Page } from '../proto/starbelly_pb.ts';

export interface Span {
  readonly offset: number;
  readonly limit: number;
}

const DEFAULT_LIMIT = 10;
export const MAX_LIMIT = 1000;

/** @throws Failure */
export function spanOf(page: Page | undefined, maxLimit = MAX_LIMIT): Span {
  const { limit = DEFAULT_LIMIT, offset = 0 } = page ?? {};
  if (limit < 0 || offset < 0) throw new Failure('Invalid page');
  return { offset, limit: Math.min(limit, maxLimit) };
}

/** Those of a page, and how many there are in all. @throws Failure */
export function pageOf<T>(all: readonly T[], page: Page | undefined): { items: T[]; total: number } {
  const { offset, limit } = spanOf(page);
  return { items: all.slice(offset, offset + limit), total: all.length };
}
