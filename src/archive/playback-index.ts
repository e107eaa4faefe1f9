/**
 * `PlaybackIndexDb`: tells the playback index what was written, one write for a batch.
 *
 * Comes after the WARC writer, so that no entry points at bytes that are not in their file. Reads again what the head and the body of a
 * request say only where it matters: for methods with a body, and for answers that are a range.
 * Source: spec/warcprox.md §4, §10; store/lanes.ts.
 */
import type { ExchangeCapture } from '../capture/capture.ts';
import { isFailure, originMethod, payloadDigest, type Archivable } from '../capture/kinds.ts';
import { MessageError } from '../http/errors.ts';
import { rangeText, rangeTextsOf } from '../http/range.ts';
import { hasNoBody, RequestKey } from '../http/request-key.ts';
import { bodyReader } from '../http1/body.ts';
import { requestFraming } from '../http1/framing.ts';
import { HeadReader, parseRequestHead, parseResponseHead } from '../http1/head.ts';
import { CUSTOM, isOfRange, lanesOf, type Lane } from '../store/lanes.ts';
import type { PlaybackEntry, PlaybackIndex } from '../store/playback.ts';
import type { Bytes } from '../util/spool.ts';
import { asciiUri } from '../warc/fields.ts';
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
          payloadSize: capture.kind === 'exchange' ? capture.response.payloadSize : capture.block.bytes.size,
        });
      }
      if (entries.length > 0) await index.save(entries);
    },
    close: () => index.close(),
  };
}

async function lanesFor(capture: Archivable): Promise<readonly Lane[]> {
  if (capture.kind === 'custom') return [CUSTOM];
  const { method, request, response } = capture;
  const { status, truncated } = response;
  const of = (key: string, ranges: readonly string[]) => lanesOf({ key, status, truncated: truncated !== undefined, ranges });
  if (hasNoBody(method) && !isOfRange(status)) return of(method, []);
  try {
    const { key, range } = await askedIn(method, request.bytes);
    return of(key, isOfRange(status) ? [...(range === undefined ? [] : [range]), ...(await givenIn(response))] : []);
  } catch (error) {
    // Nobody could ask for it again.
    if (error instanceof MessageError) return [];
    throw error;
  }
}

/** What tells a request apart from others for its URL. @throws MessageError when it cannot be read */
async function askedIn(method: string, request: Bytes): Promise<{ readonly key: string; readonly range: string | undefined }> {
  const pieces = request.read()[Symbol.asyncIterator]();
  const heads = new HeadReader();
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
    const found = heads.push(next.value);
    if (found === undefined) continue;
    const head = parseRequestHead(found.head);
    const key = new RequestKey(method, head.fields.get('content-type'));
    const body = bodyReader(requestFraming(head), false);
    const take = (bytes: Buffer) => {
      const payload: Buffer[] = [];
      body.read(bytes, 0, payload);
      for (const piece of payload) key.update(piece);
    };
    take(found.rest);
    while (!hasNoBody(method) && !body.done && (next = await pieces.next()).done !== true) take(next.value);
    await pieces.return?.();
    const range = head.fields.get('range');
    return { key: hasNoBody(method) ? method : key.finish(), range: range === undefined ? undefined : rangeText(range) };
  }
  throw new MessageError('syntax', 'the request ends within its head');
}

/** The ways to ask for the range that an answer gives. */
async function givenIn({ bytes, headSize }: ExchangeCapture['response']): Promise<readonly string[]> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes.slice(0, headSize).read()) pieces.push(Buffer.from(piece));
  return rangeTextsOf(parseResponseHead(Buffer.concat(pieces)).fields.get('content-range') ?? '');
}
