/**
 * The playback index: where each capture of a URL stands in the WARC files, and each record that a revisit may refer to.
 *
 * ```
 * u NUL url NUL date NUL count → place     captures that have a body to show; count keeps those of one millisecond in order
 * h NUL url NUL date NUL count → place     answers to HEAD
 * i NUL record id              → place     `response` records
 * ```
 *
 * Does not own the table. Entries are added, and dropped only when a crash has taken their record: whoever reads a place checks that the
 * record is still there.
 * Source: spec/warcprox.md §10; ISO 28500:2017 §5.11 (WARC-Refers-To), §5.12.
 */

/** What is needed of a sublevel of LevelDB whose keys and values are UTF-8 text. */
export interface PlaybackTable {
  batch(operations: ({ type: 'put'; key: string; value: string } | { type: 'del'; key: string })[]): Promise<void>;
  get(key: string): Promise<string | undefined>;
  iterator(): AsyncIterable<[key: string, value: string]>;
  values(range: { gte: string; lt: string; reverse: boolean; limit?: number }): AsyncIterable<string>;
}

/** Where a record stands. */
export interface PlaybackPlace {
  /** path below the folder of WARC files, without `.open` */
  readonly file: string;
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
  /** bytes in the (compressed) file */
  readonly length: number;
  /** WARC-Record-ID */
  readonly recordId: string;
  readonly type: string;
  readonly payloadDigest: string;
}

export interface PlaybackEntry extends PlaybackPlace {
  /** WARC-Target-URI */
  readonly url: string;
  readonly startedAt: Date;
  /** of the request; undefined for custom records */
  readonly method: string | undefined;
}

export interface PlaybackIndex {
  /** Add the principal records of captures, in the order in which they were written. */
  save(entries: readonly PlaybackEntry[]): Promise<void>;
  /** The latest capture of exactly that URL. Answers to HEAD count only for HEAD: there is no body in them. */
  latest(url: string, method: string): Promise<PlaybackPlace | undefined>;
  /** The `response` record with this id. */
  byId(recordId: string): Promise<PlaybackPlace | undefined>;
  /** The `response` record of that URL, WARC-Date (to the second or the millisecond) and payload. */
  byDate(url: string, date: string, payloadDigest: string): Promise<PlaybackPlace | undefined>;
  /** Drop the entries whose record is lost. Reads the whole index: for the start after a crash. @returns how many were dropped */
  drop(isLost: (place: Pick<PlaybackPlace, 'file' | 'offset'>) => boolean): Promise<number>;
}

/** As it is in the table. */
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
const DROP_AT_ONCE = 1000;

export function playbackIndex(table: PlaybackTable): PlaybackIndex {
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
    for await (const value of table.values(range)) return JSON.parse(value) as Stored;
    return undefined;
  };

  return {
    save: (entries) => table.batch(entries.flatMap(operations)),
    async latest(url, method) {
      const found = await latestIn('u', url);
      const head = method === 'HEAD' ? await latestIn('h', url) : undefined;
      const latest = found === undefined || (head !== undefined && head.d > found.d) ? head : found;
      return latest && placeOf(latest);
    },
    async byId(recordId) {
      const value = await table.get(`i${NUL}${recordId}`);
      return value === undefined ? undefined : placeOf(JSON.parse(value) as Stored);
    },
    async byDate(url, date, payloadDigest) {
      const start = `u${NUL}${url}${NUL}${date.replace(/Z$/, '')}`;
      for await (const value of table.values({ gte: start, lt: start + END, reverse: false })) {
        const stored = JSON.parse(value) as Stored;
        if (stored.t === 'response' && stored.p === payloadDigest) return placeOf(stored);
      }
      return undefined;
    },
    async drop(isLost) {
      let dropped = 0;
      let keys: string[] = [];
      const write = async () => {
        await table.batch(keys.map((key) => ({ type: 'del', key })));
        dropped += keys.length;
        keys = [];
      };
      for await (const [key, value] of table.iterator()) {
        if (isLost(placeOf(JSON.parse(value) as Stored))) keys.push(key);
        if (keys.length >= DROP_AT_ONCE) await write();
      }
      await write();
      return dropped;
    },
  };
}

function placeOf({ f, o, l, i, t, p }: Stored): PlaybackPlace {
  return { file: f, offset: o, length: l, recordId: i, type: t, payloadDigest: p };
}
