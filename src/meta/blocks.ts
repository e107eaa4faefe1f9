/**
 * Block rules, plain or compressed.
 *
 * Source: spec/warcprox.md §5 (`blocks`, `compressed_blocks`); RFC 4648 §4 (Base64), RFC 1950 (zlib).
 */
import { isUtf8 } from 'node:buffer';
import { inflate, inflateSync } from 'node:zlib';
import { MetaError } from './errors.ts';
import { optional, type JsonObject } from './json.ts';
import { parseList } from './json-list.ts';
import type { UrlRule } from './meta.ts';
import type { Regexes } from '../regex/regex.ts';
import { readRule, weightOf } from './rules.ts';
import { freeBuffer } from '../util/free-buffer.ts';
import type { Steps } from '../util/slices.ts';

const MAX_BLOCKS_BYTES = 8 * 1024 * 1024;
/** Inflating more than this could take long: it may be a thousand times as much. */
const MAX_INFLATED_AT_ONCE = 512;
/**
 * So many times as much memory as the compressed bytes are is asked for to inflate them, and hardly any of it touched: V8 counts it, and looks
 * for what can be freed before several lists have been thrown away. What is made of them takes about as much.
 */
const ROOM_TIMES = 64;
const MIN_ROOM_BYTES = 16 * 1024;
const MAX_ROOM_BYTES = 8 * MAX_BLOCKS_BYTES;
const MAX_RULES = 200_000;
/** More than a URL may have. */
const MAX_RULE_BYTES = 256 * 1024;
/** Of what was not understood, more than is shown. */
const SHOWN_BYTES = 400;
/** Reading a rule takes 1 to 50 µs. */
const RULES_PER_STEP = 20;

/** Where much is inflated: in this thread, or in another one while the computation waits. */
export type Inflating = 'here' | 'aside';

export interface Blocks {
  readonly rules: readonly UrlRule[];
  /** bytes of memory that they take, about, beside the text of the header */
  readonly size: number;
}

/** @throws MetaError */
export function* readBlocks(raw: JsonObject, regexes: Regexes, inflating: Inflating): Steps<Blocks> {
  const compressed = optional(raw, 'compressed_blocks');
  const field = compressed === undefined ? 'blocks' : 'compressed_blocks';
  const { list, chars } = compressed === undefined ? { list: optional(raw, 'blocks'), chars: 0 } : yield* decompress(compressed, inflating);
  if (list === undefined) return { rules: [], size: chars };
  if (!Array.isArray(list)) throw new MetaError('type', field, 'expected a list of rules', list);
  if (list.length > MAX_RULES) throw new MetaError('too-large', field, `expected at most ${MAX_RULES} rules, got ${list.length}`);
  yield;
  // What was decompressed is nobody else's: no second list of 200,000.
  const rules = (compressed === undefined ? [...(list as unknown[])] : list) as UrlRule[];
  let size = chars;
  for (const [i, raw] of rules.entries()) {
    const rule = readRule(raw, `${field}[${i}]`, regexes);
    rules[i] = rule;
    size += weightOf(rule);
    if (i % RULES_PER_STEP === 0) yield;
  }
  return { rules, size };
}

function* decompress(base64: unknown, inflating: Inflating): Steps<{ readonly list: unknown; readonly chars: number }> {
  const field = 'compressed_blocks';
  if (typeof base64 !== 'string') throw new MetaError('type', field, 'expected a string of Base64', base64);
  // As Python's b64decode takes it: padded.
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw new MetaError('value', field, 'expected Base64', base64);
  const bytes = yield* inflated(Buffer.from(base64, 'base64'), base64, inflating);
  yield;
  // As a header is read: bytes that are not UTF-8 mean themselves.
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  try {
    const list = yield* parseList(bytes, encoding, MAX_RULE_BYTES);
    if (list === 'nested too deeply') throw new MetaError('too-large', field, list);
    if (list === 'a member too long') throw new MetaError('too-large', field, `expected rules of at most ${MAX_RULE_BYTES} bytes`);
    if (list !== 'no list') return { list, chars: bytes.length };
    // Refused in any case: nobody needs to know what stands further down.
    return { list: bytes.length > MAX_RULE_BYTES ? 'something else' : JSON.parse(bytes.toString(encoding)), chars: bytes.length };
  } catch (cause) {
    if (cause instanceof MetaError) throw cause;
    throw new MetaError('value', field, 'expected JSON in it', bytes.toString(encoding, 0, SHOWN_BYTES), { cause });
  } finally {
    freeBuffer(bytes);
  }
}

function* inflated(bytes: Buffer, base64: string, inflating: Inflating): Steps<Buffer> {
  const chunkSize = Math.min(Math.max(bytes.length * ROOM_TIMES, MIN_ROOM_BYTES), MAX_ROOM_BYTES);
  const options = { maxOutputLength: MAX_BLOCKS_BYTES, chunkSize };
  let done: Buffer | undefined;
  let cause: unknown;
  if (inflating === 'aside' && bytes.length > MAX_INFLATED_AT_ONCE) {
    yield new Promise<void>((resolve) => {
      inflate(bytes, options, (error, result) => {
        if (error === null) done = result;
        else cause = error;
        resolve();
      });
    });
  } else {
    try {
      done = inflateSync(bytes, options);
    } catch (error) {
      cause = error;
    }
  }
  if (done !== undefined) return done;
  if (cause instanceof RangeError) {
    const message = `expected at most ${MAX_BLOCKS_BYTES} bytes when decompressed`;
    throw new MetaError('too-large', 'compressed_blocks', message, undefined, { cause });
  }
  throw new MetaError('value', 'compressed_blocks', 'expected zlib data in Base64', base64, { cause });
}
