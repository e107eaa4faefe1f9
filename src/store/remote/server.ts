/**
 * The stores of this process, for another one that asks over a wire.
 *
 * Claims of the other process are held here. When it is gone they stay, until whoever sees to what it has left has published what stands in its
 * files, and closes.
 */
import type { Wire } from '../../util/wire.ts';
import type { DedupIndex, DedupStore, Published } from '../dedup.ts';
import type { Lane } from '../lanes.ts';
import type { PlaybackIndex } from '../playback.ts';
import type { AddingStatistics } from '../statistics.ts';
import {
  countsIn,
  entryIn,
  formOfFound,
  formOfStanding,
  lostIn,
  publishedIn,
  type CountsForm,
  type EntryForm,
  type LostForm,
  type PublishedForm,
} from './forms.ts';
import { KnownFiles, type Unsettled } from './files.ts';

export interface SharedStores {
  readonly dedup: DedupStore | undefined;
  readonly stats: AddingStatistics | undefined;
  readonly playback: PlaybackIndex | undefined;
  /** paths of the WARC files that are open in any process */
  readonly openFiles: Set<string>;
}

/** What another process has of the stores here. */
export interface Served {
  /** keys that it has won, and neither published nor released */
  readonly held: ReadonlySet<string>;
  /** its WARC files in which there may be records that no index has */
  readonly unsettled: readonly Unsettled[];
  /** paths of its WARC files that it has not told of as closed, with their index */
  readonly unfinished: readonly string[];
  /** Of the process that is gone: publish what it has won and written. */
  readonly publish: (originals: readonly Published[]) => Promise<void>;
  /** Of the process that is gone: others may have what it has won. */
  release(): Promise<void>;
  /** Of the process that is gone: none of its files is open any more. */
  forgetFiles(): void;
  /** One of them is closed, and its index is there. */
  finished(path: string): void;
}

/** Whether there is room again for new buckets is looked at so often. */
const LOOK_MS = 100;

export function serveStores(wire: Wire, { dedup, stats, playback, openFiles }: SharedStores): Served {
  const files = new KnownFiles(openFiles, { dedup: dedup !== undefined, playback: playback !== undefined });
  const held = new Map<string, DedupIndex>();
  const keys = new Set<string>();
  const holders = new Map<number, DedupIndex>();
  const holder = (number: number): DedupIndex => {
    let index = holders.get(number);
    if (index === undefined) holders.set(number, (index = orAbsent(dedup, 'deduplication').holder()));
    return index;
  };
  const letGo = (released: readonly string[], index: DedupIndex) => {
    for (const key of released) if (held.get(key) === index && held.delete(key)) keys.delete(key);
  };
  const publish = async (index: DedupIndex, originals: readonly Published[]) => {
    await index.publish(originals);
    letGo(
      originals.map(({ key }) => key),
      index,
    );
  };

  wire.serve({
    async claim(number: number, wanted: readonly string[], looks: readonly number[]) {
      const index = holder(number);
      const looking = new Set(looks);
      const standings = await index.claim(wanted.map((key, nth) => ({ key, claims: !looking.has(nth) })));
      for (const [nth, standing] of standings.entries()) {
        const key = wanted[nth];
        if (standing !== 'won' || key === undefined) continue;
        held.set(key, index);
        keys.add(key);
      }
      return standings.map(formOfStanding);
    },
    async publish(number: number, forms: readonly PublishedForm[]) {
      const originals = forms.map(publishedIn);
      await publish(holder(number), originals);
      files.published(originals.map(({ place }) => place));
    },
    freed: (number: number, wanted: readonly string[]) => holder(number).freed(wanted),
    async release(number: number, released: readonly string[]) {
      await holder(number).release(released);
      letGo(released, holder(number));
      files.published([]);
    },
    async lapse(number: number) {
      const index = holder(number);
      await index.close();
      letGo([...keys], index);
    },
    dropDedup: (lost: LostForm) => orAbsent(dedup, 'deduplication').drop(lostIn(lost)),
    opened: (path: string) => files.opened(path),
    closed: (path: string) => files.closed(path, keys.size === 0),
    ...statisticsHandlers(wire, stats),
    ...playbackHandlers(playback, files),
  });

  return {
    held: keys,
    get unsettled() {
      return files.unsettled;
    },
    get unfinished() {
      return files.unfinished;
    },
    finished: (path) => files.finished(path),
    async publish(originals) {
      for (const index of holders.values()) {
        await publish(
          index,
          originals.filter(({ key }) => held.get(key) === index),
        );
      }
    },
    forgetFiles: () => files.close(),
    async release() {
      for (const index of holders.values()) await index.close();
      held.clear();
      keys.clear();
      holders.clear();
    },
  };
}

function statisticsHandlers(wire: Wire, stats: AddingStatistics | undefined) {
  let timer: NodeJS.Timeout | undefined;
  /** The other process lets no new buckets in meanwhile, and would never ask again. */
  const tellIfCrowded = () => {
    if (timer !== undefined || stats?.crowded !== true) return;
    wire.tell('crowded', true);
    timer = setInterval(() => {
      if (stats.crowded && !wire.over) return;
      clearInterval(timer);
      timer = undefined;
      wire.tell('crowded', false);
    }, LOOK_MS).unref();
  };
  return {
    count(forms: readonly CountsForm[]) {
      for (const form of forms) stats?.add(...countsIn(form));
      tellIfCrowded();
    },
    bucket: (name: string) => orAbsent(stats, 'statistics').get(name),
    flush: () => orAbsent(stats, 'statistics').flush(),
  };
}

function playbackHandlers(playback: PlaybackIndex | undefined, files: KnownFiles) {
  const index = () => orAbsent(playback, 'playback');
  return {
    async save(forms: readonly EntryForm[]) {
      const entries = forms.map(entryIn);
      await index().save(entries);
      files.saved(entries);
    },
    async find(url: string, lane: Lane, which: 'first' | 'last', from: number | null, to: number | null) {
      const period = { ...(from !== null && { from: new Date(from) }), ...(to !== null && { to: new Date(to) }) };
      const found = await index().find(url, lane, which, period);
      return found && formOfFound(found);
    },
    async list(urlStart: string, limit: number, from: string | null) {
      const { captures, next } = await index().list(urlStart, limit, from ?? undefined);
      return [captures.map((capture) => [capture.url, formOfFound(capture)]), next ?? null];
    },
    byId: (recordId: string) => index().byId(recordId),
    byDate: (url: string, date: string, payloadDigest: string) => index().byDate(url, date, payloadDigest),
    dropPlayback: (lost: LostForm) => index().drop(lostIn(lost)),
  };
}

function orAbsent<Store>(store: Store | undefined, of: string): Store {
  if (store === undefined) throw new Error(`there is no store of ${of} in this process`);
  return store;
}
