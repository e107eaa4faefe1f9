/**
 * Deflates heads: WARC headers with the HTTP heads behind them, some hundred bytes that are all alike.
 *
 * One block with a code that is always the same, and that suits them: a third of zlib's time, for 2 % more bytes.
 * Source: RFC 1951 §3.2.3 (blocks), §3.2.4 (the empty stored one that ends at the border of a byte).
 */
import {
  BLOCK_START,
  BLOCK_START_BITS,
  distanceCode,
  DISTANCES,
  END_OF_BLOCK,
  FIRST_LENGTH,
  LENGTHS,
  literalCode,
  type Code,
  type Spans,
} from './head-code.ts';
import { DISTANCE_MASK, LENGTH_SHIFT, MAX_HEAD_BYTES, MAX_MATCH, takeTokens, tokens } from './head-tokens.ts';

export { MAX_HEAD_BYTES };

const LAST_BLOCK = 1;
const MAX_CODE_BITS = 15;
/** Every byte a literal with the longest code, and the end. */
const room = Buffer.allocUnsafeSlow(BLOCK_START.length + Math.ceil((MAX_HEAD_BYTES * MAX_CODE_BITS) / 8) + 16);
/** What is put for each length and each distance, its code with the bits that tell which, and how many bits that is. */
const lengths = wholeCodes(literalCode, FIRST_LENGTH, LENGTHS, MAX_MATCH);
const distances = wholeCodes(distanceCode, 0, DISTANCES, MAX_HEAD_BYTES);

const wholeStart = BLOCK_START_BITS >> 3;
const startBits = BLOCK_START_BITS & 7;
const startHeld = (BLOCK_START[wholeStart] ?? 0) & ((1 << startBits) - 1);
BLOCK_START.copy(room, 0);

/**
 * Raw deflate data.
 *
 * @param head MAX_HEAD_BYTES at most
 * @param last nothing follows; otherwise it ends at the border of a byte, and more blocks may
 */
export function deflateHead(head: Buffer, last: boolean): Buffer {
  const count = takeTokens(head);
  const { bits: literalBits, codes: literals } = literalCode;
  const { bits: lengthBits, codes: lengthCodes } = lengths;
  const { bits: distanceBits, codes: distanceCodes } = distances;
  let at = wholeStart;
  let held = startHeld;
  let heldBits = startBits;
  for (let nth = 0; nth < count; nth++) {
    const token = tokens[nth] ?? 0;
    if (token <= DISTANCE_MASK) {
      held |= (literals[token] ?? 0) << heldBits;
      heldBits += literalBits[token] ?? 0;
    } else {
      for (; heldBits >= 8; heldBits -= 8, held >>>= 8) room[at++] = held;
      const length = token >> LENGTH_SHIFT;
      held |= (lengthCodes[length] ?? 0) << heldBits;
      heldBits += lengthBits[length] ?? 0;
      for (; heldBits >= 8; heldBits -= 8, held >>>= 8) room[at++] = held;
      const distance = token & DISTANCE_MASK;
      held |= (distanceCodes[distance] ?? 0) << heldBits;
      heldBits += distanceBits[distance] ?? 0;
    }
    // Sixteen bits and the longest code of a literal are less than what an integer holds.
    for (; heldBits >= 16; heldBits -= 16, held >>>= 16) {
      room[at++] = held;
      room[at++] = held >>> 8;
    }
  }
  for (; heldBits >= 8; heldBits -= 8, held >>>= 8) room[at++] = held;
  held |= (literals[END_OF_BLOCK] ?? 0) << heldBits;
  heldBits += literalBits[END_OF_BLOCK] ?? 0;
  // The empty stored block begins with three bits that are 0, and goes on at the next border.
  if (!last) heldBits += 3;
  for (; heldBits > 0; heldBits -= 8, held >>>= 8) room[at++] = held;
  if (!last) at += room.writeUInt32BE(0x0000ffff, at) - at;
  const deflated = Buffer.from(room.subarray(0, at));
  if (last) deflated[0] = (deflated[0] ?? 0) | LAST_BLOCK;
  return deflated;
}

/** @param most the highest value that occurs */
function wholeCodes({ bits, codes }: Code, first: number, { least, extraBits, of }: Spans, most: number) {
  const whole = { bits: new Uint8Array(most + 1), codes: new Uint32Array(most + 1) };
  for (let value = least[0] ?? 0; value <= most; value++) {
    const symbol = of(value);
    const codeBits = bits[first + symbol] ?? 0;
    whole.codes[value] = (codes[first + symbol] ?? 0) | ((value - (least[symbol] ?? 0)) << codeBits);
    whole.bits[value] = codeBits + (extraBits[symbol] ?? 0);
  }
  return whole;
}
