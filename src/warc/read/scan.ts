/**
 * How far a WARC file is whole: walks over its records without looking into their blocks.
 *
 * A plain file is walked from header to header, a gzip file by unpacking each member, whose checksum says whether it is whole.
 * Tells a file that was cut off in the middle of a record from one that is damaged in another way. Never changes the file.
 * Source: ISO 28500:2017 §4, Annex D; RFC 1952.
 */
import { isSystemError, reasonOf } from '../../util/thrown.ts';
import { CutOffError, isGzip, Member } from '../codec/gunzip.ts';
import type { FileWindow } from './window.ts';

export interface Scan {
  /** whole records in a row from the start */
  readonly records: number;
  /** where the last of them ends; 0 without any */
  readonly end: number;
  /** what comes after them, if anything */
  readonly rest: Rest | undefined;
}

export interface Rest {
  /**
   * `cut`: a record whose end is missing because the file ends; `noise`: nothing that is whole follows;
   * `damage`: whole records follow, or the rest is another way of writing WARC than ours
   */
  readonly kind: 'cut' | 'noise' | 'damage';
  readonly problem: string;
}

interface Head {
  readonly headBytes: number;
  readonly contentLength: number;
}

const VERSION = Buffer.from('WARC/');
const VERSION_LINE = /^WARC\/\d+\.\d+[ \t]*\r\n/;
const MAX_VERSION_BYTES = 64;
const SEARCHED_BYTES = 64 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const RECORD_END = HEAD_END;
/** The longest URL that the proxy takes has 4 MiB. */
const MAX_HEAD_BYTES = 16 * 1024 * 1024;
const HEAD_PIECES = [4 * 1024, 256 * 1024, MAX_HEAD_BYTES];

/** More than one record in a member: legal for other tools, and not to be cut. */
class OtherLayoutError extends Error {}

/** @param wasClosed a file that ends within a block was not being written: its Content-Length may be what is wrong */
export async function scanRecords(window: FileWindow, wasClosed: boolean): Promise<Scan> {
  const gzip = await beginsAsGzip(window);
  let records = 0;
  let end = 0;
  while (end < window.end) {
    try {
      end = await recordEnd(window, end, gzip);
      records += 1;
    } catch (error) {
      return { records, end, rest: { kind: await kindOf(window, end, error, wasClosed), problem: reasonOf(error) } };
    }
  }
  return { records, end, rest: undefined };
}

/** Where the next whole record begins behind one that is not whole. What only stands in that one's block is none. */
export async function findRecord(window: FileWindow, broken: number): Promise<number | undefined> {
  const gzip = await beginsAsGzip(window);
  const wanted = gzip ? Buffer.from([0x1f, 0x8b, 0x08]) : VERSION;
  let next = gzip ? broken + 1 : await afterBlock(window, broken);
  for (;;) {
    const found = await indexOf(window, wanted, next);
    if (found === undefined) return undefined;
    if (await isWhole(window, found, gzip)) return found;
    next = gzip ? found + 1 : await afterHopeless(window, found);
  }
}

async function indexOf(window: FileWindow, wanted: Buffer, from: number): Promise<number | undefined> {
  let next = from;
  while (next < window.end) {
    const bytes = await window.read(next, SEARCHED_BYTES);
    const found = bytes.indexOf(wanted);
    if (found !== -1) return next + found;
    next += Math.max(bytes.length - wanted.length + 1, 1);
  }
  return undefined;
}

/**
 * How far no record begins, knowing that none begins at `start`: what ends with the same header has the same fields, but for those that
 * stand before it. Without that a block full of versions and without an empty line would be read once for each of them.
 */
async function afterHopeless(window: FileWindow, start: number): Promise<number> {
  const version = await window.read(start, MAX_VERSION_BYTES);
  if (!VERSION_LINE.test(version.toString('latin1'))) return start + 1;
  const headEnd = await indexOf(window, HEAD_END, start);
  if (headEnd === undefined) return window.end;
  if (headEnd - start > MAX_HEAD_BYTES) return start + 1;
  const text = (await window.read(start, headEnd - start)).toString('latin1');
  const lengths = [...text.matchAll(/\n[ \t]*content-length[^\S\n]*:/gi)];
  // A header with two lengths is none; what begins behind the first of them may be one.
  return start + (lengths.at(-2)?.index ?? text.length - 1) + 1;
}

async function kindOf(window: FileWindow, end: number, error: unknown, wasClosed: boolean): Promise<Rest['kind']> {
  if (error instanceof CutOffError && !wasClosed) return 'cut';
  if (error instanceof OtherLayoutError) return 'damage';
  // A system error says nothing about the bytes.
  if (isSystemError(error)) throw error;
  if ((await findRecord(window, end)) !== undefined) return 'damage';
  return error instanceof CutOffError ? 'cut' : 'noise';
}

/** A file of one byte can be the beginning of either kind. */
async function beginsAsGzip(window: FileWindow): Promise<boolean> {
  return (await isGzip(window, 0)) || (await window.read(0, 1))[0] === 0x1f;
}

/** The end of a block as its header has it, where that is in the file; else the next byte. */
async function afterBlock(window: FileWindow, start: number): Promise<number> {
  try {
    const { head } = await headAt(window, start);
    const end = start + head.headBytes + head.contentLength;
    return end > window.end ? start + 1 : end;
  } catch (error) {
    if (isSystemError(error)) throw error;
    return start + 1;
  }
}

async function isWhole(window: FileWindow, position: number, gzip: boolean): Promise<boolean> {
  try {
    await recordEnd(window, position, gzip);
    return true;
  } catch (error) {
    if (isSystemError(error)) throw error;
    return error instanceof OtherLayoutError;
  }
}

function recordEnd(window: FileWindow, start: number, gzip: boolean): Promise<number> {
  return gzip ? memberEnd(window, start) : plainEnd(window, start);
}

async function plainEnd(window: FileWindow, start: number): Promise<number> {
  const { head, bytes } = await headAt(window, start);
  const blockEnd = start + head.headBytes + head.contentLength;
  if (blockEnd + RECORD_END.length > window.end) throw new CutOffError('ends before the end of its block');
  // Most blocks end within the bytes that are there already.
  const inPiece = blockEnd - start;
  const end = inPiece + 4 <= bytes.length ? bytes.subarray(inPiece, inPiece + 4) : await window.read(blockEnd, RECORD_END.length);
  if (!end.equals(RECORD_END)) throw new Error('is not followed by two line ends');
  return blockEnd + RECORD_END.length;
}

/** @returns the header, and the bytes that it was found in, which may be more */
async function headAt(window: FileWindow, start: number): Promise<{ readonly head: Head; readonly bytes: Buffer }> {
  for (const size of HEAD_PIECES) {
    const bytes = await window.read(start, size);
    const head = parseHead(bytes);
    if (head !== undefined) return { head, bytes };
    if (bytes.length < size) throw new CutOffError('ends within its header');
  }
  throw new Error(`has a header of more than ${MAX_HEAD_BYTES} bytes`);
}

async function memberEnd(window: FileWindow, start: number): Promise<number> {
  const member = new Member(window, start);
  let head: Head | undefined;
  let seen: Buffer = Buffer.alloc(0);
  let size = 0;
  let end: Buffer = Buffer.alloc(0);
  for await (const piece of member.data()) {
    size += piece.length;
    // The last four bytes of the record, which may come in two pieces.
    end = piece.length >= RECORD_END.length ? piece.subarray(-RECORD_END.length) : Buffer.concat([end, piece]).subarray(-RECORD_END.length);
    if (head === undefined) {
      seen = seen.length === 0 ? piece : Buffer.concat([seen, piece]);
      head = parseHead(seen);
      if (seen.length > MAX_HEAD_BYTES) throw new Error(`has a header of more than ${MAX_HEAD_BYTES} bytes`);
    }
    if (head !== undefined && size > head.headBytes + head.contentLength + RECORD_END.length) {
      throw new OtherLayoutError('more than one record in a gzip member');
    }
  }
  if (head === undefined || member.end === undefined) throw new Error('is a gzip member without a WARC header');
  if (size !== head.headBytes + head.contentLength + RECORD_END.length || !end.equals(RECORD_END)) {
    throw new Error('has another length than its header says');
  }
  return member.end;
}

/** @returns undefined while the header is not complete */
function parseHead(bytes: Buffer): Head | undefined {
  const start = bytes.subarray(0, VERSION.length);
  if (!start.equals(VERSION.subarray(0, start.length))) throw new Error('does not begin with a WARC version');
  const end = bytes.indexOf(HEAD_END);
  if (end === -1) return undefined;
  const text = bytes.toString('utf8', 0, end + 2);
  if (!VERSION_LINE.test(text)) throw new Error('does not begin with a WARC version');
  const length = lengthIn(text);
  if (length === undefined) throw new Error('has no valid Content-Length');
  return { headBytes: end + HEAD_END.length, contentLength: length };
}

/** As the reader reads it: of exactly one field, and lenient in its white space. */
function lengthIn(text: string): number | undefined {
  const usual = /\ncontent-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r\n/i.exec(text)?.[1];
  if (usual !== undefined && text.match(/content-length/gi)?.length === 1) return Number(usual);
  const lengths: string[] = [];
  let [name, value] = ['', ''];
  const take = () => {
    if (name === 'content-length' && value !== '') lengths.push(value);
  };
  for (const line of text.split('\n').slice(1)) {
    const colon = line.indexOf(':');
    if (value !== '' && /^[ \t]/.test(line)) {
      value += line.trimEnd();
    } else {
      take();
      [name, value] = colon === -1 ? ['', ''] : [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }
  }
  take();
  const [length = ''] = lengths;
  return lengths.length === 1 && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
