/**
 * The playback index: where each capture of a URL stands in the WARC files, and each record that a revisit may refer to.
 *
 * Entries are added, and dropped only when a crash has taken their record: whoever reads a place checks that the record is still there.
 * Source: spec/warcprox.md §10; ISO 28500:2017 §5.11 (WARC-Refers-To), §5.12.
 */
import type { Lane } from './lanes.ts';
import type { Lost, RecordPlace } from './place.ts';

export interface PlaybackPlace extends RecordPlace {
  /** bytes in the (compressed) file */
  readonly length: number;
  /** WARC-Record-ID */
  readonly recordId: string;
  readonly type: string;
  readonly payloadDigest: string;
  /** bytes of the body without transfer-coding; undefined in entries of a version that did not know it */
  readonly payloadSize: number | undefined;
}

export interface PlaybackEntry extends PlaybackPlace {
  /** WARC-Target-URI */
  readonly url: string;
  readonly startedAt: Date;
  /** of the request; undefined for custom records */
  readonly method: string | undefined;
  /** by which it is found */
  readonly lanes: readonly Lane[];
}

/** A capture as the index finds it. */
export interface Found extends PlaybackPlace {
  /** to the millisecond */
  readonly startedAt: Date;
}

/** A capture as it is listed. */
export interface Listed extends Found {
  readonly url: string;
}

/** A piece of a list, sorted by URL, what a capture can answer, and time. */
export interface Listing {
  readonly captures: readonly Listed[];
  /** where the next piece begins; undefined at the end */
  readonly next: string | undefined;
}

/** Both bounds included; without one there is none. */
export interface Period {
  readonly from?: Date;
  readonly to?: Date;
}

export interface PlaybackIndex {
  /** Add the principal records of captures, in the order in which they were written. */
  save(entries: readonly PlaybackEntry[]): Promise<void>;
  /** One capture of exactly that URL: the first or the last in the lane within the period. Costs one look-up, however many there are. */
  find(url: string, lane: Lane, which: 'first' | 'last', period?: Period): Promise<Found | undefined>;
  /**
   * Captures whose URL begins with a text. One that can answer several things is there as often.
   *
   * @param from where an earlier piece said that the next begins
   */
  list(urlStart: string, limit: number, from?: string): Promise<Listing>;
  /** The `response` record with this id. */
  byId(recordId: string): Promise<PlaybackPlace | undefined>;
  /** The `response` record of that URL, WARC-Date (to the second or the millisecond) and payload. */
  byDate(url: string, date: string, payloadDigest: string): Promise<PlaybackPlace | undefined>;
  /** Drop the entries whose record is lost, at each start. Costs time by what was open, not by what is stored. @returns how many were dropped */
  drop(lost: Lost): Promise<number>;
  /** What was saved of files that are closed is safe. */
  close(): Promise<void>;
}
