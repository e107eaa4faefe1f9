/**
 * The dedup index in memory: for programs that keep none, and for tests. Grows with what it is told.
 */
import { Claims, type Holder } from '../claims.ts';
import type { DedupIndex, DedupStore, Published, Standing, Wanted } from '../dedup.ts';
import { isLost } from '../place.ts';

export function memoryDedup(): DedupStore {
  const published = new Map<string, Published>();
  const claims = new Claims();
  return {
    holder: () => holderOf(published, claims),
    drop(lost) {
      const gone = [...published.values()].filter(({ place }) => isLost(place, lost));
      for (const { key } of gone) published.delete(key);
      return Promise.resolve(gone.length);
    },
  };
}

function holderOf(published: Map<string, Published>, claims: Claims): DedupIndex {
  const self: Holder = {};
  const standingOf = ({ key, claims: toWrite }: Wanted): Standing => {
    const known = published.get(key);
    if (known !== undefined) return known.original;
    if (toWrite) claims.take(key, self);
    const holder = claims.holderOf(key);
    if (holder !== undefined && holder !== self) return 'held';
    return toWrite ? 'won' : undefined;
  };
  return {
    claim: (wanted) => wanted.map(standingOf),
    publish(originals) {
      for (const each of originals) {
        const holder = claims.holderOf(each.key);
        if (holder !== undefined && holder !== self) continue;
        published.set(each.key, each);
        claims.free(each.key, self);
      }
      return Promise.resolve();
    },
    freed: (keys) => claims.freed(keys, self),
    release(keys) {
      for (const key of keys) claims.free(key, self);
    },
    close() {
      claims.lapse(self);
      return Promise.resolve();
    },
  };
}
