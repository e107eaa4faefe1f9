/**
 * The playback index in LevelDB.
 *
 * ```
 * u NUL url NUL date NUL count → place     captures that have a body to show; count keeps those of one millisecond in order
 * h NUL url NUL date NUL count → place     answers to HEAD
 * i NUL record id              → place     `response` records
 * ```
 *
 * Does not own the section.
 */
import type { PlaybackEntry, PlaybackIndex, PlaybackPlace } from '../playback.ts';
import type { Section } from './database.ts';
import { dropLost } from './drop.ts';

/** As it is in the database. */
interface Stored {
  readonly f: string;
  readonly o: number;
  readonly l: number;
  readonly i: string;
  readonly t: string;
  readonly p: string;
  /** start of the fetch in milliseconds since 1970 */
  readonly d: number;
}

const NUL = '\0';
/** Sorts after every key that begins with the text before it. */
const END = '\uffff';
const COUNT_DIGITS = 8;

export function levelPlayback(section: Section): PlaybackIndex {
  let count = 0;

  const operations = (entry: PlaybackEntry): { type: 'put'; key: string; value: string }[] => {
    const { url, startedAt, method, file, offset, length, recordId, type, payloadDigest } = entry;
    const stored: Stored = { f: file, o: offset, l: length, i: recordId, t: type, p: payloadDigest, d: startedAt.getTime() };
    const value = JSON.stringify(stored);
    const nth = (count++).toString(36).padStart(COUNT_DIGITS, '0');
    const space = method === 'HEAD' ? 'h' : 'u';
    const puts = [{ type: 'put' as const, key: [space, url, startedAt.toISOString(), nth].join(NUL), value }];
    return type === 'response' ? [...puts, { type: 'put', key: `i${NUL}${recordId}`, value }] : puts;
  };

  const latestIn = async (space: string, url: string): Promise<Stored | undefined> => {
    const range = { gte: `${space}${NUL}${url}${NUL}`, lt: `${space}${NUL}${url}${NUL}${END}`, reverse: true, limit: 1 };
    for await (const value of section.values(range)) return JSON.parse(value) as Stored;
    return undefined;
  };

  return {
    save: (entries) => section.batch(entries.flatMap(operations)),
    async latest(url, method) {
      const found = await latestIn('u', url);
      const head = method === 'HEAD' ? await latestIn('h', url) : undefined;
      const latest = found === undefined || (head !== undefined && head.d > found.d) ? head : found;
      return latest && placeOf(latest);
    },
    async byId(recordId) {
      const value = await section.get(`i${NUL}${recordId}`);
      return value === undefined ? undefined : placeOf(JSON.parse(value) as Stored);
    },
    async byDate(url, date, payloadDigest) {
      const start = `u${NUL}${url}${NUL}${date.replace(/Z$/, '')}`;
      for await (const value of section.values({ gte: start, lt: start + END, reverse: false })) {
        const stored = JSON.parse(value) as Stored;
        if (stored.t === 'response' && stored.p === payloadDigest) return placeOf(stored);
      }
      return undefined;
    },
    drop: (isLost) => dropLost(section, (value) => placeOf(JSON.parse(value) as Stored), isLost),
  };
}

function placeOf({ f, o, l, i, t, p }: Stored): PlaybackPlace {
  return { file: f, offset: o, length: l, recordId: i, type: t, payloadDigest: p };
}
