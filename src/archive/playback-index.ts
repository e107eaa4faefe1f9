/**
 * `PlaybackIndexDb`: tells the playback index what was written, one write for a batch.
 *
 * Comes after the WARC writer, so that no entry points at bytes that are not in their file.
 * Source: spec/warcprox.md §4, §10; store/lanes.ts.
 */
import type { ExchangeCapture } from '../capture/capture.ts';
import { isFailure, originMethod, payloadDigest, payloadSize, type Archivable } from '../capture/kinds.ts';
import { parseResponseHead } from '../http1/head.ts';
import { CUSTOM, WEBSOCKET, type Lane } from '../store/lanes.ts';
import type { PlaybackEntry, PlaybackIndex } from '../store/playback.ts';
import { asciiUri } from '../warc/fields.ts';
import { lanesOfExchange } from './lanes.ts';
import type { Processor } from './processor.ts';

export interface PlaybackIndexOptions {
  /** closed with this step */
  readonly index: Pick<PlaybackIndex, 'save' | 'close'>;
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
          lanes: await lanesFor(capture),
          file: path,
          offset,
          length,
          recordId: id,
          type,
          payloadDigest: payloadDigest(capture),
          payloadSize: payloadSize(capture),
        });
      }
      if (entries.length > 0) await index.save(entries);
    },
    close: () => index.close(),
  };
}

async function lanesFor(capture: Archivable): Promise<readonly Lane[]> {
  if (capture.kind === 'custom') return [CUSTOM];
  if (capture.kind === 'websocket') return [WEBSOCKET, CUSTOM];
  const { method, request, response } = capture;
  return lanesOfExchange({
    method,
    status: response.status,
    truncated: response.truncated !== undefined,
    request: () => request.bytes.read(),
    contentRange: () => contentRangeOf(response),
  });
}

async function contentRangeOf({ bytes, headSize }: ExchangeCapture['response']): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes.slice(0, headSize).read()) pieces.push(Buffer.from(piece));
  return parseResponseHead(Buffer.concat(pieces)).fields.get('content-range');
}
