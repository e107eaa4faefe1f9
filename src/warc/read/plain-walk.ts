/**
 * Walks over a plain file from header to header, without looking into the blocks.
 *
 * Source: ISO 28500:2017 §4.
 */
import { isSystemError } from '../../util/thrown.ts';
import { plainDecoder } from '../codec/none/decoder.ts';
import { CutOffError } from '../errors.ts';
import { RECORD_END } from '../layout.ts';
import type { FileWindow } from '../window.ts';
import { HEAD_END, MAX_HEAD_BYTES, parseHead, VERSION_LINE, type Head } from './head.ts';
import type { Walk } from './walk.ts';

const MAX_VERSION_BYTES = 64;
const HEAD_PIECES = [4 * 1024, 256 * 1024, MAX_HEAD_BYTES];

export function plainWalk(window: FileWindow): Walk {
  return {
    magic: plainDecoder.magic,
    recordEnd: (start) => plainEnd(window, start),
    afterBroken: (start) => afterBlock(window, start),
    afterHopeless: (start) => afterHopeless(window, start),
  };
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

/**
 * How far no record begins, knowing that none begins at `start`: what ends with the same header has the same fields, but for those that
 * stand before it. Without that a block full of versions and without an empty line would be read once for each of them.
 */
async function afterHopeless(window: FileWindow, start: number): Promise<number> {
  const version = await window.read(start, MAX_VERSION_BYTES);
  if (!VERSION_LINE.test(version.toString('latin1'))) return start + 1;
  const headEnd = await window.indexOf(HEAD_END, start);
  if (headEnd === undefined) return window.end;
  if (headEnd - start > MAX_HEAD_BYTES) return start + 1;
  const text = (await window.read(start, headEnd - start)).toString('latin1');
  const lengths = [...text.matchAll(/\n[ \t]*content-length[^\S\n]*:/gi)];
  // A header with two lengths is none; what begins behind the first of them may be one.
  return start + (lengths.at(-2)?.index ?? text.length - 1) + 1;
}
