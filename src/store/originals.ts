/**
 * What was found in the dedup index lately, in memory. An entry is replaced only by another true one, so what is here stays true.
 */
import { LRUCache } from 'lru-cache';
import type { Original } from './dedup.ts';

export type Originals = LRUCache<string, Original>;

const CACHED_ENTRIES = 20_000;
/** characters of keys and entries: URLs can be long */
const CACHED_SIZE = 16 * 1024 * 1024;

export function newOriginals(max = CACHED_ENTRIES): Originals {
  return new LRUCache<string, Original>({
    max,
    maxSize: CACHED_SIZE,
    sizeCalculation: ({ recordId, url, date, answer = '' }, key) => key.length + recordId.length + url.length + date.length + answer.length,
  });
}
