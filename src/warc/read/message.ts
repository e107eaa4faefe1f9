/**
 * The HTTP message in a record: its head understood, its body still to be read.
 *
 * Never holds more than the head and one piece of the body.
 */
import type { BodyPiece, Framing, RequestHead, ResponseHead } from '../../http/message.ts';
import { bodyReader } from '../../http1/body.ts';
import { MessageError } from '../../http/errors.ts';
import { requestFraming, responseFraming } from '../../http1/framing.ts';
import { HeadReader, parseRequestHead, parseResponseHead } from '../../http1/head.ts';
import type { ReadRecord } from './reader.ts';

/** A record whose block is still to be read. */
type Readable = Pick<ReadRecord, 'type' | 'header' | 'content' | 'contentLength'>;

export interface ArchivedMessage {
  readonly kind: 'http';
  readonly head: ResponseHead;
  /** how the body of an answer to GET is framed */
  readonly framing: Framing;
  /** bytes after the head */
  readonly bodySize: number;
  /** WARC-Truncated: the body ends before its end */
  readonly truncated: boolean;
  /** the bytes after the head; can be read once */
  readonly rest: AsyncIterable<Buffer>;
}

export interface ArchivedBytes {
  readonly kind: 'bytes';
  /** can be read once */
  readonly bytes: AsyncIterable<Buffer>;
}

/** What is archived ends before the end of the message, or its framing is not what a client has to understand. */
export class IncompleteError extends Error {
  override readonly name = 'IncompleteError';
  readonly code = 'ARCHIVED_INCOMPLETE';
}

/** The block of a record: a message, or just bytes where it is none. */
export async function readBlock(record: Readable): Promise<ArchivedMessage | ArchivedBytes> {
  const { head: bytes, size, rest } = holdsResponse(record) ? await splitHead(record) : { rest: after([], piecesOf(record)) };
  if (bytes === undefined) return { kind: 'bytes', bytes: rest };
  const head = parsed(() => parseResponseHead(bytes));
  if (head === undefined) return { kind: 'bytes', bytes: after([bytes], rest[Symbol.asyncIterator]()) };
  const truncated = record.header('WARC-Truncated') !== undefined;
  return { kind: 'http', head, framing: framingOf(head), bodySize: record.contentLength - size, truncated, rest };
}

export interface ArchivedRequest extends Omit<ArchivedMessage, 'kind' | 'head'> {
  readonly kind: 'request';
  readonly head: RequestHead;
}

/** The block of a `request` record: a request, or just bytes where it is none. */
export async function readRequest(record: Readable): Promise<ArchivedRequest | ArchivedBytes> {
  const { head: bytes, size, rest } = isHttp(record) ? await splitHead(record) : { rest: after([], piecesOf(record)) };
  if (bytes === undefined) return { kind: 'bytes', bytes: rest };
  const head = parsed(() => parseRequestHead(bytes));
  if (head === undefined) return { kind: 'bytes', bytes: after([bytes], rest[Symbol.asyncIterator]()) };
  const framing: Framing = parsed(() => requestFraming(head)) ?? { kind: 'close' };
  const truncated = record.header('WARC-Truncated') !== undefined;
  return { kind: 'request', head, framing, bodySize: record.contentLength - size, truncated, rest };
}

type Split =
  | { readonly head: Buffer; readonly size: number; readonly rest: AsyncIterable<Buffer> }
  | { readonly head?: undefined; readonly size?: undefined; readonly rest: AsyncIterable<Buffer> };

/** @returns the head with its size, and what comes after it; without one all of the block */
async function splitHead(record: Readable): Promise<Split> {
  const pieces = piecesOf(record);
  const reader = new HeadReader();
  const read: Buffer[] = [];
  let size = 0;
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
    const piece = bufferOf(next.value);
    read.push(piece);
    size += piece.length;
    const found = parsed(() => reader.push(piece) ?? 'more');
    if (found === undefined) break;
    if (found !== 'more') return { head: found.head, size: size - found.rest.length, rest: after([found.rest], pieces) };
  }
  return { rest: after(read, pieces) };
}

/** What is read, or undefined where it is no HTTP. */
function parsed<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}

function piecesOf(record: Readable): AsyncIterator<Uint8Array> {
  return record.content()[Symbol.asyncIterator]();
}

/** Clients may write records of any type; these two are ours to understand when they hold HTTP. */
function holdsResponse(record: Readable): boolean {
  const { type } = record;
  return (type === 'response' || type === 'revisit') && isHttp(record);
}

function isHttp(record: Readable): boolean {
  return /^application\/http\b/i.test(record.header('Content-Type') ?? '');
}

/** A client would not know where such a body ends; the record does. */
function framingOf(head: ResponseHead): Framing {
  return parsed(() => responseFraming(head, 'GET')) ?? { kind: 'close' };
}

/**
 * The body without its transfer-coding.
 *
 * @throws IncompleteError after the last piece, when something is missing
 */
export async function* payloadOf({ framing, rest, truncated }: ArchivedMessage): AsyncGenerator<Buffer, void> {
  const body = bodyReader(framing, false);
  for await (const piece of rest) {
    if (body.done) break;
    const slices: Buffer[] = [];
    const end = readBody(() => body.read(piece, 0, slices));
    yield* slices;
    if (end instanceof MessageError) throw new IncompleteError(end.message);
  }
  if (truncated || (!body.done && framing.kind !== 'close')) throw new IncompleteError('the archived response is not whole');
}

/**
 * The body as it came over the wire.
 *
 * @param exactly refuse chunks that not everybody understands
 * @throws IncompleteError after the last piece, when a client cannot tell where the body ends
 */
export async function* wirePiecesOf({ framing, rest, truncated }: ArchivedMessage, exactly: boolean): AsyncGenerator<BodyPiece, void> {
  const body = bodyReader(framing, false);
  for await (const piece of rest) {
    if (body.done) break;
    const payload: Buffer[] = [];
    const end = readBody(() => body.read(piece, 0, payload));
    yield { bytes: end instanceof MessageError ? piece : piece.subarray(0, end), payload };
    if (end instanceof MessageError) throw new IncompleteError(end.message);
  }
  if (truncated || (!body.done && framing.kind !== 'close')) throw new IncompleteError('the archived response is not whole');
  if (exactly && !body.exact) throw new IncompleteError('the archived response has chunks that not everybody understands');
}

function readBody(read: () => number): number | MessageError {
  try {
    return read();
  } catch (error) {
    if (error instanceof MessageError) return error;
    throw error;
  }
}

async function* after(first: readonly Buffer[], pieces: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer, void> {
  yield* first;
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield bufferOf(next.value);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
