/**
 * A capture as it is told to those who watch: what a person wants to know of it, and where its records are. No bytes of it.
 *
 * Made for each capture, watched or not, so that it costs little: nothing is looked at that would have to be read, and no text is kept that is
 * cut out of a larger one.
 */
import type { Capture } from '../../capture/capture.ts';
import { archivedAs, contentType, isFailure, payloadDigest, statusOf, wireSize, type ArchivedAs } from '../../capture/kinds.ts';
import { mediaTypeIn } from '../../http/media-type.ts';
import { bucketsOf } from '../../meta/buckets.ts';
import { isoDate } from '../../util/iso-date.ts';
import { ownText } from '../../util/own-text.ts';
import type { WrittenRecord } from '../../warc/record.ts';

export interface CaptureEvent {
  /** counts from 1 since the start */
  readonly id: number;
  readonly kind: Capture['kind'];
  /** start of the fetch, as ISO 8601 in UTC with milliseconds */
  readonly time: string;
  /** milliseconds */
  readonly duration: number;
  readonly method: string;
  /** what the client was answered */
  readonly status: number;
  /** media type without parameters; empty where none was said */
  readonly type: string;
  /** bytes that came, head and framing included */
  readonly size: number;
  readonly url: string;
  readonly archived: ArchivedAs;
  /** of a fetch that failed */
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  /** of the WARC file */
  readonly prefix: string;
  /** of statistics */
  readonly buckets: readonly string[];
  readonly recordId: string;
  /** labelled digest of the body without transfer-coding */
  readonly digest?: string | undefined;
  /** principal record first */
  readonly records: readonly EventRecord[];
  /** the record that has the same payload */
  readonly duplicateOf?: { readonly recordId: string; readonly url: string; readonly date: string } | undefined;
  readonly referer?: string | undefined;
  /** address of the origin */
  readonly ip?: string | undefined;
  /** what was spoken with it, as `http/1.1` */
  readonly protocol?: string | undefined;
  /** why the response is not whole */
  readonly truncated?: string | undefined;
}

export interface EventRecord {
  readonly type: string;
  /** WARC-Record-ID */
  readonly id: string;
  /** path below the folder of the WARC files, without `.open` */
  readonly file: string;
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
  /** bytes in it */
  readonly length: number;
}

const NO_RECORDS: readonly EventRecord[] = [];
const MAX_MESSAGE = 300;

/** All have the same shape: one that is put together of parts costs more than all the rest of this. */
export function eventOf(id: number, capture: Capture): CaptureEvent {
  const { outcome, referer } = capture;
  const original = outcome.duplicateOf;
  const exchange = capture.kind === 'exchange' || capture.kind === 'websocket' ? capture : undefined;
  return {
    id,
    kind: capture.kind,
    time: isoDate(capture.startedAt),
    duration: Math.round(capture.durationMs),
    method: capture.method,
    status: statusOf(capture),
    type: mediaType(contentType(capture)),
    size: wireSize(capture),
    url: ownText(capture.url),
    archived: archivedAs(capture),
    error: isFailure(capture) ? { code: capture.error.code, message: capture.error.message.slice(0, MAX_MESSAGE) } : undefined,
    prefix: capture.warcPrefix,
    buckets: bucketsOf(capture.meta, capture.url),
    recordId: capture.recordId,
    digest: isFailure(capture) ? undefined : payloadDigest(capture),
    records: outcome.records?.map(eventRecord) ?? NO_RECORDS,
    duplicateOf: original && { recordId: original.recordId, url: original.url, date: original.date },
    referer: referer === undefined ? undefined : ownText(referer),
    ip: exchange?.ipAddress,
    protocol: exchange?.protocol,
    truncated: exchange?.response.truncated,
  };
}

const eventRecord = ({ type, id, path, offset, length }: WrittenRecord): EventRecord => ({ type, id, file: path, offset, length });

/** Media types are few: the same text for each. */
const types = new Map<string, string>();
const MAX_TYPES = 1000;
const MAX_TYPE = 100;

function mediaType(value: string | undefined): string {
  const type = mediaTypeIn(value).slice(0, MAX_TYPE).toLowerCase();
  const known = types.get(type);
  if (known !== undefined) return known;
  const made = ownText(type);
  if (types.size < MAX_TYPES) types.set(made, made);
  return made;
}
