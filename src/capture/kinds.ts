/**
 * What everybody asks of captures, whatever their kind. A further kind is added here, and where its records are built.
 */
import type { Spool } from '../util/spool.ts';
import type { Capture, ExchangeCapture, FailedCapture, Outcome, RecordedBlock } from './capture.ts';

/** Answer to a record that was written. */
const NO_CONTENT = 204;

/** Something came that can be kept. */
export type Archivable = Exclude<Capture, FailedCapture>;

export function isFailure(capture: Capture): capture is FailedCapture {
  return capture.kind === 'failure';
}

export function isArchivable(capture: Capture): capture is Archivable {
  return capture.kind !== 'failure';
}

/** A request to an origin, and its response. */
export function isExchange(capture: Capture): capture is ExchangeCapture {
  return capture.kind === 'exchange';
}

/** As it is written of the messages of a WebSocket. */
export const MESSAGES_TYPE = 'application/jsonl';

/** The block of its principal record. */
export function blockOf(capture: Archivable): RecordedBlock {
  switch (capture.kind) {
    case 'exchange':
      return capture.response;
    case 'websocket':
      return capture.messages;
    case 'custom':
      return capture.block;
  }
}

/** What is held for it, principal block first. */
export function spoolsOf(capture: Capture): readonly Spool[] {
  switch (capture.kind) {
    case 'exchange':
      return [capture.response.bytes, capture.request.bytes];
    case 'websocket':
      return [capture.messages.bytes, capture.response.bytes, capture.request.bytes];
    case 'custom':
      return [capture.block.bytes];
    case 'failure':
      return capture.request === undefined ? [] : [capture.request.bytes];
  }
}

/** Something of it is not in memory any more. */
export function isSpilled(capture: Capture): boolean {
  // Nearly all are exchanges, and each is asked more than once.
  if (capture.kind === 'exchange') return capture.response.bytes.memory === undefined || capture.request.bytes.memory === undefined;
  return spoolsOf(capture).some((spool) => spool.memory === undefined);
}

/** Bytes that came, head and framing included. */
export function wireSize(capture: Capture): number {
  if (capture.kind === 'websocket') return capture.response.headSize + capture.receivedBytes;
  return isFailure(capture) ? 0 : blockOf(capture).bytes.size;
}

/** The same without the head. */
export function bodySize(capture: Capture): number {
  return wireSize(capture) - (capture.kind === 'exchange' || capture.kind === 'websocket' ? capture.response.headSize : 0);
}

/** Labelled digest of what a record of it is found by: the body without transfer-coding, or the block where that is no message of HTTP. */
export function payloadDigest(capture: Archivable): string {
  return capture.kind === 'exchange' ? capture.response.payloadDigest : blockOf(capture).digest;
}

/** Bytes of the same. */
export function payloadSize(capture: Archivable): number {
  return capture.kind === 'exchange' ? capture.response.payloadSize : blockOf(capture).bytes.size;
}

/** As it was given; undefined when it was not. */
export function contentType(capture: Capture): string | undefined {
  switch (capture.kind) {
    case 'exchange':
      return capture.response.contentType;
    case 'websocket':
      return MESSAGES_TYPE;
    case 'custom':
      return capture.contentType;
    case 'failure':
      return undefined;
  }
}

/** What its client was answered. */
export function statusOf(capture: Capture): number {
  switch (capture.kind) {
    case 'exchange':
    case 'websocket':
      return capture.response.status;
    case 'custom':
      return NO_CONTENT;
    case 'failure':
      return capture.status;
  }
}

/** Method by which an origin was asked; undefined where none was: the method of a custom record is a word of our API. */
export function originMethod(capture: Capture): string | undefined {
  return capture.kind === 'custom' ? undefined : capture.method;
}

/** What has become of a capture: written whole, written as a revisit, not written, or nothing that could be. */
export type ArchivedAs = 'new' | 'dup' | 'skipped' | 'failed';

export function archivedAs(capture: Capture): ArchivedAs {
  if (isFailure(capture)) return 'failed';
  const type = capture.outcome.records?.[0]?.type;
  return type === undefined ? 'skipped' : type === 'revisit' ? 'dup' : 'new';
}

/** Nothing is decided but whether it may be written. All is there at once, so that what is filled in makes it no larger. */
export function newOutcome(archive: boolean): Outcome {
  return { archive, duplicateOf: undefined, records: undefined };
}

/** Let go of the memory and temporary files of a capture. */
export function releaseCapture(capture: Capture): void {
  if (capture.kind === 'exchange') {
    capture.response.bytes.release();
    capture.request.bytes.release();
  } else for (const spool of spoolsOf(capture)) spool.release();
}
