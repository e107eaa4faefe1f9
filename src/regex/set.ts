/**
 * Sets of bytes: what one step of a regex accepts. Values, shared and never changed once they are made.
 *
 * Texts are matched as bytes 0 to 255: canonical URLs are ASCII, header values are Latin-1. A character above that is in no set.
 */

export interface ByteSet {
  /** 256 times 0 or 1 */
  readonly bytes: Uint8Array;
}

export function byteSet(contains: (byte: number) => boolean): ByteSet {
  return { bytes: Uint8Array.from({ length: 256 }, (_, byte) => Number(contains(byte))) };
}

export const EMPTY = byteSet(() => false);
export const ANY = byteSet(() => true);
export const NOT_NEWLINE = byteSet((byte) => byte !== 0x0a);
export const NEWLINE = single_(0x0a);

const DIGIT = byteSet((byte) => byte >= 0x30 && byte <= 0x39);
const SPACE = byteSet((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
export const WORD = byteSet((byte) => /\w/.test(String.fromCharCode(byte)));

/** By the letter of their escape. */
export const SHORTHANDS: ReadonlyMap<string, ByteSet> = new Map([
  ['d', DIGIT],
  ['D', inverted(DIGIT)],
  ['s', SPACE],
  ['S', inverted(SPACE)],
  ['w', WORD],
  ['W', inverted(WORD)],
]);

const SINGLES = Array.from({ length: 256 }, (_, byte) => single_(byte));
const FOLDED = Array.from({ length: 256 }, (_, byte) => byteSet((other) => lower(other) === lower(byte)));

/** @param byte 0 to 255 */
export function single(byte: number, ignoreCase: boolean): ByteSet {
  return (ignoreCase ? FOLDED[byte] : SINGLES[byte]) ?? EMPTY;
}

export function inverted(set: ByteSet): ByteSet {
  return byteSet((byte) => set.bytes[byte] === 0);
}

function single_(byte: number): ByteSet {
  return byteSet((other) => other === byte);
}

/** ASCII's letters only, as for Python's bytes. */
export function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
