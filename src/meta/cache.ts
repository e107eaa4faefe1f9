/**
 * Values of Warcprox-Meta that were read before: crawlers send the same one with every request.
 *
 * A value that was understood is kept while there is room; one that was not is read again, and refused again.
 */
import { LRUCache } from 'lru-cache';
import type { Meta } from './meta.ts';
import { parseSteps } from './parse.ts';
import type { Regexes } from '../regex/regex.ts';
import type { TimeSlices } from '../util/slices.ts';
import { turns } from '../util/turns.ts';

export interface MetaCache {
  /**
   * At once if the value is known or small, else as a promise: reading megabytes of rules is done in slices.
   *
   * @param value of the header, as Latin-1
   * @throws MetaError (or rejects with it)
   */
  read(value: string): Meta | Promise<Meta>;
}

export interface MetaCacheOptions {
  readonly regexes: Regexes;
  readonly slices: TimeSlices;
  /** of all values, decompressed rules and what is made of them included */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

/** One with as many rules as there may be, and many others. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Compressed rules may be a thousand times as long: one after the other, so that no more than one is in the making. */
const LARGE_CHARS = 4 * 1024;
const MAX_ENTRIES = 1_000;

export function metaCache({ regexes, slices, maxBytes = MAX_BYTES, maxEntries = MAX_ENTRIES }: MetaCacheOptions): MetaCache {
  const known = new LRUCache<string, Meta | Promise<Meta>>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: (meta, value) => 1 + (meta instanceof Promise ? value.length : meta.size),
  });
  const oneByOne = turns();
  const parse = (value: string) => slices.run(parseSteps(value, regexes));
  return {
    read(value) {
      const hit = known.get(value);
      if (hit !== undefined) return hit;
      const meta = value.length > LARGE_CHARS ? oneByOne.run(async () => parse(value)) : parse(value);
      known.set(value, meta);
      if (meta instanceof Promise) {
        meta.then(
          (done) => known.peek(value) === meta && known.set(value, done),
          () => known.peek(value) === meta && known.delete(value),
        );
      }
      return meta;
    },
  };
}
