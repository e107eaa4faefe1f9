/**
 * The dedup index that another process has: one call for a batch of keys, and none for what was found lately.
 *
 * Claims are held there, and lapse when this process is gone.
 */
import type { Wire } from '../../util/wire.ts';
import type { DedupIndex, DedupStore, Standing, Wanted } from '../dedup.ts';
import { newOriginals, type Originals } from '../originals.ts';
import { formOfLost, formOfPublished, standingIn, type StandingForm } from './forms.ts';

export function remoteDedup(wire: Wire): DedupStore {
  const originals = newOriginals();
  let holders = 0;
  return {
    holder: () => holderOf(wire, holders++, originals),
    async drop(lost) {
      originals.clear();
      return (await wire.call('dropDedup', formOfLost(lost))) as number;
    },
  };
}

/** @param number tells those of one process apart */
function holderOf(wire: Wire, number: number, originals: Originals): DedupIndex {
  const won = new Set<string>();

  const ask = async (wanted: readonly Wanted[], standings: Standing[], unknown: readonly number[]): Promise<readonly Standing[]> => {
    const asked = unknown.flatMap((index) => wanted[index] ?? []);
    const looks = asked.flatMap(({ claims }, nth) => (claims ? [] : [nth]));
    const keys = asked.map(({ key }) => key);
    const forms = (await wire.call('claim', number, keys, looks)) as readonly StandingForm[];
    for (const [nth, form] of forms.entries()) {
      const standing = standingIn(form);
      const key = keys[nth] ?? '';
      standings[unknown[nth] ?? 0] = standing;
      if (standing === 'won') won.add(key);
      else if (typeof standing === 'object') originals.set(key, standing);
    }
    return standings;
  };

  return {
    claim(wanted) {
      const standings: Standing[] = [];
      const unknown: number[] = [];
      for (const [index, { key }] of wanted.entries()) if ((standings[index] = originals.get(key)) === undefined) unknown.push(index);
      return unknown.length === 0 ? standings : ask(wanted, standings, unknown);
    },
    async publish(published) {
      if (published.length === 0) return;
      await wire.call('publish', number, published.map(formOfPublished));
      for (const { key } of published) won.delete(key);
    },
    async freed(keys) {
      if (keys.length > 0) await wire.call('freed', number, keys);
    },
    /** What was published is held no more, and need not be told. */
    release(keys) {
      const held = keys.filter((key) => won.delete(key));
      return held.length === 0 ? undefined : wire.call('release', number, held).then(() => undefined);
    },
    async close() {
      won.clear();
      await wire.call('lapse', number);
    },
  };
}
