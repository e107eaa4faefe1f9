/**
 * What the proxy keeps of one event, handed once from the exchange to the post-fetch chain.
 *
 * Nothing changes a capture after it was made; what the chain decides and does about it stands in its `outcome`.
 */
import type { Field } from '../http/fields.ts';
import type { Meta } from '../meta/meta.ts';
import type { Original } from '../store/dedup.ts';
import type { TlsFacts } from '../tls/facts.ts';
import type { Spool } from '../util/spool.ts';
import type { WrittenRecord } from '../warc/record.ts';

/** A message as it went over the wire: the block of a WARC record (ISO 28500:2017 §5.8). */
export interface RecordedBlock {
  readonly bytes: Spool;
  /** labelled digest of all bytes */
  readonly digest: string;
}

/** A response as it came: head first, then the body with its framing. */
export interface RecordedResponse extends RecordedBlock {
  readonly status: number;
  /** value of the first Content-Type field, or undefined without one */
  readonly contentType: string | undefined;
  /** value of the first Location field, or undefined without one */
  readonly location: string | undefined;
  /** bytes of status line, fields and empty line */
  readonly headSize: number;
  /** bytes of the body without transfer-coding */
  readonly payloadSize: number;
  /** labelled digest of the body without transfer-coding */
  readonly payloadDigest: string;
  /** why the response is not whole (ISO 28500:2017 §5.13) */
  readonly truncated: Truncation | undefined;
  /** fields behind the body, where they are no part of its bytes: those of HTTP/2 */
  readonly trailers?: readonly Pick<Field, 'name' | 'value'>[] | undefined;
}

/** A request as it went to its origin. */
export interface RecordedRequest extends RecordedBlock {
  /** fields behind the body, where they are no part of its bytes: those of HTTP/2 */
  readonly trailers?: readonly Pick<Field, 'name' | 'value'>[] | undefined;
}

/** A request that may not be whole. */
export interface SentRequest extends RecordedBlock {
  readonly truncated: Truncation | undefined;
}

/** The messages of a WebSocket (message-log.ts). */
export interface RecordedMessages extends RecordedBlock {
  /** why some are missing */
  readonly truncated: Truncation | undefined;
}

export type Truncation = 'length' | 'time' | 'disconnect' | 'unspecified';

interface CaptureBase {
  /** WARC-Record-ID of its principal record, should one be written: `<urn:uuid:…>` */
  readonly recordId: string;
  /** as requested, non-ASCII percent-encoded */
  readonly url: string;
  readonly method: string;
  /** start of the fetch; the WARC-Date of all its records */
  readonly startedAt: Date;
  readonly durationMs: number;
  /** value of the request's Referer field */
  readonly referer: string | undefined;
  /** what the client asked for in Warcprox-Meta */
  readonly meta: Meta;
  /** prefix of the WARC file's name: the client's, else the proxy's; `-` archives nothing */
  readonly warcPrefix: string;
  readonly outcome: Outcome;
}

/** How an origin was spoken with. */
export interface Spoken {
  /** address contacted; undefined behind another proxy */
  readonly ipAddress: string | undefined;
  /** as in WARC-Protocol: `http/1.1`, `http/1.0` */
  readonly protocol: string;
  /** undefined where there was none */
  readonly tls: TlsFacts | undefined;
}

export interface ExchangeCapture extends CaptureBase, Spoken {
  readonly kind: 'exchange';
  readonly request: RecordedRequest;
  readonly response: RecordedResponse;
}

/** A WebSocket, from its handshake to its end. */
export interface WebSocketCapture extends CaptureBase, Spoken {
  readonly kind: 'websocket';
  /** head of the handshake */
  readonly request: RecordedBlock;
  /** head of the 101 */
  readonly response: RecordedResponse;
  /** what has passed, both ways, a line of JSON each */
  readonly messages: RecordedMessages;
  /** bytes that have come from the origin after the 101, frames included */
  readonly receivedBytes: number;
}

/** A fetch without a whole response head. Not archived, unless failures are recorded. */
export interface FailedCapture extends CaptureBase {
  readonly kind: 'failure';
  /** what was sent, where failures are recorded and at least its head was */
  readonly request: SentRequest | undefined;
  /** address contacted, as far as one is known */
  readonly ipAddress: string | undefined;
  /** of the request; undefined where none was sent */
  readonly protocol: string | undefined;
  readonly tls: TlsFacts | undefined;
  /** `code` is one of the proxy's reasons: `not-resolved`, `not-connected`, `failed-before` … */
  readonly error: Error & { readonly code: string };
  /** what the client was answered */
  readonly status: number;
}

/** A record that a client sent to be written as it is. */
export interface CustomRecordCapture extends CaptureBase {
  readonly kind: 'custom';
  readonly warcType: string;
  readonly contentType: string;
  readonly block: RecordedBlock;
}

export type Capture = ExchangeCapture | WebSocketCapture | FailedCapture | CustomRecordCapture;

/** Filled in by the processors of the chain, each its own field. */
export interface Outcome {
  /** false: a processor decided that this capture is not written */
  archive: boolean;
  /** the earlier record that has the same payload; `recordId` is empty where only a CDX server knows it */
  duplicateOf?: Original | undefined;
  /** what was written, principal record first */
  records?: readonly WrittenRecord[] | undefined;
}
