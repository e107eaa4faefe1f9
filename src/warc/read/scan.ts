/**
 * How far a WARC file is whole: walks over its records without looking into their blocks.
 *
 * Tells a file that was cut off in the middle of a record from one that is damaged in another way. Never changes the file.
 * Source: ISO 28500:2017 §4, Annex D; RFC 1952.
 */
import { isSystemError, reasonOf } from '../../util/thrown.ts';
import { decoderAt } from '../codec/decoders.ts';
import { CutOffError } from '../errors.ts';
import type { FileWindow } from '../window.ts';
import { plainWalk } from './plain-walk.ts';
import { unitWalk } from './unit-walk.ts';
import { OtherLayoutError, type Walk } from './walk.ts';

export interface Scan {
  /** whole records in a row from the start, or from where the scan has begun */
  readonly records: number;
  /** where the last of them ends; where the scan has begun without any */
  readonly end: number;
  /** what comes after them, if anything */
  readonly rest: Rest | undefined;
}

export interface Rest {
  /**
   * `cut`: a record whose end is missing because the file ends; `noise`: nothing that is whole follows;
   * `damage`: whole records follow, or the rest is another way of writing WARC than ours
   */
  readonly kind: 'cut' | 'noise' | 'damage';
  readonly problem: string;
}

/**
 * @param wasClosed a file that ends within a block was not being written: its Content-Length may be what is wrong
 * @param start where a record begins; what stands before it is whole
 */
export async function scanRecords(window: FileWindow, wasClosed: boolean, start = 0): Promise<Scan> {
  const walk = await walkOf(window);
  let records = 0;
  let end = start;
  while (end < window.end) {
    try {
      end = await walk.recordEnd(end);
      records += 1;
    } catch (error) {
      return { records, end, rest: { kind: await kindOf(window, walk, end, error, wasClosed), problem: reasonOf(error) } };
    }
  }
  return { records, end, rest: undefined };
}

/** Where the next whole record begins behind one that is not whole. What only stands in that one's block is none. */
export async function findRecord(window: FileWindow, broken: number): Promise<number | undefined> {
  return findWhole(window, await walkOf(window), broken);
}

async function findWhole(window: FileWindow, walk: Walk, broken: number): Promise<number | undefined> {
  let next = await walk.afterBroken(broken);
  for (;;) {
    const found = await window.indexOf(walk.magic, next);
    if (found === undefined || (await isWhole(walk, found))) return found;
    next = await walk.afterHopeless(found);
  }
}

async function kindOf(window: FileWindow, walk: Walk, end: number, error: unknown, wasClosed: boolean): Promise<Rest['kind']> {
  if (error instanceof CutOffError && !wasClosed) return 'cut';
  if (error instanceof OtherLayoutError) return 'damage';
  // A system error says nothing about the bytes.
  if (isSystemError(error)) throw error;
  if ((await findWhole(window, walk, end)) !== undefined) return 'damage';
  return error instanceof CutOffError ? 'cut' : 'noise';
}

async function walkOf(window: FileWindow): Promise<Walk> {
  // A file of one byte can be the beginning of any kind.
  const decoder = await decoderAt(window, 0, 1);
  return decoder.delimits ? unitWalk(decoder, window) : plainWalk(window);
}

async function isWhole(walk: Walk, position: number): Promise<boolean> {
  try {
    await walk.recordEnd(position);
    return true;
  } catch (error) {
    if (isSystemError(error)) throw error;
    return error instanceof OtherLayoutError;
  }
}
