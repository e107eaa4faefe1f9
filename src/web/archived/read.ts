/**
 * What stands in the records of a capture: heads as text, and the body without transfer-coding and content-coding, as far as a person looks.
 *
 * Bounded in what is read, unpacked and held.
 */
import { createBrotliDecompress, createInflate, createUnzip } from 'node:zlib';
import type { Transform } from 'node:stream';
import { Readable } from 'node:stream';
import { reasonOf } from '../../util/thrown.ts';
import { IncompleteError, payloadOf, readBlock } from '../../warc/read/message.ts';
import { openRecord, type OpenRecord, type Place } from '../../warc/read/place.ts';
import type { ReadRecord } from '../../warc/read/reader.ts';

/** The head of a message, as it is in its record. */
const MAX_HEAD = 64 * 1024;
const MARK = '\r\n\r\n';

export interface ShownRecord {
  /** fields of its header */
  readonly header: readonly (readonly [name: string, value: string])[];
  /** of the HTTP message in it; the whole block where that is short text of ours */
  readonly head: string | undefined;
}

/** @returns what is in the record, or why it is not there */
export async function showRecord(dir: string, place: Place): Promise<ShownRecord | string> {
  return withRecord(dir, place, async (record) => {
    const isHttp = /^application\/http\b/i.test(record.header('Content-Type') ?? '');
    const isText = record.type === 'metadata' || record.type === 'warcinfo';
    const beginning = isHttp || isText ? await beginningOf(record) : undefined;
    const end = beginning?.indexOf(MARK) ?? -1;
    const head = beginning === undefined ? undefined : isHttp && end >= 0 ? beginning.slice(0, end) : beginning;
    return { header: record.headers.map(([name, value]) => [name, value] as const), head };
  });
}

/** Latin-1, up to the end of the head and a bound. */
async function beginningOf(record: ReadRecord): Promise<string> {
  let text = '';
  for await (const piece of record.content()) {
    text += Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1');
    if (text.includes(MARK) || text.length >= MAX_HEAD) break;
  }
  return text.slice(0, MAX_HEAD);
}

export interface Payload {
  /** as the message says, without what it was coded for its way */
  readonly contentType: string;
  readonly contentEncoding: string;
  /** ends early where no more is archived */
  readonly pieces: AsyncIterable<Buffer>;
  readonly close: () => Promise<unknown>;
}

/**
 * The body of the response, resource … in a record, and of a revisit where its original is.
 *
 * @param original where the record stands that a revisit refers to
 * @returns it, to be closed, or why there is none
 */
export async function openPayload(
  dir: string,
  place: Place,
  original: (revisit: ReadRecord) => Promise<Place | undefined>,
): Promise<Payload | string> {
  const opened = await openRecord(dir, place);
  if (typeof opened === 'string') return opened;
  let current: OpenRecord = opened;
  try {
    const { record } = opened;
    const block = await readBlock(record);
    const close = () => current.close();
    if (block.kind === 'bytes')
      return { contentType: record.header('Content-Type') ?? '', contentEncoding: '', pieces: block.bytes, close };
    const { fields } = block.head;
    const said = { contentType: fields.get('content-type') ?? '', contentEncoding: fields.get('content-encoding') ?? '', close };
    if (record.type !== 'revisit') return { ...said, pieces: whatThereIs(payloadOf(block)) };
    const there = await original(record);
    await opened.close();
    const first = there === undefined ? 'it is not known here' : await openRecord(dir, there);
    if (typeof first === 'string') return `it is a revisit, and of its original: ${first}`;
    current = first;
    const message = await readBlock(first.record);
    return { ...said, pieces: message.kind === 'bytes' ? message.bytes : whatThereIs(payloadOf(message)) };
  } catch (error) {
    await current.close();
    throw error;
  }
}

/** The beginning of a payload, unpacked. `whole` is false where more is archived. */
export async function readDecoded(
  { contentEncoding, pieces }: Payload,
  maxBytes: number,
): Promise<{ bytes: Buffer; whole: boolean; problem?: string }> {
  const coding = contentEncoding.trim().toLowerCase();
  const unpack = coding === '' || coding === 'identity' ? undefined : unpackerOf(coding);
  if (coding !== '' && coding !== 'identity' && unpack === undefined)
    return { bytes: Buffer.alloc(0), whole: false, problem: `it is coded as ${coding}` };
  const source: AsyncIterable<Buffer> = unpack === undefined ? pieces : piped(pieces, unpack);
  const kept: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of source) {
      kept.push(piece);
      size += piece.length;
      if (size > maxBytes) return { bytes: Buffer.concat(kept).subarray(0, maxBytes), whole: false };
    }
  } catch (error) {
    return { bytes: Buffer.concat(kept), whole: false, problem: reasonOf(error) };
  }
  return { bytes: Buffer.concat(kept), whole: true };
}

function piped(pieces: AsyncIterable<Buffer>, unpack: Transform): AsyncIterable<Buffer> {
  const source = Readable.from(pieces);
  source.on('error', (error) => unpack.destroy(error));
  return source.pipe(unpack);
}

function unpackerOf(coding: string): Transform | undefined {
  if (coding === 'gzip' || coding === 'x-gzip') return createUnzip();
  if (coding === 'deflate') return createInflate();
  return coding === 'br' ? createBrotliDecompress() : undefined;
}

async function* whatThereIs(payload: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  try {
    yield* payload;
  } catch (error) {
    if (!(error instanceof IncompleteError)) throw error;
  }
}

async function withRecord<Result>(dir: string, place: Place, use: (record: ReadRecord) => Promise<Result>): Promise<Result | string> {
  const opened = await openRecord(dir, place);
  if (typeof opened === 'string') return opened;
  try {
    return await use(opened.record);
  } finally {
    await opened.close();
  }
}
