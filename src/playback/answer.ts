/**
 * Answers out of the WARC files: of the captures of exactly the URL that is asked for the one that fits best.
 *
 * ```
 * choice ─ place ─► record ─┬─ response: its head and bytes, framed as they were
 *                           ├─ revisit ─ original by id, or by URL, date and digest ─► its own head, the original's payload framed anew
 *                           └─ anything else: 200, the block as it is
 *                              └─► content: whole, head, range or 304 ─► fields of Memento
 *    └─ nothing there, or not any more: the next choice, or 404
 * ```
 *
 * Knows nothing of sockets. Never waits for a whole body.
 * Source: spec/warcprox.md §10.
 */
import { rangeApplies } from '../http/conditions.ts';
import type { Fields } from '../http/fields.ts';
import { rangeText } from '../http/range.ts';
import type { PlaybackIndex, PlaybackPlace } from '../store/playback.ts';
import type { Log } from '../util/log.ts';
import type { ReadRecord } from '../warc/read/reader.ts';
import { choices, fits, relatives, type Asked, type Choice } from './choice.ts';
import { contentOf, type Content } from './content.ts';
import { acceptDatetime, withMemento } from './memento.ts';
import { readBlock } from '../warc/read/message.ts';
import { openRecord, type OpenRecord } from '../warc/read/place.ts';
import { ofBytes, ofResponse, ofRevisit, type Representation } from './representation.ts';

export interface PlaybackRequest {
  readonly method: string;
  readonly url: string;
  /** HTTP minor version of the client, which cannot read chunks with 0 */
  readonly minor: 0 | 1;
  readonly fields: Fields;
  /** as of `RequestKey`: the method, and a digest of the body */
  readonly key: string;
  /** the moment that its sender has chosen, a whole second: for a request without Accept-Datetime */
  readonly chosen?: Date | undefined;
}

export interface PlaybackAnswer extends Content {
  /** Let go of the files, whether the body was read or not. */
  release(): Promise<void>;
}

/**
 * @returns undefined for what is not in the archive
 * @throws MessageError for a date that is none; WarcReadError, or the index's error, when the archive cannot be read
 */
export type Playback = (request: PlaybackRequest) => Promise<PlaybackAnswer | undefined>;

export interface PlaybackOptions {
  readonly index: Pick<PlaybackIndex, 'find' | 'byId' | 'byDate'>;
  /** of the WARC files */
  readonly dir: string;
  readonly log: Log;
}

export function playback({ index, dir, log }: PlaybackOptions): Playback {
  const openAt = async (place: PlaybackPlace, url: string): Promise<OpenRecord | undefined> => {
    const opened = await openRecord(dir, place);
    if (typeof opened !== 'string') return opened;
    log.warn({ url, file: place.file, offset: place.offset, record: place.recordId }, `archived record not found: ${opened}`);
    return undefined;
  };

  /** The record that a revisit stands in for. */
  const originalOf = async (revisit: ReadRecord, url: string): Promise<OpenRecord | undefined> => {
    const id = revisit.header('WARC-Refers-To');
    const target = revisit.header('WARC-Refers-To-Target-URI');
    const date = revisit.header('WARC-Refers-To-Date');
    const digest = revisit.header('WARC-Payload-Digest') ?? '';
    let place = id === undefined ? undefined : await index.byId(id);
    if (place === undefined && target !== undefined && date !== undefined) place = await index.byDate(target, date, digest);
    if (place !== undefined) return openAt(place, url);
    log.warn({ url, refersTo: id ?? target ?? '' }, 'the original of an archived revisit is not in the index');
    return undefined;
  };

  /** @param opened gets the records that are read from */
  const representationAt = async (
    choice: Choice,
    { url, minor }: PlaybackRequest,
    opened: OpenRecord[],
  ): Promise<Representation | undefined> => {
    const open = (record: OpenRecord | undefined): ReadRecord | undefined => {
      if (record !== undefined) opened.push(record);
      return record?.record;
    };
    const { found } = choice;
    const record = open(await openAt(found, url));
    if (record === undefined) return undefined;
    const block = await readBlock(record);
    if (block.kind === 'bytes') return ofBytes(record, block.bytes);
    if (record.type === 'response') return ofResponse(block, minor, found.payloadSize);
    const original = open(await originalOf(record, url));
    const message = original && (await readBlock(original));
    return message?.kind === 'http' ? ofRevisit(block, message, found.payloadSize) : undefined;
  };

  return async (request) => {
    const asked = askedOf(request);
    for await (const choice of choices(index, asked)) {
      const opened: OpenRecord[] = [];
      const release = async () => {
        for (const record of opened) await record.close();
      };
      try {
        const representation = await representationAt(choice, request, opened);
        if (
          representation !== undefined &&
          fits(choice, representation.head.status, rangeApplies(request.fields, representation.head.fields))
        ) {
          const content = contentOf(representation, request.method, request.fields);
          const head = withMemento(content.head, request.url, choice.found.startedAt, await relatives(index, asked, choice));
          return { ...content, head, release };
        }
      } catch (error) {
        await release();
        throw error;
      }
      await release();
    }
    return undefined;
  };
}

/** @throws MessageError for a date that is none */
function askedOf({ url, method, key, fields, chosen }: PlaybackRequest): Asked {
  const range = fields.get('range');
  return {
    url,
    method,
    key,
    range: method === 'GET' && range !== undefined ? rangeText(range) : undefined,
    at: acceptDatetime(fields) ?? chosen,
  };
}
