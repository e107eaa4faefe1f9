/**
 * Reads WARC files record by record with exact block bytes: no HTTP parsing, no decoding. Plain, gzip, and files still being written.
 *
 * warcio parses the header. It is lenient where we must not be: it spins on a block that is cut off, takes what follows a broken gzip
 * member for plain text, and misses where a member ends when that falls between two reads; so the rest is ours.
 * Source: ISO 28500:2017 §4, Annex D.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { AsyncIterReader, LimitReader, WARCParser, type WARCRecord as ParsedRecord } from 'warcio';
import { reasonOf } from '../../util/thrown.ts';
import { WarcReadError } from '../errors.ts';
import type { Unit } from '../codec/codec.ts';
import { decoderAt } from '../codec/decoders.ts';
import { RECORD_END } from '../layout.ts';
import { headerIn, type WarcRecord } from '../record.ts';
import { notWarc } from './head.ts';
import { FileWindow } from '../window.ts';

export interface ReadRecord extends WarcRecord {
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
  /** The block as it comes. It can be read once. */
  content(): AsyncIterable<Uint8Array>;
  /** What is left of the block. For blocks that are known to be small. */
  bytes(): Promise<Buffer>;
  /** Read to the record's end. @returns its bytes in the (compressed) file */
  length(): Promise<number>;
}

export interface ReadOptions {
  /** where a record begins */
  readonly start?: number;
  /** where a record ends; by default the end of the file */
  readonly end?: number;
}

/** Where the bytes of records come from. */
interface Source {
  readonly reader: AsyncIterReader;
  readonly guard: Guard;
  /** where the record ended in the file, after its last byte was read */
  end(): Promise<number>;
  close(): Promise<unknown>;
}

/** How many bytes may still be read: warcio keeps a header as long as it lasts, and a small member may hold gigabytes of one. */
interface Guard {
  left: number;
}

/** The longest URL that the proxy takes has 4 MiB; pieces are read ahead. */
const MAX_HEAD_BYTES = 16 * 1024 * 1024;
/** Fields that may stand more than once; warcio joins their values. */
const REPEATED = new Set(['warc-concurrent-to', 'warc-protocol']);

/**
 * The records of a file in order. What a caller leaves unread of a record is skipped.
 *
 * @throws WarcReadError where the file is not whole and well-formed, or cannot be read
 */
export async function* readWarc(file: string, { start = 0, end }: ReadOptions = {}): AsyncGenerator<ReadRecord, void> {
  let offset = start;
  let handle: FileHandle | undefined;
  let source: Source | undefined;
  try {
    handle = await open(file, 'r');
    const { size } = await handle.stat();
    const window = new FileWindow(handle, Math.min(size, end ?? size));
    const decoder = await decoderAt(window, offset);
    const unitAt = decoder.open(window);
    while (offset < window.end) {
      // A unit without an end of its own goes on with the records behind it: a new one for each would cost a sixth of reading.
      if (decoder.delimits || source === undefined) source = sourceOf(unitAt(offset), decoder.delimits, offset);
      const record = await readRecord(source, file, offset);
      yield record;
      offset += await record.length();
    }
  } catch (error) {
    throw readError(file, offset, error);
  } finally {
    await source?.close();
    await handle?.close();
  }
}

/** @param delimits the unit has an end of its own, which must be that of the record */
function sourceOf(unit: Unit, delimits: boolean, offset: number): Source {
  const guard: Guard = { left: MAX_HEAD_BYTES };
  const data = guarded(unit.data(), guard);
  const reader = new AsyncIterReader(data, null);
  const end = async () => {
    if (!delimits) return offset + reader.getReadOffset();
    unit.last?.();
    const more = await reader.readSize(1);
    if (more.length > 0 || unit.end === undefined) throw new Error('more than one record in a gzip member');
    return unit.end;
  };
  return { reader, guard, end, close: () => data.return() };
}

async function* guarded(data: AsyncGenerator<Buffer, void>, guard: Guard): AsyncGenerator<Buffer, void> {
  for await (const piece of data) {
    guard.left -= piece.length;
    yield piece;
    if (guard.left < 0) throw new Error(`has a header of more than ${MAX_HEAD_BYTES} bytes`);
  }
}

async function readRecord(source: Source, file: string, offset: number): Promise<ReadRecord> {
  source.guard.left = MAX_HEAD_BYTES;
  const parsed = await new WARCParser(source.reader, { keepHeadersCase: true, parseHttp: false }).parse();
  const version = parsed?.warcHeaders.statusline ?? '';
  if (parsed === null || !/^WARC\/\d+\.\d+$/.test(version)) throw new Error(notWarc(version));
  source.guard.left = Infinity;
  const headers = fieldsOf(parsed);
  const header = (name: string) => headerIn(headers, name);
  const [lengthField = '', another] = headers.flatMap(([name, value]) => (name.toLowerCase() === 'content-length' ? [value] : []));
  if (another !== undefined || !/^\d{1,15}$/.test(lengthField)) throw new Error('has no valid Content-Length');
  const contentLength = Number(lengthField);
  // The library's own takes a length only from `Content-Length` in just this case.
  const block = new LimitReader(source.reader, contentLength);

  let left = contentLength;
  async function* content(): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const piece of block) {
        left -= piece.length;
        yield piece;
      }
      if (left > 0) throw new Error(`ends ${left} bytes before the end of its block of ${contentLength} bytes`);
    } catch (error) {
      throw readError(file, offset, error);
    }
  }
  async function finish(): Promise<number> {
    try {
      const rest = content();
      while ((await rest.next()).done !== true);
      const end = await source.reader.readSize(RECORD_END.length);
      if (!RECORD_END.equals(end)) throw new Error('is not followed by two line ends');
      return (await source.end()) - offset;
    } catch (error) {
      throw readError(file, offset, error);
    }
  }
  let length: Promise<number> | undefined;
  return {
    version,
    type: header('WARC-Type') ?? '',
    headers,
    offset,
    contentLength,
    header,
    content,
    bytes: () => joined(content()),
    length: () => (length ??= finish()),
  };
}

/** Not by the library's own iterator: it takes a target URI with `,,,` in it for several values, and throws. */
function fieldsOf({ warcHeaders }: ParsedRecord): [name: string, value: string][] {
  const fields: Iterable<[string, string]> = Map.prototype.entries.call(warcHeaders.headers) as Iterable<[string, string]>;
  return [...fields].flatMap(([written, value]) => {
    const name = written.trim();
    return REPEATED.has(name.toLowerCase())
      ? value.split(',,,').map((each): [string, string] => [name, each])
      : [[name, value] as [string, string]];
  });
}

function readError(file: string, offset: number, error: unknown): WarcReadError {
  return error instanceof WarcReadError ? error : new WarcReadError(file, offset, reasonOf(error), error);
}

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
