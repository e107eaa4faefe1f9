/**
 * The playback index in LevelDB.
 *
 * ```
 * c NUL url NUL lane NUL date NUL count → place     captures by what they can answer; count keeps those of one millisecond in order
 * d NUL url NUL date NUL count          → place     `response` records that have a payload
 * i NUL record id                       → place     `response` records
 * ```
 *
 * A version without lanes wrote, in place of the first two, `u NUL url NUL date NUL count` and for answers to HEAD `h NUL …`: these are still
 * read, as lanes of their own.
 *
 * Does not own the section.
 */
import { UNKNOWN, UNKNOWN_HEAD, type Lane } from '../lanes.ts';
import type { Found, Listed, PlaybackEntry, PlaybackIndex, PlaybackPlace } from '../playback.ts';
import type { Section } from './section.ts';
import { Journal, type JournalledSection, type Noted } from './journal.ts';

/** As it is in the database. */
interface Stored {
  readonly f: string;
  readonly o: number;
  readonly l: number;
  readonly i: string;
  readonly t: string;
  readonly p: string;
  /** size of the payload */
  readonly n?: number | undefined;
  /** start of the fetch in milliseconds since 1970 */
  readonly d: number;
}

const NUL = '\0';
/** Sorts after every key that begins with the text before it. */
const END = '\uffff';
const COUNT_DIGITS = 8;

export type PlaybackSection = JournalledSection & Pick<Section, 'values'>;

/** @param openFiles paths of the WARC files that are open */
export function levelPlayback(section: PlaybackSection, openFiles: ReadonlySet<string> = new Set()): PlaybackIndex {
  const journal = new Journal(section, openFiles);
  let count = 0;

  const operations = (entry: PlaybackEntry): (Noted & { type: 'put'; value: string })[] => {
    const { url, startedAt, method, lanes, file, offset, length, recordId, type, payloadDigest, payloadSize } = entry;
    const stored: Stored = {
      f: file,
      o: offset,
      l: length,
      i: recordId,
      t: type,
      p: payloadDigest,
      n: payloadSize,
      d: startedAt.getTime(),
    };
    const value = JSON.stringify(stored);
    const when = `${startedAt.toISOString()}${NUL}${(count++).toString(36).padStart(COUNT_DIGITS, '0')}`;
    const keys = lanes.map((lane) => prefixOf(url, lane) + when);
    if (type === 'response') keys.push(`i${NUL}${recordId}`);
    if (type === 'response' && method !== 'HEAD') keys.push(`d${NUL}${url}${NUL}${when}`);
    const place = { file, offset };
    return keys.map((key) => ({ type: 'put', key, value, place }));
  };

  return {
    async save(entries) {
      const puts = entries.flatMap(operations);
      await section.batch([...puts, ...journal.rows(puts)]);
      await journal.settle();
    },
    async find(url, lane, which, { from, to } = {}) {
      const prefix = prefixOf(url, lane);
      const gte = from === undefined ? prefix : prefix + from.toISOString();
      const lt = to === undefined ? prefix + END : `${prefix}${to.toISOString()}${NUL}${END}`;
      for await (const value of section.values({ gte, lt, reverse: which === 'last', limit: 1 })) return foundIn(value);
      return undefined;
    },
    async list(urlStart, limit, from) {
      const start = `c${NUL}${urlStart}`;
      const captures: Listed[] = [];
      // What is not in this part of the index is no place to go on from.
      const gte = from?.startsWith(start) === true ? from : start;
      for await (const [key, value] of section.iterator({ gte, lt: start + END, limit: limit + 1 })) {
        if (captures.length === limit) return { captures, next: key };
        captures.push({ ...foundIn(value), url: key.split(NUL, 2)[1] ?? '' });
      }
      return { captures, next: undefined };
    },
    async byId(recordId) {
      const value = await section.get(`i${NUL}${recordId}`);
      return value === undefined ? undefined : placeOf(JSON.parse(value) as Stored);
    },
    async byDate(url, date, payloadDigest) {
      for (const space of ['d', 'u']) {
        const start = `${space}${NUL}${url}${NUL}${date.replace(/Z$/, '')}`;
        for await (const value of section.values({ gte: start, lt: start + END, reverse: false })) {
          const stored = JSON.parse(value) as Stored;
          if (stored.t === 'response' && stored.p === payloadDigest) return placeOf(stored);
        }
      }
      return undefined;
    },
    drop: (lost) => journal.drop(lost, (value) => placeOf(JSON.parse(value) as Stored)),
    close: () => journal.settle(),
  };
}

function prefixOf(url: string, lane: Lane): string {
  if (lane === UNKNOWN) return `u${NUL}${url}${NUL}`;
  if (lane === UNKNOWN_HEAD) return `h${NUL}${url}${NUL}`;
  return `c${NUL}${url}${NUL}${lane}${NUL}`;
}

function foundIn(value: string): Found {
  const stored = JSON.parse(value) as Stored;
  return { ...placeOf(stored), startedAt: new Date(stored.d) };
}

function placeOf({ f, o, l, i, t, p, n }: Stored): PlaybackPlace {
  return { file: f, offset: o, length: l, recordId: i, type: t, payloadDigest: p, payloadSize: n };
}
