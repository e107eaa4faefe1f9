/**
 * The playback index in memory: for programs that keep none, and for tests. Grows with what it is told.
 */
import type { Lane } from '../lanes.ts';
import { isLost } from '../place.ts';
import type { Found, PlaybackEntry, PlaybackIndex, PlaybackPlace } from '../playback.ts';

export function memoryPlayback(): PlaybackIndex {
  /** of each URL and lane, the earliest first; those of one millisecond as they were written */
  const lanes = new Map<string, readonly PlaybackEntry[]>();
  const responses = new Map<string, PlaybackEntry>();

  return {
    save(entries) {
      for (const entry of entries) {
        for (const lane of entry.lanes) {
          const others = lanes.get(keyOf(entry.url, lane)) ?? [];
          lanes.set(
            keyOf(entry.url, lane),
            [...others, entry].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime()),
          );
        }
        if (entry.type === 'response') responses.set(entry.recordId, entry);
      }
      return Promise.resolve();
    },
    find(url, lane, which, { from, to } = {}) {
      const isIn = ({ startedAt }: PlaybackEntry) => (from === undefined || startedAt >= from) && (to === undefined || startedAt <= to);
      const entries = lanes.get(keyOf(url, lane)) ?? [];
      const entry = which === 'last' ? entries.findLast(isIn) : entries.find(isIn);
      return Promise.resolve(entry && foundOf(entry));
    },
    list(urlStart, limit, from) {
      const keys = [...lanes.keys()].filter((key) => key.startsWith(urlStart)).sort();
      const all = keys.flatMap((key) =>
        (lanes.get(key) ?? []).map((entry, index) => ({ at: `${key}\0${String(index).padStart(9, '0')}`, entry })),
      );
      const found = all.filter(({ at }) => from?.startsWith(urlStart) !== true || at >= from);
      const captures = found.slice(0, limit).map(({ entry }) => ({ ...foundOf(entry), url: entry.url }));
      return Promise.resolve({ captures, next: found[limit]?.at });
    },
    byId(recordId) {
      const entry = responses.get(recordId);
      return Promise.resolve(entry && placeOf(entry));
    },
    byDate(url, date, payloadDigest) {
      const start = date.replace(/Z$/, '');
      const isIt = (entry: PlaybackEntry) =>
        entry.url === url &&
        entry.method !== 'HEAD' &&
        entry.payloadDigest === payloadDigest &&
        entry.startedAt.toISOString().startsWith(start);
      const entry = [...responses.values()].find(isIt);
      return Promise.resolve(entry && placeOf(entry));
    },
    drop(lost) {
      let dropped = 0;
      for (const [key, entries] of lanes) {
        const kept = entries.filter((entry) => !isLost(entry, lost));
        dropped += entries.length - kept.length;
        lanes.set(key, kept);
      }
      for (const [id, entry] of responses) {
        if (isLost(entry, lost) && responses.delete(id)) dropped++;
      }
      return Promise.resolve(dropped);
    },
    close: () => Promise.resolve(),
  };
}

function keyOf(url: string, lane: Lane): string {
  return `${url}\0${lane}`;
}

function foundOf(entry: PlaybackEntry): Found {
  return { ...placeOf(entry), startedAt: entry.startedAt };
}

function placeOf({ file, offset, length, recordId, type, payloadDigest, payloadSize }: PlaybackEntry): PlaybackPlace {
  return { file, offset, length, recordId, type, payloadDigest, payloadSize };
}
