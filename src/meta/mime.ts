/**
 * MIME filters: which Content-Types a client does not want in the archive.
 *
 * Source: spec/warcprox.md §4 (MIME filters).
 */
import { MetaError } from './errors.ts';
import { isObject, own } from './json.ts';
import type { MimeTypeFilter } from './meta.ts';
import type { Regexes } from '../regex/regex.ts';
import { readRegex } from './rules.ts';
import type { Steps, TimeSlices } from '../util/slices.ts';

const MAX_FILTERS_MS = 5_000;

/** @throws MetaError naming the field */
export function readMimeFilter(raw: unknown, field: string, regexes: Regexes): MimeTypeFilter {
  if (!isObject(raw)) throw new MetaError('type', field, 'expected a filter, an object', raw);
  const type = own(raw, 'type');
  if (type !== 'REJECT' && type !== 'LIMIT') throw new MetaError('value', `${field}.type`, 'expected "REJECT" or "LIMIT"', type ?? null);
  const regex = own(raw, 'regex');
  if (typeof regex !== 'string') throw new MetaError('type', `${field}.regex`, 'expected a string', regex ?? null);
  return { type, regex: readRegex(regex, `${field}.regex`, 'start', regexes) };
}

/**
 * Whether one of the filters keeps this response out of the archive.
 *
 * @param contentType value of the field as Latin-1; undefined without one: no LIMIT lets it pass, no REJECT knows it
 * @throws MetaError when matching takes more than some seconds of CPU time
 */
export function rejectsMimeType(
  filters: readonly MimeTypeFilter[],
  contentType: string | undefined,
  slices: TimeSlices,
): boolean | Promise<boolean> {
  if (filters.length === 0) return false;
  if (contentType === undefined) return filters.some(({ type }) => type === 'LIMIT');
  const error = (): Error => new MetaError('too-large', 'mime-type-filters', 'regexes too large for this Content-Type');
  return slices.run(rejectSteps(filters, contentType), { maxMs: MAX_FILTERS_MS, error });
}

function* rejectSteps(filters: readonly MimeTypeFilter[], contentType: string): Steps<boolean> {
  for (const { type, regex } of filters) {
    const matches = yield* regex.match(contentType);
    if (matches === (type === 'REJECT')) return true;
  }
  return false;
}
