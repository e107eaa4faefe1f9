/**
 * `PlaybackIndexDb`: tells the playback index what was written, one write for a batch.
 *
 * Comes after the WARC writer, so that no entry points at bytes that are not in their file.
 * Source: spec/warcprox.md §4, §10.
 */
import { isFailure, originMethod, payloadDigest } from '../capture/kinds.ts';
import type { PlaybackEntry, PlaybackIndex } from '../store/playback.ts';
import { asciiUri } from '../warc/fields.ts';
import type { Processor } from './processor.ts';

export interface PlaybackIndexOptions {
  readonly index: Pick<PlaybackIndex, 'save'>;
}

export function playbackIndexer({ index }: PlaybackIndexOptions): Processor {
  return {
    name: 'PlaybackIndexDb',
    async process(batch) {
      const entries: PlaybackEntry[] = [];
      for (const capture of batch) {
        const [principal] = capture.outcome.records ?? [];
        if (principal === undefined || isFailure(capture)) continue;
        const { path, offset, length, id, type } = principal;
        entries.push({
          url: asciiUri(capture.url),
          startedAt: capture.startedAt,
          method: originMethod(capture),
          file: path,
          offset,
          length,
          recordId: id,
          type,
          payloadDigest: payloadDigest(capture),
        });
      }
      if (entries.length > 0) await index.save(entries);
    },
  };
}
