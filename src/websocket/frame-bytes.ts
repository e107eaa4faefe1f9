/**
 * Frames as a server sends them: whole, and not masked.
 *
 * Source: RFC 6455 §5.2, §5.5.1.
 */
import { CLOSE } from './messages.ts';

const FIN = 0x80;
const MAX_7_BITS = 125;
const LENGTH_16 = 126;
const MAX_16_BITS = 0xffff;
const LENGTH_64 = 127;

/** The head of a frame with so many bytes of payload behind it. */
export function frameHead(opcode: number, length: number): Buffer {
  if (length <= MAX_7_BITS) return Buffer.from([FIN | opcode, length]);
  if (length <= MAX_16_BITS) return Buffer.from([FIN | opcode, LENGTH_16, length >> 8, length & 0xff]);
  const head = Buffer.from([FIN | opcode, LENGTH_64, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

export function frame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([frameHead(opcode, payload.length), payload]);
}

/** @param code undefined sends none */
export function closeFrame(code: number | undefined, reason = ''): Buffer {
  if (code === undefined) return frame(CLOSE, Buffer.alloc(0));
  const text = Buffer.from(reason).subarray(0, MAX_7_BITS - 2);
  return frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), text]));
}
