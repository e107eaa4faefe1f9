/**
 * What an exchange is given: its request, its client, and what it works with.
 */
import { performance } from 'node:perf_hooks';
import type {
  Capture,
  ExchangeCapture,
  FailedCapture,
  RecordedRequest,
  RecordedResponse,
  SentRequest,
  WebSocketCapture,
} from '../capture/capture.ts';
import { newOutcome } from '../capture/kinds.ts';
import type { RecordingOptions } from '../capture/recorder.ts';
import type { Recording } from '../capture/recording.ts';
import { FetchError } from '../http/fetch-error.ts';
import type { AnswerForm, ClientSide } from '../http/sides.ts';
import type { Meta } from '../meta/meta.ts';
import type { TakePlace } from '../util/spool-place.ts';
import type { AnswerLimitOptions } from './answer-limits.ts';
import type { Connect } from './origin.ts';
import type { OriginConnection, OriginStream, OutgoingRequest } from './origin-connection.ts';
import type { OriginPool } from './pool.ts';
import type { WebSocketEnd, WebSocketOptions } from './websocket.ts';

/** A request that may be sent. */
export interface ExchangeRequest {
  readonly outgoing: OutgoingRequest;
  readonly referer: string | undefined;
  readonly meta: Meta;
  readonly warcPrefix: string;
  /** how the answer is passed on. @param startedAt the WARC-Date of its records */
  readonly form: (startedAt: Date) => AnswerForm;
  /** WARC-Record-ID of its principal record; a new one by default */
  readonly recordId?: string | undefined;
}

export interface ExchangeServices extends AnswerLimitOptions {
  readonly connect: Connect;
  readonly pool: OriginPool;
  readonly recording: RecordingOptions;
  /** what was sent is kept, where there is no answer */
  readonly recordFailures?: boolean;
  readonly now: () => Date;
  /** `<urn:uuid:…>`, a new one at each call */
  readonly newRecordId: () => string;
  /** takes the capture over; the promise is back-pressure */
  readonly sink: (capture: Capture) => Promise<void> | undefined;
  /** without them a handshake is never answered 101 */
  readonly webSockets?: WebSocketOptions;
}

/** What an exchange needs of its client. */
export type ExchangeClient = Pick<ClientSide, 'interim' | 'head' | 'body' | 'flush' | 'end' | 'fail' | 'resumeRequest'> &
  Partial<Pick<ClientSide, 'address' | 'port' | 'upgrade' | 'trailers'>>;

/** Methods that may be sent again when a kept connection turns out dead (RFC 9110 §9.2.2), if there is no body to repeat. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** It may be sent again when a kept connection turns out dead. */
export function isRepeatable({ hasBody, method }: OutgoingRequest): boolean {
  return !hasBody && REPEATABLE.has(method);
}

/** A request that its origin refuses to look at, however often it comes, is not sent for ever. */
const MAX_SENDINGS = 4;

/** It may be sent again when its origin has said that it did not look at it, whatever it is. @param sendings how often it was sent */
export function mayBeSentAgain(sendings: number): boolean {
  return sendings < MAX_SENDINGS;
}

/** Its origin did not look at it, and it cannot be said once more. */
export function refusedForGood(cause: FetchError): FetchError {
  const why = 'origin refused the request, and its body is not in memory any more to be sent again (--tmp-file-max-memory-size)';
  return new FetchError('empty-response', why, { cause });
}

/** The time limit of a fetch has passed. @param connecting there was no connection yet */
export function late(connecting: boolean): FetchError {
  return connecting
    ? new FetchError('connect-timeout', 'connecting took longer than the time limit of a fetch')
    : new FetchError('response-timeout', 'no answer within the time limit of a fetch');
}

/** There was no room for more of what is recorded. @param alone it was large by itself */
export function noRoom(alone: boolean): FetchError {
  return alone
    ? new FetchError('too-large', 'body is larger than temporary files may be (--max-spool)')
    : new FetchError('no-space', 'too little space is left for temporary files');
}

/** Where a request was sent, as far as it was. */
export interface OnOrigin {
  readonly connection: OriginConnection | undefined;
  readonly stream: OriginStream | undefined;
}

/** When an exchange began: by the clock of the wall, and by the one that nobody sets. */
interface Began {
  readonly startedAt: Date;
  readonly startedMs: number;
}

interface Messages {
  readonly request: RecordedRequest;
  readonly response: RecordedResponse;
}

/** Both messages of an exchange, with what it was. Written out, as one is made for each: what is spread costs four times as much. */
export function exchangeCapture(
  { outgoing, referer, meta, warcPrefix, recordId }: ExchangeRequest,
  { newRecordId }: ExchangeServices,
  { startedAt, startedMs }: Began,
  { connection, stream }: OnOrigin,
  { request, response }: Messages,
): ExchangeCapture {
  return Object.freeze({
    kind: 'exchange',
    recordId: recordId ?? newRecordId(),
    url: outgoing.target.url,
    method: outgoing.method,
    startedAt,
    durationMs: durationOf(startedMs),
    referer,
    meta,
    warcPrefix,
    ipAddress: connection?.ipAddress,
    protocol: stream?.protocol ?? '',
    tls: connection?.tls,
    request,
    response,
    outcome: newOutcome(true),
  });
}

/** The handshake of a WebSocket, and what has passed after it. */
export function webSocketCapture(
  request: ExchangeRequest,
  services: ExchangeServices,
  began: Began,
  origin: OnOrigin,
  passed: Messages & WebSocketEnd,
): WebSocketCapture {
  return Object.freeze({ ...exchangeCapture(request, services, began, origin, passed), ...passed, kind: 'websocket' });
}

/** What kept an exchange from its answer. @param sent of its request, where that is to be recorded */
export function failedCapture(
  request: ExchangeRequest,
  services: ExchangeServices,
  began: Began,
  error: FetchError,
  { connection, stream }: OnOrigin,
  sent: SentRequest | undefined,
): FailedCapture {
  const captured = capturedOf(request, services, began);
  const ipAddress = connection?.ipAddress ?? error.ipAddress;
  const spoken = { ipAddress, protocol: sent && (stream?.protocol ?? 'http/1.1'), tls: connection?.tls };
  return Object.freeze({
    kind: 'failure',
    ...captured,
    ...spoken,
    request: sent,
    error,
    status: error.status,
    outcome: newOutcome(false),
  });
}

/** There is no room for what is recorded, and so none for what was sent. */
const NO_ROOM: ReadonlySet<string> = new Set(['recording-failed', 'too-large', 'no-space']);

/** What was sent of a request without an answer, where failures are recorded; everything else is let go of. @param whole it was sent to its end */
export function leftOf(
  recording: Recording,
  { recordFailures }: ExchangeServices,
  { code }: FetchError,
  whole: boolean,
): SentRequest | undefined {
  if (recordFailures === true && !NO_ROOM.has(code)) return recording.abandon(whole ? undefined : 'disconnect');
  recording.release();
  return undefined;
}

/** What every capture of an exchange has, made when it ends. */
function capturedOf(
  { outgoing, referer, meta, warcPrefix, recordId }: ExchangeRequest,
  { newRecordId }: ExchangeServices,
  { startedAt, startedMs }: Began,
) {
  return {
    recordId: recordId ?? newRecordId(),
    url: outgoing.target.url,
    method: outgoing.method,
    startedAt,
    durationMs: durationOf(startedMs),
    referer,
    meta,
    warcPrefix,
  };
}

const durationOf = (startedMs: number): number => Math.round(performance.now() - startedMs);

/** Where a large answer goes. */
export function placeFor({ warcPrefix, outgoing }: ExchangeRequest, { recording }: ExchangeServices): TakePlace | undefined {
  const { places } = recording;
  return places && (() => places(warcPrefix, outgoing.target.url));
}
