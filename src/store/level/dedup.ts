/**
 * The dedup index in LevelDB, with the claims of this process.
 *
 * Fronted by a bounded cache of what was found, and by a filter that knows what there is not. An entry is replaced only by another true one,
 * so what the cache holds stays true; a key is in the filter before its entry is in the database.
 * Source: spec/warcprox.md §4 (Dedup).
 */
import { LRUCache } from 'lru-cache';
import { Claims, type Holder } from '../claims.ts';
import type { DedupIndex, DedupStore, Original, Published, Standing, Wanted } from '../dedup.ts';
import { DatabaseError } from '../errors.ts';
import { AFTER_JOURNAL, Journal, type JournalledSection } from './journal.ts';
import { KnownKeys } from './known-keys.ts';
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

const CACHED_ENTRIES = 20_000;
/** characters of keys and entries: URLs can be long */
const CACHED_SIZE = 16 * 1024 * 1024;

/** That many take some milliseconds. */
const LEARNT_AT_ONCE = 2_000;

const NOTHING: Wanted = { key: '', claims: false };

interface Parts {
  readonly section: JournalledSection;
  readonly journal: Journal;
  readonly cache: LRUCache<string, Original>;
  readonly claims: Claims;
  readonly known: KnownKeys;
}

export interface LevelDedup extends DedupStore {
  /**
   * Read all keys, in slices, so that from then on the database is asked only for those that it may have; again whenever it was away. To be
   * called once.
   *
   * @returns when it has been done, or cannot be for now
   */
  learn(): Promise<void>;
}

export interface LevelDedupOptions {
  /** paths of the WARC files that are open */
  readonly openFiles?: ReadonlySet<string>;
  readonly maxCached?: number;
}

export function levelDedup(
  section: JournalledSection,
  { openFiles = new Set(), maxCached = CACHED_ENTRIES }: LevelDedupOptions = {},
): LevelDedup {
  const cache = new LRUCache<string, Original>({
    max: maxCached,
    maxSize: CACHED_SIZE,
    sizeCalculation: ({ recordId, url, date, answer = '' }, key) => key.length + recordId.length + url.length + date.length + answer.length,
  });
  const claims = new Claims();
  const journal = new Journal(section, openFiles);
  const known = new KnownKeys();
  const learn = () =>
    known.learn(section.keys(AFTER_JOURNAL, LEARNT_AT_ONCE)).catch((error: unknown) => {
      if (!(error instanceof DatabaseError)) throw error;
    });
  return {
    holder: () => holderOf({ section, journal, cache, claims, known }),
    drop: (lost) => journal.drop(lost, storedIn, (key) => cache.delete(key)),
    learn() {
      // Repaired, or put there by somebody: it may have others now.
      section.whenBack(() => void learn());
      return learn();
    },
  };
}

function holderOf(parts: Parts): DedupIndex {
  const { section, journal, cache, claims, known } = parts;
  const self: Holder = {};
  return {
    claim(wanted) {
      const standings: Standing[] = [];
      const unknown: number[] = [];
      const taken: string[] = [];
      for (const [index, each] of wanted.entries()) {
        const { key, claims: toWrite } = each;
        const found = cache.get(key);
        const isNew = found === undefined && known.isNew(key);
        if (found === undefined && !isNew) unknown.push(index);
        if (isNew && toWrite && claims.take(key, self)) taken.push(key);
        standings[index] = isNew ? unpublished(parts, self, each) : found;
      }
      return unknown.length === 0 ? standings : ask(parts, self, wanted, standings, unknown, taken);
    },
    async publish(originals) {
      const { own, taken } = notHeldByOthers(originals, claims, self);
      if (own.length === 0) return;
      for (const { key } of own) known.add(key);
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
 * @param taken what was claimed among the others
 */
async function ask(
  parts: Parts,
  self: Holder,
  wanted: readonly Wanted[],
  standings: Standing[],
  unknown: readonly number[],
  taken: string[],
): Promise<readonly Standing[]> {
  const { section, cache, claims } = parts;
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
  for (const [nth, each] of asked.entries()) {
    const value = values[nth];
    const original = value === undefined ? undefined : originalIn(value);
    standings[unknown[nth] ?? 0] = original ?? unpublished(parts, self, each);
    if (original === undefined) continue;
    cache.set(each.key, original);
    claims.free(each.key, self);
  }
  return standings;
}

/** How it stands with what the database does not have, once it has been claimed. */
function unpublished({ cache, claims }: Parts, self: Holder, { key, claims: toWrite }: Wanted): Standing {
  const holder = claims.holderOf(key);
  if (holder === self) return toWrite ? 'won' : undefined;
  if (holder !== undefined) return 'held';
  // Whoever had it when we came has published it meanwhile, or let go of it: that is seen by who asks again.
  return cache.get(key) ?? (toWrite ? 'held' : undefined);
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
