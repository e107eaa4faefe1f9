/**
 * Which capture of a URL answers a request: the rule, in one place.
 *
 * Without Accept-Datetime the first of these that there is, and of it the latest:
 *
 * ```
 * 1  whole     2xx with all of its body, to the same method and, for POST and others, the same body
 * 2  range     only with Range: 206 or 416 to exactly that range
 * 3  cut       2xx of which the end is missing
 * 4  other     a redirect or an error
 * 5  custom    GET and HEAD: what a client wrote under that URL
 * 6  unknown   GET and HEAD: what an earlier version has indexed, which did not keep the status
 * ```
 *
 * With Accept-Datetime the nearest in time of 1 to 4 and 6, whatever its status, then the nearest of 5. HEAD takes the later of an answer to
 * HEAD and one to GET. What turns out not to be there, or to be an answer for others (304, or 206 to another range), gives way to the one
 * before it, and after ten of them to the next line; with Accept-Datetime to the next nearest in another lane.
 *
 * Each try costs one look-up a lane, with a date two, however many captures there are.
 * Source: RFC 9110 §9.3, §14.2, §15.4.5; RFC 7089 §2.1, §2.2.
 */
import { CUSTOM, isConditional, isOfRange, lane, rangeLane, UNKNOWN, UNKNOWN_HEAD, type Lane } from '../store/lanes.ts';
import type { Found, Period, PlaybackIndex } from '../store/playback.ts';

export interface Asked {
  readonly url: string;
  readonly method: string;
  /** as of `RequestKey` */
  readonly key: string;
  /** as of `rangeText`, of a GET */
  readonly range: string | undefined;
  /** Accept-Datetime, a whole second */
  readonly at: Date | undefined;
}

export interface Choice {
  readonly lane: Lane;
  readonly found: Found;
}

type Index = Pick<PlaybackIndex, 'find'>;

/** Of each line: where so many have lost their files, or are answers for others, the next line is tried. */
const MAX_TRIED = 10;
const SECOND_MS = 1000;

/** What can answer, the best first. */
export async function* choices(index: Index, asked: Asked): AsyncGenerator<Choice, void> {
  if (asked.at !== undefined) return yield* nearest(index, asked, asked.at);
  for (const lanes of [...exchangeTiers(asked), custom(asked), unknown(asked)]) {
    let period: Period = {};
    for (let i = 0; i < MAX_TRIED; i++) {
      const latest = await lastIn(index, asked.url, lanes, period);
      if (latest === undefined) break;
      yield latest;
      period = { to: new Date(timeOf(latest) - 1) };
    }
  }
}

/** Whether the answer that stands there is one for this request. @param ofRange the request's If-Range lets it have a range */
export function fits({ lane: chosen }: Choice, status: number, ofRange: boolean): boolean {
  if (!isConditional(status)) return true;
  return isOfRange(status) && ofRange && chosen.includes(' range ');
}

/** The first and the last capture, and those next to this one: what a page of its history would show. */
export async function relatives(index: Index, asked: Asked, { lane: chosen, found }: Choice): Promise<ReadonlyMap<string, Date>> {
  const { url } = asked;
  const lanes =
    chosen === CUSTOM ? [CUSTOM] : [...new Set([chosen, ...exchangeTiers({ ...asked, range: undefined }).flat(), ...unknown(asked)])];
  const second = secondOf(found.startedAt);
  const ends = (await Promise.all(all(index, url, lanes, 'last'))).filter((choice) => choice !== undefined);
  // Most lanes are empty: the others are all that is worth looking into.
  const full = ends.map((choice) => choice.lane);
  const last = best(ends, isLater);
  const [first, previous, next] = await Promise.all([
    firstIn(index, url, full),
    lastIn(index, url, full, { to: new Date(second - 1) }),
    firstIn(index, url, full, { from: new Date(second + SECOND_MS) }),
  ]);
  const relations = { first, last, prev: previous, next };
  return new Map(
    Object.entries(relations).flatMap(([name, choice]) => (choice === undefined ? [] : [[name, choice.found.startedAt] as const])),
  );
}

function exchangeTiers({ method, key, range }: Asked): readonly (readonly Lane[])[] {
  const keys = method === 'HEAD' ? ['HEAD', 'GET'] : [key];
  const each = (kind: 'whole' | 'cut' | 'other') => keys.map((one) => lane(one, kind));
  return [each('whole'), range === undefined ? [] : [rangeLane(key, range)], each('cut'), each('other')];
}

function custom({ method }: Asked): readonly Lane[] {
  return method === 'GET' || method === 'HEAD' ? [CUSTOM] : [];
}

function unknown({ method }: Asked): readonly Lane[] {
  if (method === 'HEAD') return [UNKNOWN_HEAD, UNKNOWN];
  return method === 'GET' ? [UNKNOWN] : [];
}

async function* nearest(index: Index, asked: Asked, at: Date): AsyncGenerator<Choice, void> {
  const second = at.getTime();
  const before = { to: new Date(second + SECOND_MS - 1) };
  const after = { from: new Date(second + SECOND_MS) };
  const distance = ({ found }: Choice) => Math.abs(secondOf(found.startedAt) - second);
  for (const lanes of [[...exchangeTiers(asked).flat(), ...unknown(asked)], custom(asked)]) {
    const found = await Promise.all([...all(index, asked.url, lanes, 'last', before), ...all(index, asked.url, lanes, 'first', after)]);
    // Of several as near the earlier is taken, but of one second the latest.
    const near = found.filter((choice) => choice !== undefined);
    yield* near.sort(
      (a, b) => distance(a) - distance(b) || secondOf(a.found.startedAt) - secondOf(b.found.startedAt) || timeOf(b) - timeOf(a),
    );
  }
}

function all(index: Index, url: string, lanes: readonly Lane[], which: 'first' | 'last', period?: Period): Promise<Choice | undefined>[] {
  return lanes.map(async (one) => {
    const found = await index.find(url, one, which, period);
    return found && { lane: one, found };
  });
}

async function lastIn(index: Index, url: string, lanes: readonly Lane[], period?: Period): Promise<Choice | undefined> {
  const found = await Promise.all(all(index, url, lanes, 'last', period));
  return best(found, isLater);
}

async function firstIn(index: Index, url: string, lanes: readonly Lane[], period?: Period): Promise<Choice | undefined> {
  const found = await Promise.all(all(index, url, lanes, 'first', period));
  return best(found, (a, b) => isLater(b, a));
}

function best(found: readonly (Choice | undefined)[], isBetter: (a: Choice, b: Choice) => boolean): Choice | undefined {
  return found.reduce((one, other) => (one === undefined || (other !== undefined && isBetter(other, one)) ? other : one), undefined);
}

function isLater(a: Choice, b: Choice): boolean {
  return timeOf(a) > timeOf(b);
}

function timeOf({ found }: Choice): number {
  return found.startedAt.getTime();
}

/** Start of the second, in milliseconds: dates in HTTP have no more. */
function secondOf(date: Date): number {
  return Math.floor(date.getTime() / SECOND_MS) * SECOND_MS;
}
