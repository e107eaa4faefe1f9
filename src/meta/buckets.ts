/**
 * Statistics buckets: what a client names in `stats`, and which of them a URL is tallied in.
 *
 * Source: spec/warcprox.md §4 (Statistics), §5 (`stats`).
 */
import { canonicalise } from '../url/canon.ts';
import { MetaError, shown } from './errors.ts';
import { isWithin, normalHost } from '../url/host.ts';
import { isObject, optional, own, type JsonObject } from './json.ts';
import type { Meta, StatsBucket } from './meta.ts';

const ALL = '__all__';
/** Names of one request, domains that are tallied apart included. Each is a row that every capture of it changes. */
const MAX_NAMES = 1_000;
const MAX_NAME_CHARS = 1_024;
/** Of nearly every capture. Not frozen: to go through a frozen list V8 makes an object for each step. */
const UNSPECIFIED: readonly string[] = [ALL, '__unspecified__'];

/** Names of the buckets that a capture of this URL counts in, each once: `__all__` first, then those of the client or `__unspecified__`. */
export function bucketsOf(meta: Pick<Meta, 'statsBuckets'>, url: string): readonly string[] {
  const { statsBuckets } = meta;
  if (statsBuckets.length === 0) return UNSPECIFIED;
  const names = new Set([ALL]);
  let host: string | undefined;
  for (const { name, tallyDomains } of statsBuckets) {
    names.add(name);
    if (tallyDomains.length > 0) host ??= canonicalise(url).host;
    for (const domain of tallyDomains) if (isWithin(host ?? '', domain)) names.add(`${name}:${domain}`);
  }
  return [...names];
}

/** @param warn told of each entry that is skipped. @throws MetaError when `stats` or its list is something else, or too large */
export function readStatsBuckets(raw: JsonObject, warn: (line: string) => void): StatsBucket[] {
  const stats = optional(raw, 'stats');
  if (stats === undefined) return [];
  if (!isObject(stats)) throw new MetaError('type', 'stats', 'expected an object', stats);
  const entries = optional(stats, 'buckets');
  if (entries === undefined) return [];
  if (!Array.isArray(entries)) throw new MetaError('type', 'stats.buckets', 'expected a list', entries);
  // Before anything is made of them.
  let names = entries.length;
  for (const entry of entries) if (isObject(entry)) names += lengthOf(own(entry, 'tally-domains'));
  if (names > MAX_NAMES) {
    throw new MetaError('too-large', 'stats.buckets', `expected at most ${MAX_NAMES} buckets and tally-domains together, got ${names}`);
  }
  return entries.flatMap((entry: unknown, i) => readEntry(entry, `stats.buckets[${i}]`, warn));
}

function lengthOf(domains: unknown): number {
  return Array.isArray(domains) ? domains.length : 0;
}

/** @throws MetaError for one that is too long */
function bounded(name: string, field: string): string {
  if (name.length > MAX_NAME_CHARS) throw new MetaError('too-large', field, `expected at most ${MAX_NAME_CHARS} characters`, name);
  return name;
}

function readEntry(entry: unknown, field: string, warn: (line: string) => void): StatsBucket[] {
  if (typeof entry === 'string') return [{ name: bounded(entry, field), tallyDomains: [] }];
  const name = isObject(entry) ? own(entry, 'bucket') : undefined;
  if (!isObject(entry) || typeof name !== 'string') {
    warn(`${field}: skipped, expected a name or an object with "bucket", got ${shown(entry)}`);
    return [];
  }
  return [
    { name: bounded(name, field), tallyDomains: readDomains(optional(entry, 'tally-domains') ?? [], `${field}.tally-domains`, warn) },
  ];
}

function readDomains(domains: unknown, field: string, warn: (line: string) => void): string[] {
  if (!Array.isArray(domains)) {
    warn(`${field}: skipped, expected a list of domains, got ${shown(domains)}`);
    return [];
  }
  return domains.flatMap((domain: unknown, i) => {
    if (typeof domain === 'string' && domain !== '') return [normalHost(bounded(domain, `${field}[${i}]`))];
    warn(`${field}[${i}]: skipped, expected a domain, got ${shown(domain)}`);
    return [];
  });
}
