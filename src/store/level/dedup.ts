/**
 * The dedup index in LevelDB, with the claims of this process.
 *
 * Fronted by a bounded cache of what was found. An entry is replaced only by another true one, so what the cache holds stays true.
 * Source: spec/warcprox.md §4 (Dedup).
 */
import { Claims, type Holder } from '../claims.ts';
import type { DedupIndex, DedupStore, Original, Published, Standing, Wanted } from '../dedup.ts';
import { newOriginals, type Originals } from '../originals.ts';
import { Journal, type JournalledSection } from './journal.ts';
import type { Change } from './section.ts';

/** As it is in the database. */
interface Stored {
  readonly id: string;
  readonly url: string;
  readonly date: string;
  /** not in entries of early versions */
  readonly answer?: string | undefined;
  readonly file: string;
  readonly offset: number;
}

const NOTHING: Wanted = { key: '', claims: false };

interface Parts {
  readonly section: JournalledSection;
  readonly journal: Journal;
  readonly cache: Originals;
  readonly claims: Claims;
}

export interface LevelDedupOptions {
  /** paths of the WARC files that are open */
  readonly openFiles?: ReadonlySet<string>;
  readonly maxCached?: number;
}

export function levelDedup(section: JournalledSection, { openFiles = new Set(), maxCached }: LevelDedupOptions = {}): DedupStore {
  const cache = newOriginals(maxCached);
  const claims = new Claims();
  const journal = new Journal(section, openFiles);
  return {
    holder: () => holderOf({ section, journal, cache, claims }),
    drop: (lost) => journal.drop(lost, storedIn, (key) => cache.delete(key)),
  };
}

function holderOf(parts: Parts): DedupIndex {
  const { section, journal, cache, claims } = parts;
  const self: Holder = {};
  return {
    claim(wanted) {
      const standings: Standing[] = [];
      const unknown: number[] = [];
      for (const [index, { key }] of wanted.entries()) if ((standings[index] = cache.get(key)) === undefined) unknown.push(index);
      return unknown.length === 0 ? standings : ask(parts, self, wanted, standings, unknown);
    },
    async publish(originals) {
      const { own, taken } = notHeldByOthers(originals, claims, self);
      if (own.length === 0) return;
      try {
        await section.batch([...own.map(put), ...journal.rows(own)]);
        await journal.settle();
      } catch (error) {
        for (const key of taken) claims.free(key, self);
        throw error;
      }
      for (const { key, original } of own) {
        cache.set(key, original);
        claims.free(key, self);
      }
    },
    freed: (keys) => claims.freed(keys, self),
    release(keys) {
      for (const key of keys) claims.free(key, self);
    },
    close() {
      claims.lapse(self);
      return journal.settle();
    },
  };
}

/**
 * One read for all keys that the cache does not have.
 *
 * They are claimed before it, not after: otherwise another could win one of them and publish it while the database is asked.
 *
 * @param standings of all that are wanted, to be completed
 * @param unknown indexes of those that are not known yet
 */
async function ask(
  { section, cache, claims }: Parts,
  self: Holder,
  wanted: readonly Wanted[],
  standings: Standing[],
  unknown: readonly number[],
): Promise<readonly Standing[]> {
  const taken: string[] = [];
  const asked = unknown.map((index) => wanted[index] ?? NOTHING);
  for (const { key, claims: toWrite } of asked) {
    if (toWrite && claims.take(key, self)) taken.push(key);
  }
  let values: readonly (string | undefined)[];
  try {
    values = await section.getMany(asked.map(({ key }) => key));
  } catch (error) {
    for (const key of taken) claims.free(key, self);
    throw error;
  }
  const unpublished = ({ key, claims: toWrite }: Wanted): Standing => {
    const holder = claims.holderOf(key);
    if (holder === self) return toWrite ? 'won' : undefined;
    if (holder !== undefined) return 'held';
    // Whoever had it when we came has published it meanwhile, or let go of it: that is seen by who asks again.
    return cache.get(key) ?? (toWrite ? 'held' : undefined);
  };
  for (const [nth, each] of asked.entries()) {
    const value = values[nth];
    const original = value === undefined ? undefined : originalIn(value);
    standings[unknown[nth] ?? 0] = original ?? unpublished(each);
    if (original === undefined) continue;
    cache.set(each.key, original);
    claims.free(each.key, self);
  }
  return standings;
}

function originalIn(value: string): Original {
  const { id, url, date, answer } = storedIn(value);
  return answer === undefined ? { recordId: id, url, date } : { recordId: id, url, date, answer };
}

/** What is nobody's is taken, so that nobody else wins it while it is written. */
function notHeldByOthers(
  originals: readonly Published[],
  claims: Claims,
  self: Holder,
): { own: readonly Published[]; taken: readonly string[] } {
  const own: Published[] = [];
  const taken: string[] = [];
  for (const each of originals) {
    const holder = claims.holderOf(each.key);
    if (holder === undefined && claims.take(each.key, self)) taken.push(each.key);
    if (holder === undefined || holder === self) own.push(each);
  }
  return { own, taken };
}

function put({ key, original: { recordId, url, date, answer }, place: { file, offset } }: Published): Change {
  const stored: Stored = { id: recordId, url, date, answer, file, offset };
  return { type: 'put', key, value: JSON.stringify(stored) };
}

function storedIn(value: string): Stored {
  return JSON.parse(value) as Stored;
}
