/**
 * What a record holds for its client: a head, how the body is framed, and the body, with its framing or without.
 *
 * Reads no body before it is asked for, and none twice.
 * Source: RFC 9110 §7.6.1 (fields of one connection), RFC 9112 §6.3, §7.1.
 */
import { fieldOf, Fields } from '../http/fields.ts';
import type { BodyPiece, Framing, ResponseHead } from '../http/message.ts';
import { chunkOf, LAST_CHUNK } from '../http1/chunked.ts';
import type { ReadRecord } from '../warc/read/reader.ts';
import { IncompleteError, payloadOf, wirePiecesOf, type ArchivedMessage } from '../warc/read/message.ts';

export interface Representation {
  readonly head: ResponseHead;
  readonly framing: Framing;
  /** nothing may follow on the connection: less is archived than the head says */
  readonly last: boolean;
  /** bytes of the body without transfer-coding; undefined when they are not known, or not all there */
  readonly size: number | undefined;
  /** the body as `framing` says */
  readonly wire: () => AsyncIterable<BodyPiece>;
  /** the body without transfer-coding */
  readonly payload: () => AsyncIterable<Buffer>;
}

/** @param minor of the client's version; @param payloadSize as the index has it */
export function ofResponse(message: ArchivedMessage, minor: 0 | 1, payloadSize: number | undefined): Representation {
  const { head, framing, bodySize, truncated } = message;
  const short = framing.kind === 'length' && bodySize < framing.length;
  // Without its chunks, as a client of 1.0 gets it, a body has no chunks that could be misunderstood.
  const wire = () => wirePiecesOf(message, minor === 1);
  const size = truncated || short ? undefined : sizeOf(head, framing, payloadSize);
  return { head, framing, last: truncated || short, size, wire, payload: () => payloadOf(message) };
}

/** A revisit's own head, and the payload of its original, framed anew. */
export function ofRevisit({ head, framing }: ArchivedMessage, original: ArchivedMessage, payloadSize: number | undefined): Representation {
  const payload = () => payloadOf(original);
  const last = original.truncated && framing.kind !== 'none';
  const size = original.truncated ? undefined : sizeOf(head, framing, payloadSize);
  const as = (own: ResponseHead, wire: () => AsyncIterable<BodyPiece>) => ({ head: own, framing, last, size, wire, payload });
  if (framing.kind === 'none') return as(head, nothing);
  if (framing.kind === 'length') return as(head, () => pieces(exactly(payload(), framing.length)));
  if (framing.kind === 'close') return as(head, () => pieces(payload()));
  // The old trailers are not there any more.
  const fields = new Fields(head.fields.list.filter(({ key }) => key !== 'trailer'));
  return as({ ...head, fields }, () => chunked(payload()));
}

/** A block that is no message. */
export function ofBytes(record: ReadRecord, bytes: AsyncIterable<Buffer>): Representation {
  const contentType = record.header('Content-Type');
  const type = contentType === undefined ? [] : [fieldOf('Content-Type', latin1(contentType))];
  const { contentLength: size } = record;
  const fields = new Fields([...type, fieldOf('Content-Length', String(size))]);
  const head: ResponseHead = { status: 200, reason: 'OK', minor: 1, fields };
  return { head, framing: { kind: 'length', length: size }, last: false, size, wire: () => pieces(bytes), payload: () => bytes };
}

function sizeOf(head: ResponseHead, framing: Framing, payloadSize: number | undefined): number | undefined {
  if (framing.kind === 'none') return undefined;
  if (framing.kind === 'length') return framing.length;
  // What is coded for its way is nothing that a range could be cut out of.
  const codings = head.fields.members('transfer-encoding');
  return codings.every((coding) => coding === 'chunked' || coding === 'identity') ? payloadSize : undefined;
}

/** What WARC headers hold is UTF-8; what heads hold is a character per byte. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** @throws IncompleteError before the first byte that is too much, or at the end */
export async function* exactly(payload: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer, void> {
  let left = bytes;
  for await (const piece of payload) {
    if (piece.length > left) throw new IncompleteError('the archived payload is longer than its head says');
    left -= piece.length;
    yield piece;
  }
  if (left > 0) throw new IncompleteError('the archived payload is shorter than its head says');
}

export async function* pieces(payload: AsyncIterable<Buffer>): AsyncGenerator<BodyPiece, void> {
  for await (const piece of payload) yield { bytes: piece, payload: [piece] };
}

async function* chunked(payload: AsyncIterable<Buffer>): AsyncGenerator<BodyPiece, void> {
  for await (const piece of payload) if (piece.length > 0) yield { bytes: chunkOf(piece), payload: [piece] };
  yield { bytes: LAST_CHUNK, payload: [] };
}

export async function* nothing(): AsyncGenerator<BodyPiece, void> {}
