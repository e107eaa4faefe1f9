/**
 * WebSocket frames out of one direction's bytes, however these are cut.
 *
 * No sockets, and nothing held but the head of a frame: payload is told of as it comes, unmasked. Bytes that came are never changed: whoever
 * reads beside a relay shares them. What frames may follow each other is for messages.ts.
 * Source: RFC 6455 §5.2, §5.3.
 */

/** The bytes cannot be read on. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';
}

export interface FrameHead {
  readonly fin: boolean;
  /** the three reserved bits, RSV1 the highest */
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  /** bytes of the payload */
  readonly length: number;
}

export interface FrameEvents {
  /** @throws WebSocketError for one that may not stand here */
  onFrame(head: FrameHead): void;
  /** the next piece of its payload, unmasked; never empty */
  onPayload(bytes: Buffer): void;
  onFrameEnd(): void;
}

const FIN = 0x80;
const MASKED = 0x80;
const LENGTH = 0x7f;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const SHORTEST_HEAD = 2;
const LONGEST_HEAD = 14;
const MASK_BYTES = 4;

export class FrameReader {
  readonly #events: FrameEvents;
  readonly #head = Buffer.alloc(LONGEST_HEAD);
  #have = 0;
  #need = SHORTEST_HEAD;
  /** bytes of the payload that are to come; undefined within a head */
  #left: number | undefined;
  /** where the key of the mask stands in the head; -1 without */
  #maskAt = -1;
  #unmasked = 0;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** @throws WebSocketError when nothing can be read any more; what stands before has been told of */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) at = this.#left === undefined ? this.#readHead(bytes, at) : this.#readPayload(bytes, at, this.#left);
  }

  #readHead(bytes: Buffer, from: number): number {
    let at = from;
    while (this.#have < this.#need && at < bytes.length) {
      this.#head[this.#have++] = bytes[at++] ?? 0;
      if (this.#have === SHORTEST_HEAD) this.#need = headSize(this.#head[1] ?? 0);
    }
    if (this.#have === this.#need) this.#begin();
    return at;
  }

  #begin(): void {
    const [first = 0, second = 0] = this.#head;
    const masked = (second & MASKED) !== 0;
    const length = lengthIn(this.#head);
    this.#maskAt = masked ? this.#need - MASK_BYTES : -1;
    this.#unmasked = 0;
    this.#left = length;
    this.#events.onFrame({ fin: (first & FIN) !== 0, reserved: (first >> 4) & 7, opcode: first & 0xf, masked, length });
    if (length === 0) this.#end();
  }

  #readPayload(bytes: Buffer, at: number, left: number): number {
    const end = Math.min(at + left, bytes.length);
    const piece = bytes.subarray(at, end);
    this.#left = left - piece.length;
    this.#events.onPayload(this.#maskAt === -1 ? piece : this.#unmask(piece));
    if (this.#left === 0) this.#end();
    return end;
  }

  #end(): void {
    this.#left = undefined;
    this.#have = 0;
    this.#need = SHORTEST_HEAD;
    this.#events.onFrameEnd();
  }

  #unmask(piece: Buffer): Buffer {
    const key = this.#head.subarray(this.#maskAt, this.#maskAt + MASK_BYTES);
    const plain = Buffer.allocUnsafe(piece.length);
    const before = this.#unmasked;
    for (let i = 0; i < piece.length; i++) plain[i] = (piece[i] ?? 0) ^ (key[(before + i) & 3] ?? 0);
    this.#unmasked = (before + piece.length) & 3;
    return plain;
  }
}

/** @param second byte of the head */
function headSize(second: number): number {
  const length = second & LENGTH;
  const extended = length === LENGTH_16 ? 2 : length === LENGTH_64 ? 8 : 0;
  return SHORTEST_HEAD + extended + ((second & MASKED) === 0 ? 0 : MASK_BYTES);
}

/** @throws WebSocketError for one past 2^53: longer than anything that can be counted here */
function lengthIn(head: Buffer): number {
  const length = (head[1] ?? 0) & LENGTH;
  if (length === LENGTH_16) return head.readUInt16BE(SHORTEST_HEAD);
  if (length !== LENGTH_64) return length;
  const long = Number(head.readBigUInt64BE(SHORTEST_HEAD));
  if (!Number.isSafeInteger(long)) throw new WebSocketError('a frame of 2^53 bytes or more');
  return long;
}
