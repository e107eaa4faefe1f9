/**
 * The dedup index in LevelDB, with the claims of this process.
 *
 * Fronted by a bounded cache of what was found. An entry is replaced only by another true one, so what the cache holds stays true.
 * Source: spec/warcprox.md §4 (Dedup).
 */
import { Claims, type Holder } from '../claims.ts';
import type { DedupIndex, DedupStore, Original, Published, Standing, Wanted } from '../dedup.ts';
import { newOriginals, type Originals } from '../originals.ts';
import { DedupEntries } from './dedup-entries.ts';
import type { JournalledSection } from './journal.ts';
import { FORGET_FILTER, type KnownKeys } from './known-keys.ts';

const NOTHING: Wanted = { key: '', claims: false };

interface Parts {
  readonly entries: DedupEntries;
  readonly cache: Originals;
  readonly claims: Claims;
  readonly known: KnownKeys | undefined;
}

export interface LevelDedupOptions {
  /** paths of the WARC files that are open */
  readonly openFiles?: ReadonlySet<string>;
  readonly maxCached?: number;
  /** of this section; without it every key is asked for */
  readonly known?: KnownKeys | undefined;
}

export function levelDedup(section: JournalledSection, { openFiles = new Set(), maxCached, known }: LevelDedupOptions = {}): DedupStore {
  const cache = newOriginals(maxCached);
  const claims = new Claims();
  const entries = new DedupEntries(section, openFiles);
  return {
    holder: () => holderOf({ entries, cache, claims, known }),
    drop: (lost) => entries.drop(lost, (key) => cache.delete(key)),
  };
}

/** One call of `claim`. */
interface Asked {
  readonly wanted: readonly Wanted[];
  /** of all that are wanted, to be completed */
  readonly standings: Standing[];
  /** indexes of those that are not known yet */
  readonly unknown: readonly number[];
  /** keys that were taken in it, to be let go if it fails */
  readonly taken: string[];
}

function holderOf(parts: Parts): DedupIndex {
  const { entries, cache, claims, known } = parts;
  const self: Holder = {};
  // A filter that was saved for the next run would not have what is written without one.
  let forgotten = known !== undefined;
  return {
    claim(wanted) {
      const standings: Standing[] = [];
      const taken: string[] = [];
      const unknown: number[] = [];
      for (let index = 0; index < wanted.length; index++) {
        const each = wanted[index] ?? NOTHING;
        if (known?.mayHave(each.key) === false) {
          if (each.claims && claims.take(each.key, self)) taken.push(each.key);
          standings.push(unpublished(parts, self, each));
        } else {
          const original = cache.get(each.key);
          if (original === undefined) unknown.push(index);
          standings.push(original);
        }
      }
      return unknown.length === 0 ? standings : ask(parts, self, { wanted, standings, unknown, taken });
    },
    async publish(originals) {
      const { own, taken } = notHeldByOthers(originals, claims, self);
      if (own.length === 0) return;
      try {
        await entries.put(own, forgotten ? [] : [FORGET_FILTER], known && ((short) => known.add(short)));
        forgotten = true;
        await entries.settle();
      } catch (error) {
        for (const key of taken) claims.free(key, self);
        throw error;
      }
      // Most payloads are not asked for again: it is those who are that are kept in memory.
      for (const { key } of own) claims.free(key, self);
    },
    freed: (keys) => claims.freed(keys, self),
    release(keys) {
      for (const key of keys) claims.free(key, self);
    },
    close() {
      claims.lapse(self);
      return entries.settle();
    },
  };
}

/**
 * One read for all keys that the cache does not have.
 *
 * They are claimed before it, not after: otherwise another could win one of them and publish it while the database is asked.
 */
async function ask(parts: Parts, self: Holder, { wanted, standings, unknown, taken }: Asked): Promise<readonly Standing[]> {
  const { entries, cache, claims } = parts;
  const asked = unknown.map((index) => wanted[index] ?? NOTHING);
  for (const { key, claims: toWrite } of asked) {
    if (toWrite && claims.take(key, self)) taken.push(key);
  }
  const wereHeld = asked.map(({ key }) => claims.holderOf(key) !== undefined);
  let found: readonly (Original | undefined)[];
  try {
    found = await entries.find(asked.map(({ key }) => key));
  } catch (error) {
    for (const key of taken) claims.free(key, self);
    throw error;
  }
  asked.forEach((each, nth) => {
    const original = found[nth];
    standings[unknown[nth] ?? 0] = original ?? unpublished(parts, self, each, wereHeld[nth]);
    if (original === undefined) return;
    cache.set(each.key, original);
    claims.free(each.key, self);
  });
  return standings;
}

/** Of what is not in the database, as far as that is known. @param wasHeld before it was asked for */
function unpublished({ claims }: Parts, self: Holder, { key, claims: toWrite }: Wanted, wasHeld = false): Standing {
  const holder = claims.holderOf(key);
  if (holder === self) return toWrite ? 'won' : undefined;
  // Whoever had it has published it meanwhile, or let go of it: that is seen by who asks again.
  return holder !== undefined || wasHeld ? 'held' : undefined;
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
