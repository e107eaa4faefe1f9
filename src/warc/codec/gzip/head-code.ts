/**
 * The code in which heads are written: one for all, so that none has to be made for each.
 *
 * Building codes, and saying them, is half of what zlib does with six hundred bytes. These were made from what WARC headers and HTTP heads
 * consist of (`test/bench/head-code.ts` prints them anew, from files that are named); every byte and every length has its code, so that
 * whatever comes can be written. A block says its code at its beginning, so that any reader of deflate reads it.
 * Source: RFC 1951 §3.2.2 (canonical codes), §3.2.5 (symbols), §3.2.7 (a block with a code of its own).
 */

/** Bits of the code of each symbol, as hexadecimal digits: literals, end of block, lengths. */
const LITERAL_BITS =
  'dddddddddd6dd6dddddddddddddddddd5d8dddda9a9c8566655666666657989ad797889988ba88a98c8779a9ab9dddd8' +
  'd565546675a8676569555688879ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd' +
  'ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddad67878a88aabddddddddddddddddd';
/** The same of distances. */
const DISTANCE_BITS = '979699573545343434458999999998';
/** What the block begins with, up to its first symbol: not the last block, type 2, and both codes. */
export const BLOCK_START = Buffer.from(
  'ec7d0560dcb8f7e631f8cec78cba1c6cb7ffc8b664d634dd9b4ed226bf4db6f967a6dbfdf520274bcf1e6d3c962bc949' +
    'a6c7ccccccccccccccccccccbce7c96493dddf3153a76e359f9ebef7bdef3da5dc00',
  'hex',
);
/** So many bits of it count. */
export const BLOCK_START_BITS = 650;

export const END_OF_BLOCK = 256;
export const FIRST_LENGTH = 257;

/** By symbol of a length or a distance (RFC 1951 §3.2.5): the least value, and how many bits tell which from there on. */
export const LENGTHS = spans(29, 3, (symbol) => (symbol < 8 || symbol === 28 ? 0 : (symbol - 4) >> 2));
export const DISTANCES = spans(30, 1, (symbol) => (symbol < 4 ? 0 : (symbol - 2) >> 1));

/** Codes with their first bit lowest, as they are put into bytes. */
export interface Code {
  readonly bits: Uint8Array;
  readonly codes: Uint16Array;
}

export interface Spans {
  readonly least: Uint16Array;
  readonly extraBits: Uint8Array;
  /** the symbol of a value */
  readonly of: (value: number) => number;
}

const MAX_BITS = 15;

export const literalCode = codeOf(Uint8Array.from(LITERAL_BITS, (digit) => parseInt(digit, 16)));
export const distanceCode = codeOf(Uint8Array.from(DISTANCE_BITS, (digit) => parseInt(digit, 16)));

function spans(count: number, first: number, extraOf: (symbol: number) => number): Spans {
  const least = new Uint16Array(count);
  const extraBits = Uint8Array.from({ length: count }, (_, symbol) => extraOf(symbol));
  let next = first;
  for (let symbol = 0; symbol < count; symbol++) {
    least[symbol] = next;
    next += 1 << (extraBits[symbol] ?? 0);
  }
  // The longest match has a symbol of its own, and is not the last value of the one before.
  if (first === 3) least[count - 1] = 258;
  const symbols = new Uint8Array(next + 1);
  for (let symbol = 0; symbol < count; symbol++) symbols.fill(symbol, least[symbol], least[symbol + 1] ?? next + 1);
  return { least, extraBits, of: (value) => symbols[value] ?? 0 };
}

function codeOf(bits: Uint8Array): Code {
  const codes = new Uint16Array(bits.length);
  let next = 0;
  for (let length = 1; length <= MAX_BITS; length++) {
    for (const [symbol, itsLength] of bits.entries()) if (itsLength === length) codes[symbol] = reversed(next++, length);
    next <<= 1;
  }
  return { bits, codes };
}

function reversed(code: number, bits: number): number {
  let turned = 0;
  for (let nth = 0; nth < bits; nth++) turned |= ((code >> nth) & 1) << (bits - 1 - nth);
  return turned;
}
