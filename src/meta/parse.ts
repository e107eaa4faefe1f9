/**
 * Warcprox-Meta read and checked, once, at the edge: what comes out is typed, and nothing of it was guessed.
 *
 * Source: spec/warcprox.md §5 (the table of fields).
 */
import { readBlocks, type Inflating } from './blocks.ts';
import { readStatsBuckets } from './buckets.ts';
import { MetaError } from './errors.ts';
import { headerText, isObject, isTooDeep, optional, orderedEntries, own, type JsonObject } from './json.ts';
import { readLimits } from './limits.ts';
import type { DedupBucket, Meta, MimeTypeFilter } from './meta.ts';
import { readMimeFilter } from './mime.ts';
import { createRegexes, type Regexes } from '../regex/regex.ts';
import { isPlain } from '../util/plain-text.ts';
import { finish, type Steps } from '../util/slices.ts';

/** Leaves room in a file name for what templates add (as src/warc/filename.ts, which has the last word, does). */
const MAX_PREFIX_BYTES = 128;
/** Each is asked for every capture, and stored. */
const MAX_DEDUP_BUCKETS = 1_000;

/**
 * @param value of the header, as Latin-1
 * @throws MetaError whose message names the field
 */
export function parseMeta(value: string, regexes: Regexes = createRegexes()): Meta {
  return finish(parseSteps(value, regexes, 'here'));
}

/** The same in steps: a value may hold megabytes of rules. */
export function* parseSteps(value: string, regexes: Regexes, inflating: Inflating = 'aside'): Steps<Meta> {
  const text = headerText(value);
  const raw = parseObject(text);
  yield;
  const warnings: string[] = [];
  const warn = (line: string): void => void warnings.push(line);
  const warcPrefix = readPrefix(raw);
  const { rules, size } = yield* readBlocks(raw, regexes, inflating);
  return {
    raw,
    warcPrefix,
    dedupBuckets: readDedupBuckets(raw, text),
    dedupOk: readDedupOk(raw),
    statsBuckets: readStatsBuckets(raw, warn),
    limits: readLimits(raw, 'limits', warn),
    softLimits: readLimits(raw, 'soft-limits', warn),
    blocks: rules,
    mimeTypeFilters: yield* readMimeFilters(raw, regexes),
    acceptsCaptureMetadata: readAccept(raw).includes('capture-metadata'),
    metadata: readMetadata(raw),
    warnings,
    size: value.length + size,
  };
}

function parseObject(text: string): JsonObject {
  let value: unknown;
  if (isTooDeep(text)) throw new MetaError('too-large', '', 'nested too deeply');
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MetaError('syntax', '', 'expected JSON', text, { cause });
  }
  if (!isObject(value)) throw new MetaError('syntax', '', 'expected a JSON object', value);
  return value;
}

function readPrefix(raw: JsonObject): string | undefined {
  const prefix = readString(raw, 'warc-prefix');
  if (prefix === undefined || prefix === '') return undefined;
  if (['.', '..'].includes(prefix)) throw new MetaError('value', 'warc-prefix', 'expected a part of a file name', prefix);
  if (/[/\\]/.test(prefix) || !isPlain(prefix)) {
    throw new MetaError('value', 'warc-prefix', 'expected no slash, backslash, control or invisible character', prefix);
  }
  if (Buffer.byteLength(prefix) > MAX_PREFIX_BYTES) {
    throw new MetaError('too-large', 'warc-prefix', `expected at most ${MAX_PREFIX_BYTES} bytes`, prefix);
  }
  return prefix;
}

/** The older forms name one bucket, and stand above the newer; a mode is `rw` unless it is `ro`: both as in warcprox. */
function readDedupBuckets(raw: JsonObject, text: string): DedupBucket[] {
  const captures = readString(raw, 'captures-bucket');
  const single = readString(raw, 'dedup-bucket') ?? captures;
  const buckets = optional(raw, 'dedup-buckets');
  if (buckets !== undefined && !isObject(buckets)) throw new MetaError('type', 'dedup-buckets', 'expected an object', buckets);
  if (buckets !== undefined && Object.keys(buckets).length > MAX_DEDUP_BUCKETS) {
    throw new MetaError('too-large', 'dedup-buckets', `expected at most ${MAX_DEDUP_BUCKETS}, got ${Object.keys(buckets).length}`);
  }
  const named = orderedEntries(text, 'dedup-buckets', buckets ?? {}).map(([name, mode]): DedupBucket => ({
    name,
    mode: mode === 'ro' ? 'ro' : 'rw',
  }));
  return single === undefined ? named : [{ name: single, mode: 'rw' }];
}

function readDedupOk(raw: JsonObject): boolean {
  const ok = optional(raw, 'dedup-ok') ?? true;
  if (typeof ok !== 'boolean') throw new MetaError('type', 'dedup-ok', 'expected true or false', ok);
  return ok;
}

function* readMimeFilters(raw: JsonObject, regexes: Regexes): Steps<MimeTypeFilter[]> {
  const filters: MimeTypeFilter[] = [];
  for (const [i, filter] of readList(raw, 'mime-type-filters').entries()) {
    filters.push(readMimeFilter(filter, `mime-type-filters[${i}]`, regexes));
    yield;
  }
  return filters;
}

function readMetadata(raw: JsonObject): Meta['metadata'] {
  const metadata = optional(raw, 'metadata');
  if (metadata !== undefined && !isObject(metadata)) throw new MetaError('type', 'metadata', 'expected an object', metadata);
  const text = (name: string): string | undefined => {
    const value = own(metadata ?? {}, name);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    seed: text('seed'),
    hopPath: text('hop_path'),
    brozzledUrl: text('brozzled_url'),
    hopViaUrl: text('hop_via_url'),
    jobId: text('job_id'),
  };
}

/** A list, or the one thing that it would hold. */
function readAccept(raw: JsonObject): readonly unknown[] {
  const value = own(raw, 'accept');
  return typeof value === 'string' ? [value] : readList(raw, 'accept');
}

function readString(raw: JsonObject, field: string): string | undefined {
  const value = optional(raw, field);
  if (value !== undefined && typeof value !== 'string') throw new MetaError('type', field, 'expected a string', value);
  return value;
}

function readList(raw: JsonObject, field: string): readonly unknown[] {
  const value = optional(raw, field);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new MetaError('type', field, 'expected a list', value);
  return value;
}
