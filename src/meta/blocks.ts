/**
 * Block rules, plain or compressed.
 *
 * Source: spec/warcprox.md §5 (`blocks`, `compressed_blocks`); RFC 4648 §4 (Base64), RFC 1950 (zlib).
 */
import { inflateSync } from 'node:zlib';
import { MetaError } from './errors.ts';
import { headerText, isTooDeep, optional, type JsonObject } from './json.ts';
import type { UrlRule } from './meta.ts';
import type { Regexes } from '../regex/regex.ts';
import { readRule } from './rules.ts';
import type { Steps } from '../util/slices.ts';

/** Some 100,000 rules. Inflating and reading that much JSON is the longest thing here that cannot pause. */
const MAX_BLOCKS_BYTES = 8 * 1024 * 1024;
/** Reading a rule takes 1 to 50 µs. */
const RULES_PER_STEP = 20;

export interface Blocks {
  readonly rules: readonly UrlRule[];
  /** length of what was compressed, else 0 */
  readonly chars: number;
}

/** @throws MetaError */
export function* readBlocks(raw: JsonObject, regexes: Regexes): Steps<Blocks> {
  const compressed = optional(raw, 'compressed_blocks');
  const field = compressed === undefined ? 'blocks' : 'compressed_blocks';
  const { list, chars } = compressed === undefined ? { list: optional(raw, 'blocks'), chars: 0 } : yield* decompress(compressed);
  if (list === undefined) return { rules: [], chars };
  if (!Array.isArray(list)) throw new MetaError('type', field, 'expected a list of rules', list);
  yield;
  const rules: UrlRule[] = [];
  for (const [i, rule] of list.entries()) {
    rules.push(readRule(rule, `${field}[${i}]`, regexes));
    if (i % RULES_PER_STEP === 0) yield;
  }
  return { rules, chars };
}

function* decompress(base64: unknown): Steps<{ readonly list: unknown; readonly chars: number }> {
  if (typeof base64 !== 'string') throw new MetaError('type', 'compressed_blocks', 'expected a string of Base64', base64);
  // As Python's b64decode takes it: padded.
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new MetaError('value', 'compressed_blocks', 'expected Base64', base64);
  }
  const bytes = inflate(Buffer.from(base64, 'base64'), base64);
  yield;
  const text = headerText(bytes.toString('latin1'));
  if (isTooDeep(text)) throw new MetaError('too-large', 'compressed_blocks', 'nested too deeply');
  yield;
  try {
    return { list: JSON.parse(text), chars: bytes.length };
  } catch (cause) {
    throw new MetaError('value', 'compressed_blocks', 'expected JSON in it', text, { cause });
  }
}

function inflate(bytes: Buffer, base64: string): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_BLOCKS_BYTES });
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new MetaError('too-large', 'compressed_blocks', `expected at most ${MAX_BLOCKS_BYTES} bytes when decompressed`, undefined, {
        cause,
      });
    }
    throw new MetaError('value', 'compressed_blocks', 'expected zlib data in Base64', base64, { cause });
  }
}
