/**
 * One header block of a tar file, and the records of a pax header: pure, and strict where tools read the same bytes differently.
 *
 * Source: POSIX.1-2017, pax: ustar Interchange Format, pax Header Block; GNU tar manual, "Basic Tar Format" (base-256 numbers).
 */
import { badArchive } from './errors.ts';

export const BLOCK = 512;

export interface Header {
  readonly name: Buffer;
  readonly linkName: Buffer;
  /** as in the block: `0`, `5`, `x` … */
  readonly flag: string;
  readonly size: number;
  readonly mode: number;
  /** seconds since 1970 */
  readonly mtime: number;
}

/** @returns undefined for a block of zeros, which ends the archive. @throws Refusal */
export function parseHeader(block: Buffer): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!sumIsRight(block))
    throw badArchive('expected a tar archive, got something else (or a damaged one: the checksum of a header is wrong)');
  const name = textAt(block, 0, 100);
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textAt(block, 345, 155) : Buffer.alloc(0);
  return {
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    linkName: textAt(block, 157, 100),
    // Before ustar a NUL was a file, and a file with a slash at its end a folder.
    flag: block[156] === 0 ? (name.at(-1) === 0x2f ? '5' : '0') : String.fromCharCode(block[156] ?? 0),
    size: numberAt(block, 124, 12, 'size'),
    mode: numberAt(block, 100, 8, 'mode'),
    mtime: numberAt(block, 136, 12, 'time'),
  };
}

/** The sum of all bytes, with blanks for the sum itself; some have added them up as signed ones. */
function sumIsRight(block: Buffer): boolean {
  const stated = /^[ 0]*([0-7]{1,7})[\0 ]/.exec(block.toString('latin1', 148, 156))?.[1];
  let unsigned = 0;
  let signed = 0;
  for (let index = 0; index < BLOCK; index++) {
    const byte = index >= 148 && index < 156 ? 32 : (block[index] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const sum = parseInt(stated ?? '', 8);
  return sum === unsigned || sum === signed;
}

function textAt(block: Buffer, start: number, length: number): Buffer {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

/** Octal digits; or, with the first bit set, a big-endian number. */
function numberAt(block: Buffer, start: number, length: number, what: string): number {
  const field = block.subarray(start, start + length);
  const fault = () => badArchive(`expected a tar archive, got a header whose ${what} is no number`);
  if (field[0] === 0x80) {
    if (field.subarray(1, -6).some((byte) => byte !== 0)) throw fault();
    return field.readUIntBE(length - 6, 6);
  }
  // A time before 1970.
  if (field[0] === 0xff && what === 'time') return 0;
  const digits = /^ *([0-7]*)[\0 ]*$/.exec(field.toString('latin1'))?.[1];
  if (digits === undefined) throw fault();
  return digits === '' ? 0 : parseInt(digits, 8);
}

/** What a pax header says, by its keywords; values are bytes. @throws Refusal for any length that does not fit its record */
export function parsePax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  let at = 0;
  while (at < bytes.length) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank === -1 ? '' : bytes.toString('latin1', at, blank);
    const end = at + (/^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : NaN);
    const equals = bytes.indexOf(0x3d, at);
    const fits = end <= bytes.length && bytes[end - 1] === 0x0a && equals > blank + 1 && equals < end - 1;
    if (!fits) throw badArchive('expected a tar archive, got a pax header whose records have wrong lengths');
    records.set(bytes.toString('utf8', blank + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}
