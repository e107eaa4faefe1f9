/**
 * The playback index in memory: for programs that keep none, and for tests. Grows with what it is told.
 */
import type { PlaybackEntry, PlaybackIndex, PlaybackPlace } from '../playback.ts';

export function memoryPlayback(): PlaybackIndex {
  /** of each URL, the earliest first; those of one millisecond as they were written */
  const byUrl = new Map<string, readonly PlaybackEntry[]>();
  const responses = new Map<string, PlaybackEntry>();
  const isHead = ({ method }: PlaybackEntry) => method === 'HEAD';

  return {
    save(entries) {
      for (const entry of entries) {
        const others = byUrl.get(entry.url) ?? [];
        byUrl.set(
          entry.url,
          [...others, entry].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime()),
        );
        if (entry.type === 'response') responses.set(entry.recordId, entry);
      }
      return Promise.resolve();
    },
    latest(url, method) {
      const entries = byUrl.get(url) ?? [];
      const found = entries.findLast((entry) => !isHead(entry));
      const head = method === 'HEAD' ? entries.findLast(isHead) : undefined;
      const isLater = head !== undefined && (found === undefined || head.startedAt > found.startedAt);
      return Promise.resolve(placeOf(isLater ? head : found));
    },
    byId: (recordId) => Promise.resolve(placeOf(responses.get(recordId))),
    byDate(url, date, payloadDigest) {
      const start = date.replace(/Z$/, '');
      const isIt = (entry: PlaybackEntry) =>
        !isHead(entry) &&
        entry.type === 'response' &&
        entry.payloadDigest === payloadDigest &&
        entry.startedAt.toISOString().startsWith(start);
      return Promise.resolve(placeOf(byUrl.get(url)?.find(isIt)));
    },
    drop(isLost) {
      let dropped = 0;
      for (const [url, entries] of byUrl) {
        const kept = entries.filter((entry) => !isLost(entry));
        dropped += entries.length - kept.length;
        byUrl.set(url, kept);
      }
      for (const [id, entry] of responses) {
        if (isLost(entry) && responses.delete(id)) dropped++;
      }
      return Promise.resolve(dropped);
    },
  };
}

function placeOf(entry: PlaybackEntry | undefined): PlaybackPlace | undefined {
  if (entry === undefined) return undefined;
  const { file, offset, length, recordId, type, payloadDigest } = entry;
  return { file, offset, length, recordId, type, payloadDigest };
}
