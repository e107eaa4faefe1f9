/**
 * The dedup index in a shared store: entries in packed hashes, claims as keys of their own, each batch one script.
 *
 * ```
 * claim ── answered ──► won, held, known       no answer ──► nothing is known: written as responses, and published by the outbox
 * ```
 *
 * While the store is away nothing throws: what is in the cache is still found, what is published waits. Fronted by a bounded cache of what was
 * found or published here. Source: spec/warcprox.md §4 (Dedup).
 */
import type { DedupIndex, DedupStore, Original, Published, Standing, Wanted } from '../dedup.ts';
import { newOriginals, type Originals } from '../originals.ts';
import type { Lost } from '../place.ts';
import { Lease } from './lease.ts';
import type { Link, ScriptArgument } from './link.ts';
import type { Outbox } from './outbox.ts';
import type { OwnEntries } from './own-entries.ts';
import { packEntry, packKey, slotOf, unpackEntry } from './packed.ts';
import { CLAIM, DROP, HELD, LOOK, NOTHING, PUBLISH, RELEASE, WON } from './scripts.ts';

export interface ValkeyDedupOptions {
  readonly link: Link;
  readonly outbox: Outbox;
  readonly own: OwnEntries;
  readonly maxCached?: number;
  /** how long a claim stands whose holder is gone */
  readonly livesMs?: number;
}

/** Of a batch of any size; the store does nothing else meanwhile. */
const AT_ONCE = 500;
/** Claims take no memory for longer, though their holder should live so long. */
const CLAIM_STAYS_MS = 3_600_000;
/** How often it is looked whether another is done: at first, and at most. */
const FIRST_LOOK_MS = 5;
const MAX_LOOK_MS = 100;

export function valkeyDedup(options: ValkeyDedupOptions): DedupStore {
  const cache = newOriginals(options.maxCached);
  return { holder: () => new ValkeyDedup(options, cache), drop: (lost) => drop(options, cache, lost) };
}

class ValkeyDedup implements DedupIndex {
  readonly #options: ValkeyDedupOptions;
  readonly #cache: Originals;
  readonly #lease: Lease;

  constructor(options: ValkeyDedupOptions, cache: Originals) {
    this.#options = options;
    this.#cache = cache;
    this.#lease = new Lease(options.link, options.livesMs);
  }

  claim(wanted: readonly Wanted[]): readonly Standing[] | Promise<readonly Standing[]> {
    const standings: Standing[] = [];
    const asked: Wanted[] = [];
    for (const [index, each] of wanted.entries()) if ((standings[index] = this.#cache.get(each.key)) === undefined) asked.push(each);
    if (asked.length === 0) return standings;
    return this.#ask(asked).then((known) => wanted.map(({ key, claims }, index) => standings[index] ?? standingOf(known.get(key), claims)));
  }

  /** In the order in which the outbox would have them, were the store to go away in between. */
  async publish(originals: readonly Published[]): Promise<void> {
    const { own, outbox, link } = this.#options;
    await own.note(originals);
    for (const some of slicesOf(originals)) {
      const packed = some.map(({ key, original }) => {
        const packedKey = packKey(key);
        return [slotOf(packedKey), packedKey, packEntry(original)] as const;
      });
      const said = outbox.isInUse ? undefined : await answered(link.run(PUBLISH, [...this.#lease.ids, ...packed.flat()]));
      if (said === undefined) await outbox.keepEntries(packed);
      for (const [nth, { key, original }] of some.entries()) {
        this.#lease.done(key);
        if (said === undefined || said[nth] === WON) this.#cache.set(key, original);
      }
    }
    await own.settle();
  }

  async release(keys: readonly string[]): Promise<void> {
    const held = keys.filter((key) => this.#lease.done(key));
    for (const some of slicesOf(held)) {
      const freed = await answered(this.#options.link.run(RELEASE, [...this.#lease.ids, ...some.map(packKey)]));
      if (freed === undefined) this.#lease.renounce();
    }
  }

  async freed(keys: readonly string[]): Promise<void> {
    const asked = keys.map((key) => ({ key, claims: false }));
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, MAX_LOOK_MS)) {
      if (asked.some(({ key }) => this.#cache.has(key))) return;
      const known = await this.#ask(asked);
      if (known.size === 0 || asked.some(({ key }) => known.get(key) !== HELD)) return;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** Whether what was won may be another's by now, as this process could not say in time that it is there. */
  get lapsed(): boolean {
    return this.#lease.lapsed;
  }

  async close(): Promise<void> {
    await this.#lease.close();
    await this.#options.own.settle();
  }

  /** @returns what is there for each key; nothing at all while the store is away */
  async #ask(wanted: readonly Wanted[]): Promise<ReadonlyMap<string, Original | number>> {
    const claims = new Set(wanted.filter((each) => each.claims).map(({ key }) => key));
    const looks = new Set(wanted.map(({ key }) => key).filter((key) => !claims.has(key)));
    const keys = [...claims, ...looks];
    const known = new Map<string, Original | number>();
    for (let at = 0; at < keys.length; at += AT_ONCE) {
      const some = keys.slice(at, at + AT_ONCE);
      const said = await this.#askFor(some, Math.max(Math.min(claims.size - at, some.length), 0));
      if (said === undefined) continue;
      for (const [nth, key] of some.entries()) {
        const each = said[nth];
        const standing = Buffer.isBuffer(each) ? originalIn(each) : Number(each);
        known.set(key, standing);
        if (typeof standing === 'object') this.#cache.set(key, standing);
        if (standing === WON) this.#lease.hold(key);
      }
    }
    return known;
  }

  async #askFor(keys: readonly string[], claims: number): Promise<readonly unknown[] | undefined> {
    const { link } = this.#options;
    const pairs: ScriptArgument[] = [];
    for (const key of keys) {
      const packed = packKey(key);
      pairs.push(slotOf(packed), packed);
    }
    if (link.problem?.code !== 'STORE_FULL') {
      const renewed = this.#lease.begin();
      const said = await answered(link.run(CLAIM, [...this.#lease.ids, this.#lease.livesMs, CLAIM_STAYS_MS, claims, ...pairs]));
      if (said !== undefined) {
        if (claims > 0) renewed();
        return said;
      }
      // Whether it was done is not known: what it has claimed is to be nobody's.
      this.#lease.renounce();
    }
    // One that is full says what it knows.
    return link.problem?.code === 'STORE_FULL' ? answered(link.run(LOOK, pairs)) : undefined;
  }
}

function standingOf(known: Original | number | undefined, claims: boolean): Standing {
  if (typeof known === 'object') return known;
  if (known === WON) return claims ? 'won' : undefined;
  return known === HELD ? 'held' : undefined;
}

/** What makes no sense is as if it were not there; nothing is published over it. */
function originalIn(entry: Buffer): Original | number {
  try {
    return unpackEntry(entry);
  } catch {
    return NOTHING;
  }
}

/** @returns undefined when the store is away */
async function answered(asked: Promise<unknown>): Promise<readonly unknown[] | undefined> {
  try {
    const said = await asked;
    return Array.isArray(said) ? (said as unknown[]) : [said];
  } catch {
    return undefined;
  }
}

/** @throws StoreError */
async function drop({ link, own }: ValkeyDedupOptions, cache: Originals, lost: Lost): Promise<number> {
  let dropped = 0;
  let parameters: ScriptArgument[] = [];
  const send = async () => {
    if (parameters.length > 0) dropped += Number(await link.run(DROP, parameters));
    parameters = [];
  };
  for await (const { key, recordId } of own.lost(lost)) {
    cache.delete(key);
    const packed = packKey(key);
    parameters.push(slotOf(packed), packed, idIn(recordId));
    if (parameters.length >= AT_ONCE * 3) await send();
  }
  await send();
  await own.forget(lost);
  return dropped;
}

/** As it stands within an entry. */
function idIn(recordId: string): Buffer | string {
  const packed = packEntry({ recordId, url: '', date: new Date(0).toISOString() });
  return packed[0] === NOTHING ? JSON.stringify(recordId) : packed.subarray(1, 17);
}

function* slicesOf<T>(items: readonly T[]): Generator<readonly T[], void> {
  for (let at = 0; at < items.length; at += AT_ONCE) yield items.slice(at, at + AT_ONCE);
}
