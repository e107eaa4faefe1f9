/**
 * Tokens of a stream of items: 9 bytes, 1 and the sequence number of the last item, 64 bits, the lowest byte first.
 */
import { Failure } from '../failure.ts';

const BYTES = 9;
const FORMAT = 1;

export function tokenOf(sequence: number): Uint8Array {
  const token = Buffer.alloc(BYTES);
  token[0] = FORMAT;
  token.writeBigUInt64LE(BigInt(sequence), 1);
  return token;
}

/** @returns the sequence number, or one beyond all. @throws Failure */
export function sequenceIn(token: Uint8Array): number {
  if (token.length !== BYTES || token[0] !== FORMAT) throw new Failure('Invalid sync token');
  const sequence = Buffer.from(token).readBigUInt64LE(1);
  return sequence > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(sequence);
}
