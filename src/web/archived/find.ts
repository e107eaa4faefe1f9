/**
 * The records of one capture that somebody asks for by its number or by its record: where they stand, and nothing that was not archived here.
 *
 * Places come from the captures in memory or from the playback index, never from whoever asks.
 */
import type { PlaybackIndex } from '../../store/playback.ts';
import type { CaptureEvent, EventRecord } from '../captures/event.ts';
import { numberIn, QueryError } from '../captures/filter.ts';
import type { Recent } from '../captures/recent.ts';
import type { Place } from '../../warc/read/place.ts';

/** Captures that are kept in memory. */
export interface KnownCaptures {
  /** @param instance that told of it by that number */
  byNumber(instance: string, id: number): CaptureEvent | undefined | Promise<CaptureEvent | undefined>;
  byRecord(recordId: string): CaptureEvent | undefined | Promise<CaptureEvent | undefined>;
}

export function recentCaptures(recent: Recent): KnownCaptures {
  return {
    byNumber: (instance, id) => (instance === recent.instance ? recent.get(id) : undefined),
    byRecord: (recordId) => {
      for (let id = recent.next - 1; id >= recent.first; id--) {
        if (recent.peek(id)?.recordId === recordId) return recent.get(id);
      }
      return undefined;
    },
  };
}

export interface Sources {
  readonly known: KnownCaptures;
  readonly index: Pick<PlaybackIndex, 'list' | 'byId' | 'byDate'> | undefined;
}

export interface FoundCapture {
  readonly url: string;
  /** start of the fetch */
  readonly time: string;
  /** as long as it is kept in memory */
  readonly event: CaptureEvent | undefined;
  /** principal record first; those behind it may not be known */
  readonly records: readonly EventRecord[];
}

/** Captures of one URL that are looked through for one. */
const MAX_OF_URL = 2000;

/** @returns undefined for one that is not here. @throws QueryError */
export async function findCapture(query: URLSearchParams, sources: Sources): Promise<FoundCapture | undefined> {
  const { known } = sources;
  const id = numberIn(query, 'id', 1, Number.MAX_SAFE_INTEGER);
  if (id !== undefined) return ofEvent(await known.byNumber(query.get('instance') ?? '', id));
  const [record, url] = [query.get('record'), query.get('url')];
  if (record === null || url === null) throw new QueryError('which capture is not said: expected id and instance, or record and url');
  return (await inIndex(record, url, sources)) ?? ofEvent(await known.byRecord(record));
}

/** Where the record stands that another refers to, if it is known here. */
export async function placeOfOriginal(
  {
    id,
    url,
    date,
    digest,
  }: { readonly id: string | undefined; readonly url: string | undefined; readonly date: string | undefined; readonly digest: string },
  { known, index }: Sources,
): Promise<Place | undefined> {
  const [kept] = (id === undefined ? undefined : await known.byRecord(id))?.records ?? [];
  if (kept !== undefined) return placeOf(kept);
  const byId = id === undefined ? undefined : await index?.byId(id);
  return byId ?? (url === undefined || date === undefined ? undefined : await index?.byDate(url, date, digest));
}

export function placeOf({ file, offset, length, id }: EventRecord): Place {
  return { file, offset, length, recordId: id };
}

function ofEvent(event: CaptureEvent | undefined): FoundCapture | undefined {
  return event && { url: event.url, time: event.time, event, records: event.records };
}

async function inIndex(record: string, url: string, { index }: Sources): Promise<FoundCapture | undefined> {
  // Behind a whole URL stands NUL.
  const listed = await index?.list(`${url}\0`, MAX_OF_URL);
  const found = listed?.captures.find(({ recordId }) => recordId === record);
  if (found === undefined) return undefined;
  const { type, file, offset, length } = found;
  return { url, time: found.startedAt.toISOString(), event: undefined, records: [{ type, id: record, file, offset, length }] };
}
