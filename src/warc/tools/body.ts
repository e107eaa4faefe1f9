/**
 * What the body of an archived message says: without transfer-coding and content-codings, as it comes.
 *
 * Lenient, as archives are made by many tools: a header may speak of chunks or of gzip that whoever wrote the record has taken off already.
 * Source: RFC 9112 §7.1; RFC 9110 §8.4.
 */
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MessageError } from '../../http/errors.ts';
import { bodyReader } from '../../http1/body.ts';
import { rawDeflate, unpackers } from '../../page/fetched.ts';
import { reasonOf } from '../../util/thrown.ts';
import { WarcReadError } from '../errors.ts';
import { IncompleteError, type ArchivedBytes, type ArchivedMessage, type ArchivedRequest } from '../read/message.ts';

/**
 * The body; a block that is no message is its own.
 *
 * @throws IncompleteError after the last piece that could be read; WarcReadError
 */
export async function* decodedBody(block: ArchivedMessage | ArchivedRequest | ArchivedBytes): AsyncGenerator<Buffer, void> {
  if (block.kind === 'bytes') {
    yield* block.bytes;
    return;
  }
  yield* withoutContentCoding(block.head.fields.members('content-encoding'), withoutTransferCoding(block));
}

/** @param codings in the order of the field, in lower case. @throws as `decodedBody` */
export function withoutContentCoding(codings: readonly string[], body: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  let pieces = body;
  for (const coding of [...codings].reverse()) if (coding !== 'identity') pieces = withoutCoding(coding, pieces);
  return pieces;
}

/** The body without its chunks, if it has any. */
export async function* withoutTransferCoding(message: ArchivedMessage | ArchivedRequest): AsyncGenerator<Buffer, void> {
  const { framing, rest, truncated, bodySize } = message;
  if (framing.kind !== 'chunked') {
    yield* rest;
    if (truncated || (framing.kind === 'length' && bodySize < framing.length)) throw new IncompleteError(NOT_WHOLE);
    return;
  }
  const { first, all } = await begun(rest, CHUNK_HEAD_BYTES);
  if (!CHUNK_HEAD.test(first.toString('latin1'))) {
    yield* all;
    if (truncated) throw new IncompleteError(NOT_WHOLE);
    return;
  }
  const chunks = bodyReader(framing, false);
  for await (const piece of all) {
    if (chunks.done) break;
    const slices: Buffer[] = [];
    let failure: unknown;
    try {
      chunks.read(piece, 0, slices);
    } catch (error) {
      failure = error;
    }
    yield* slices;
    if (failure instanceof MessageError) throw new IncompleteError(`has a chunk that is not understood: ${failure.message}`);
    if (failure instanceof Error) throw failure;
  }
  if (truncated || !chunks.done) throw new IncompleteError(NOT_WHOLE);
}

const NOT_WHOLE = 'is not whole';
/** What a body begins with that has chunks, or nothing. */
const CHUNK_HEAD = /^\s*(?:[0-9a-f]{1,16}[ \t]*(?:[;\r\n]|$)|$)/i;
const CHUNK_HEAD_BYTES = 18;

const MAGIC: Readonly<Record<string, string>> = { gzip: '1f8b', 'x-gzip': '1f8b', zstd: '28b52ffd' };
const LONGEST_MAGIC_BYTES = 4;

async function* withoutCoding(coding: string, packed: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  const { first, all } = await begun(packed, LONGEST_MAGIC_BYTES);
  const magic = MAGIC[coding];
  if (first.length === 0 || (magic !== undefined && !first.toString('hex').startsWith(magic))) return yield* all;
  const stream = coding === 'deflate' && !isZlib(first) ? rawDeflate() : unpackers(coding)?.[0];
  if (stream === undefined) {
    yield* all;
    throw new IncompleteError(`has the content-coding ${JSON.stringify(coding)}, which is not known: given as it is`);
  }
  yield* through(stream, all);
}

/** RFC 1950 §2.2 */
function isZlib(first: Buffer): boolean {
  return first.length >= 2 && ((first[0] ?? 0) & 0x0f) === 8 && first.readUInt16BE(0) % 31 === 0;
}

/** What comes out, as far as it comes; what was wrong with the bytes that went in is thrown behind it. */
async function* through(stream: Duplex, source: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  let short: unknown;
  const fed = async function* () {
    try {
      yield* source;
    } catch (error) {
      short = error;
    }
  };
  const done = pipeline(Readable.from(fed()), stream).catch((error: unknown) => error);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    throw short instanceof Error ? short : new IncompleteError(`cannot be unpacked: ${reasonOf(error)}`, { cause: error });
  } finally {
    stream.destroy();
    await done;
  }
  if (short instanceof Error) throw short;
}

/** The first bytes, so many or more, and all of them. */
async function begun(source: AsyncIterable<Buffer>, bytes: number): Promise<{ first: Buffer; all: AsyncGenerator<Buffer, void> }> {
  const pieces = source[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  let failure: unknown;
  let next: IteratorResult<Buffer, unknown> | undefined;
  try {
    while (first.length < bytes && (next = await pieces.next()).done !== true)
      first = first.length === 0 ? next.value : Buffer.concat([first, next.value]);
  } catch (error) {
    failure = error;
  }
  const all = async function* (): AsyncGenerator<Buffer, void> {
    if (first.length > 0) yield first;
    if (failure instanceof Error) throw failure;
    for (let each = await pieces.next(); each.done !== true; each = await pieces.next()) yield each.value;
  };
  return { first, all: all() };
}

/** Whether it tells of bytes that are wrong, rather than of a fault of ours. */
export function isReadFault(error: unknown): error is IncompleteError | WarcReadError {
  return error instanceof IncompleteError || error instanceof WarcReadError;
}
