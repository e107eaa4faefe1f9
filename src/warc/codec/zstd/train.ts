/**
 * A dictionary made of samples: the pieces that most of them have in common, the commonest at its end.
 *
 * Pieces are weighed by how many samples each eight bytes of them stand in; what has been taken counts no more. Of the tables in front of
 * them the one for literals is that of the samples (in ASCII), the others are the defaults of the format.
 * Source: RFC 8878 §5 (format), §4.2.1 (weights), §4.1.1 and §3.1.1.3.2.2 (default distributions).
 */
import { createHash } from 'node:crypto';
import { dictionaryOf, type Dictionary } from './dictionary.ts';

export const MIN_SAMPLES = 10;
/** What `zstd --train` makes unless told otherwise. */
const MAX_BYTES = 112_640;
const MIN_BYTES = 1024;
/** A dictionary is worth a small part of what it was made of. */
const SAMPLES_PER_BYTE = 20;
const WORD_BYTES = 8;
const PIECE_BYTES = 256;
const TABLE_BITS = 20;
/** Source: RFC 8878 §5: between these a number may be drawn. */
const [MIN_ID, MAX_ID] = [32_768, 2 ** 31];

const MAGIC = Buffer.from('37a430ec', 'hex');
/** Offsets, match lengths, literal lengths: the default distributions as tables. */
const DEFAULT_TABLES = Buffer.from(
  '2084104266464444444424490200' +
    '2114c418638c2184104208218410420821444444444444444424090000' +
    '5110638c31c618630c21c4186366668646920400',
  'hex',
);
const FIRST_OFFSETS = Buffer.from('010000000400000008000000', 'hex');
const ASCII = 128;
const MAX_CODE_BITS = 11;

/** @param samples at least `MIN_SAMPLES`, of which all are held */
export function train(samples: readonly Buffer[]): Dictionary {
  const total = samples.reduce((sum, { length }) => sum + length, 0);
  const wanted = Math.min(Math.max(Math.floor(total / SAMPLES_PER_BYTE), MIN_BYTES), MAX_BYTES);
  const content = commonPieces(samples, wanted);
  const id = MIN_ID + (createHash('sha256').update(content).digest().readUInt32LE(0) % (MAX_ID - MIN_ID));
  const number = Buffer.alloc(4);
  number.writeUInt32LE(id);
  return dictionaryOf(Buffer.concat([MAGIC, number, literalTable(samples), DEFAULT_TABLES, FIRST_OFFSETS, content]));
}

/** The best piece of each stretch of the samples, until there are enough. */
function commonPieces(samples: readonly Buffer[], wanted: number): Buffer {
  const weights = wordWeights(samples);
  const all = Buffer.concat(samples);
  const stretch = Math.max(Math.floor(all.length / Math.ceil(wanted / PIECE_BYTES)), PIECE_BYTES + WORD_BYTES);
  const taken: { readonly piece: Buffer; readonly weight: number }[] = [];
  let size = 0;
  for (let offset = 0; size < wanted && offset < stretch; offset += Math.max(stretch >> 2, 1)) {
    for (let from = offset; size < wanted && from < all.length; from += stretch) {
      const best = bestPiece(all, from, Math.min(from + stretch, all.length), weights);
      if (best === undefined) continue;
      taken.push(best);
      size += best.piece.length;
    }
  }
  taken.sort((a, b) => a.weight - b.weight);
  return Buffer.concat(taken.map(({ piece }) => piece)).subarray(-wanted);
}

/** In how many samples each word stands but one, by its hash. */
function wordWeights(samples: readonly Buffer[]): Uint32Array {
  const counts = new Uint32Array(2 ** TABLE_BITS);
  const lastIn = new Uint32Array(2 ** TABLE_BITS);
  for (const [index, sample] of samples.entries()) {
    for (let at = 0; at + WORD_BYTES <= sample.length; at++) {
      const word = wordAt(sample, at);
      if (lastIn[word] === index + 1) continue;
      lastIn[word] = index + 1;
      counts[word] = (counts[word] ?? 0) + 1;
    }
  }
  return counts.map((count) => Math.max(count - 1, 0));
}

function bestPiece(all: Buffer, from: number, to: number, weights: Uint32Array) {
  let [weight, best, bestAt] = [0, 0, -1];
  for (let at = from; at + WORD_BYTES <= to; at++) {
    weight += weights[wordAt(all, at)] ?? 0;
    const leaves = at - (PIECE_BYTES - WORD_BYTES) - 1;
    if (leaves >= from) weight -= weights[wordAt(all, leaves)] ?? 0;
    if (weight > best) [best, bestAt] = [weight, Math.max(leaves + 1, from)];
  }
  if (bestAt < 0) return undefined;
  const end = Math.min(bestAt + PIECE_BYTES, to);
  for (let at = bestAt; at + WORD_BYTES <= end; at++) weights[wordAt(all, at)] = 0;
  return { piece: all.subarray(bestAt, end), weight: best };
}

function wordAt(bytes: Buffer, at: number): number {
  const hash = Math.imul(bytes.readUInt32LE(at), 0x9e3779b1) ^ Math.imul(bytes.readUInt32LE(at + 4), 0x85ebca77);
  return (hash ^ (hash >>> 15)) >>> (32 - TABLE_BITS);
}

/** Weights of the codes of all ASCII characters, four bits each; that of the last follows from the others. */
function literalTable(samples: readonly Buffer[]): Buffer {
  const counts = new Array<number>(ASCII).fill(1);
  for (const sample of samples) for (const byte of sample) if (byte < ASCII) counts[byte] = (counts[byte] ?? 0) + 1;
  const bits = codeBits(counts);
  const longest = Math.max(...bits);
  const weights = bits.map((length) => longest + 1 - length);
  const table = Buffer.alloc(1 + ASCII / 2);
  table[0] = 127 + ASCII - 1;
  for (let symbol = 0; symbol < ASCII - 1; symbol += 2)
    table[1 + symbol / 2] = ((weights[symbol] ?? 0) << 4) | (symbol + 1 < ASCII - 1 ? (weights[symbol + 1] ?? 0) : 0);
  return table;
}

/** How long the code of each is, none longer than the format has it, so that all codes together leave none over. */
function codeBits(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const bits = counts.map((count) => Math.min(Math.max(Math.round(Math.log2(total / count)), 1), MAX_CODE_BITS));
  const room = (length: number) => 2 ** (MAX_CODE_BITS - length);
  let left = 2 ** MAX_CODE_BITS - bits.reduce((sum, length) => sum + room(length), 0);
  const rarest = counts.map((_, symbol) => symbol).sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0));
  for (let nth = 0; left < 0; nth = (nth + 1) % rarest.length) {
    const symbol = rarest[nth] ?? 0;
    const length = bits[symbol] ?? 0;
    if (length >= MAX_CODE_BITS) continue;
    bits[symbol] = length + 1;
    left += room(length) - room(length + 1);
  }
  while (left > 0) {
    const symbol = rarest.findLast((each) => (bits[each] ?? 0) > 1 && room(bits[each] ?? 0) <= left) ?? 0;
    const length = bits[symbol] ?? 0;
    bits[symbol] = length - 1;
    left -= room(length);
  }
  return bits;
}
