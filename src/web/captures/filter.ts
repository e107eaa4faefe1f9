/**
 * Which captures somebody wants to see, as they say in a query: `?status=4xx,502&type=image/&url=example.com`. Pure.
 *
 * All that is named has to hold; of the values of one name any.
 */
import type { CaptureEvent } from './event.ts';

export type Wanted = (event: CaptureEvent) => boolean;

/** A query that is not understood, in one line. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly code = 'QUERY';
}

const MAX_VALUE = 2000;
const ARCHIVED = ['new', 'dup', 'skipped', 'failed'];

const NAMES: Readonly<Record<string, (value: string) => Wanted>> = {
  url: (value) => {
    const part = value.toLowerCase();
    return ({ url }) => url.toLowerCase().includes(part);
  },
  status: (value) => {
    const [, digit, from, to] = /^(?:([1-9])xx|(\d{3})(?:-(\d{3}))?)$/i.exec(value) ?? [];
    if (digit !== undefined) return ({ status }) => Math.floor(status / 100) === Number(digit);
    if (from === undefined) throw new QueryError(`status ${JSON.stringify(value)}: expected such as 404, 4xx or 200-299`);
    return ({ status }) => status >= Number(from) && status <= Number(to ?? from);
  },
  type: (value) => {
    const start = value.toLowerCase();
    return ({ type }) => type.startsWith(start);
  },
  method:
    (value) =>
    ({ method }) =>
      method === value,
  bucket:
    (value) =>
    ({ buckets }) =>
      buckets.includes(value),
  prefix: (value) => (event) => event.prefix === value,
  archived: (value) => {
    if (!ARCHIVED.includes(value)) throw new QueryError(`archived ${JSON.stringify(value)}: expected ${ARCHIVED.join(', ')}`);
    return ({ archived }) => archived === value;
  },
};

/** Those whose values are one text, commas and all. */
const WHOLE = new Set(['url', 'bucket', 'prefix']);

/** @param others names in the query that are somebody else's. @throws QueryError */
export function filterOf(query: URLSearchParams, others: readonly string[] = []): Wanted {
  const all: Wanted[] = [];
  for (const name of new Set(query.keys())) {
    if (others.includes(name)) continue;
    const make = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
    if (make === undefined)
      throw new QueryError(`${JSON.stringify(name)} is not known, expected ${[...Object.keys(NAMES), ...others].join(', ')}`);
    const texts = query.getAll(name).flatMap((text) => (WHOLE.has(name) ? [text] : text.split(',').map((one) => one.trim())));
    const values = texts.filter((text) => text !== '');
    if (values.some((text) => text.length > MAX_VALUE)) throw new QueryError(`${name}: expected at most ${MAX_VALUE} characters`);
    const any = values.map(make);
    if (any.length > 0) all.push((event) => any.some((one) => one(event)));
  }
  return (event) => all.every((one) => one(event));
}

/** A whole number in a query. @throws QueryError */
export function numberIn(query: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most))
    throw new QueryError(`${name} ${JSON.stringify(text)}: expected a number from ${least} to ${most}`);
  return value;
}
