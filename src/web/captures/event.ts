/**
 * A capture as it is told to those who watch: what a person wants to know of it, and where its records are. No bytes of it.
 *
 * Filled in for each capture, watched or not, so that it costs little: nothing is looked at that would have to be read, no text is kept that is
 * cut out of a larger one, and the object of a capture that is kept no more is used again. One that is made anew lives just long enough to be
 * moved twice by the garbage collector.
 */
import type { Capture } from '../../capture/capture.ts';
import { archivedAs, contentType, isFailure, payloadDigest, statusOf, wireSize, type ArchivedAs } from '../../capture/kinds.ts';
import { mediaTypeIn } from '../../http/media-type.ts';
import { bucketsOf } from '../../meta/buckets.ts';
import { isoDate } from '../../util/iso-date.ts';
import { ownText } from '../../util/own-text.ts';
import { remembered } from '../../util/remembered.ts';
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

/** One that is filled in again and again. */
export type ReusedEvent = Writable<Omit<CaptureEvent, 'records'>> & { readonly records: Writable<EventRecord>[] };

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

const NO_RECORDS: readonly WrittenRecord[] = [];
const NO_BUCKETS: readonly string[] = [];
const MAX_MESSAGE = 300;
const MAX_TYPE = 100;

/** All have the same fields, in the order in which they are told. */
export function emptyEvent(): ReusedEvent {
  return {
    id: 0,
    kind: 'exchange',
    time: '',
    duration: 0,
    method: '',
    status: 0,
    type: '',
    size: 0,
    url: '',
    archived: 'new',
    error: undefined,
    prefix: '',
    buckets: NO_BUCKETS,
    recordId: '',
    digest: undefined,
    records: [],
    duplicateOf: undefined,
    referer: undefined,
    ip: undefined,
    protocol: undefined,
    truncated: undefined,
  };
}

/** Whatever it was of before, it is of this capture now. */
export function fillEvent(event: ReusedEvent, id: number, capture: Capture): void {
  const { outcome, referer } = capture;
  const original = outcome.duplicateOf;
  const exchange = capture.kind === 'exchange' || capture.kind === 'websocket' ? capture : undefined;
  event.id = id;
  event.kind = capture.kind;
  event.time = isoDate(capture.startedAt);
  event.duration = Math.round(capture.durationMs);
  event.method = capture.method;
  event.status = statusOf(capture);
  event.type = mediaType(contentType(capture) ?? '');
  event.size = wireSize(capture);
  event.url = ownText(capture.url);
  event.archived = archivedAs(capture);
  event.error = isFailure(capture) ? { code: capture.error.code, message: capture.error.message.slice(0, MAX_MESSAGE) } : undefined;
  event.prefix = capture.warcPrefix;
  event.buckets = bucketsOf(capture.meta, capture.url);
  event.recordId = capture.recordId;
  event.digest = isFailure(capture) ? undefined : payloadDigest(capture);
  fillRecords(event.records, outcome.records ?? NO_RECORDS);
  event.duplicateOf = original && { recordId: original.recordId, url: original.url, date: original.date };
  event.referer = referer === undefined ? undefined : ownText(referer);
  event.ip = exchange?.ipAddress;
  event.protocol = exchange?.protocol;
  event.truncated = exchange?.response.truncated;
}

/** One that stays as it is. @param id that it has from now on */
export function copyOf(event: CaptureEvent, id = event.id): ReusedEvent {
  return Object.assign(emptyEvent(), event, { id, records: event.records.map((record) => ({ ...record })) });
}

function fillRecords(kept: Writable<EventRecord>[], records: readonly WrittenRecord[]): void {
  while (kept.length > records.length) kept.pop();
  for (let nth = 0; nth < records.length; nth++) {
    const written = records[nth];
    if (written === undefined) continue;
    const record = (kept[nth] ??= { type: '', id: '', file: '', offset: 0, length: 0 });
    record.type = written.type;
    record.id = written.id;
    record.file = written.path;
    record.offset = written.offset;
    record.length = written.length;
  }
}

/** Media types are few: the same text for each. */
const mediaType = remembered((value) => ownText(mediaTypeIn(value).slice(0, MAX_TYPE).toLowerCase()));
