/**
 * Gzip members: wholly deflated, or, for payloads that are compressed or encrypted already, with the text in front deflated and the
 * payload stored as it is.
 *
 * Deflating a kilobyte of noise takes three times as long and makes the member larger, because the codes that suit the header do not suit
 * the payload. Stored blocks are as much part of the format, so that every reader of gzip reads them.
 * Source: RFC 1951 §3.2.4 (stored blocks), RFC 1952 §2.3 (member).
 */
import { constants, crc32 } from 'node:zlib';
import { deflateRaw } from './deflater.ts';
import { deflateHead, MAX_HEAD_BYTES } from './head-deflater.ts';

/** Less is deflated: it tells too little of itself, and costs little. */
const MIN_SAMPLE_BYTES = 512;
const SAMPLE_BYTES = 512;
/** Bits of information in a byte, of 8, from which deflate would gain next to nothing; noise has 7.9 and more, Base64 6, text 4. */
const DENSE_BITS = 7.5;

const MEMBER_START = Buffer.from('1f8b0800000000000003', 'hex');
const MAX_STORED_BYTES = 0xffff;
const STORED_HEADER_BYTES = 5;
const TRAILER_BYTES = 8;

const counts = new Uint32Array(256);

/**
 * Whether bytes look compressed or encrypted, by how evenly the byte values in a sample are spread (its collision entropy).
 *
 * Only a guess: repetitions are not seen. Whatever it says, no byte is lost.
 */
export function looksDense(bytes: readonly Buffer[]): boolean {
  let size = 0;
  for (const piece of bytes) size += piece.length;
  if (size < MIN_SAMPLE_BYTES) return false;
  // Every nth byte of all, so that a head of plain text in front of an image does not decide.
  const step = Math.ceil(size / SAMPLE_BYTES);
  counts.fill(0);
  let sampled = 0;
  let pairs = 0;
  let at = 0;
  for (const piece of bytes) {
    for (; at < piece.length; at += step) {
      const value = piece[at] ?? 0;
      const before = counts[value] ?? 0;
      pairs += before;
      counts[value] = before + 1;
      sampled++;
    }
    at -= piece.length;
  }
  return pairs < ((sampled * (sampled - 1)) / 2) * 2 ** -DENSE_BITS;
}

/**
 * The member of a whole record.
 *
 * @param payloadStart where the payload begins; what stands in front of it compresses well
 */
export function member(record: Buffer, payloadStart: number): Buffer {
  if (!looksDense([record.subarray(payloadStart)])) {
    const deflated = record.length - payloadStart < MIN_SAMPLE_BYTES ? deflateText(record, true) : deflateRaw(record, constants.Z_FINISH);
    return Buffer.concat([MEMBER_START, deflated, trailer(crc32(record), record.length)]);
  }
  const stored = new StoredMember(record.subarray(0, payloadStart));
  return Buffer.concat([stored.start, ...stored.store(record.subarray(payloadStart)), stored.end()]);
}

/** A member with a stored payload, put together piece by piece. */
export class StoredMember {
  #crc: number;
  #size: number;
  /** what the member begins with: the text, deflated */
  readonly start: Buffer;

  /** @param text what stands in front of the payload, and compresses well */
  constructor(text: Buffer) {
    this.#crc = crc32(text);
    this.#size = text.length;
    this.start = Buffer.concat([MEMBER_START, deflateText(text, false)]);
  }

  /** The piece as stored blocks; not copied. */
  store(piece: Buffer): Buffer[] {
    this.#count(piece);
    const blocks: Buffer[] = [];
    for (let at = 0; at < piece.length; at += MAX_STORED_BYTES) {
      const part = piece.subarray(at, at + MAX_STORED_BYTES);
      blocks.push(storedHeader(part.length, false), part);
    }
    return blocks;
  }

  /** An empty last block, and the checksum. */
  end(): Buffer {
    return Buffer.concat([storedHeader(0, true), trailer(this.#crc, this.#size)]);
  }

  #count(bytes: Buffer): void {
    // Of an empty buffer, which may have no address, zlib's crc32 starts anew.
    if (bytes.length > 0) this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
  }
}

/** Of what is all head, or nearly so. */
function deflateText(text: Buffer, last: boolean): Buffer {
  if (text.length <= MAX_HEAD_BYTES) return deflateHead(text, last);
  return deflateRaw(text, last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH);
}

function storedHeader(length: number, final: boolean): Buffer {
  const header = Buffer.allocUnsafe(STORED_HEADER_BYTES);
  header[0] = final ? 1 : 0;
  header.writeUInt16LE(length, 1);
  header.writeUInt16LE(~length & 0xffff, 3);
  return header;
}

function trailer(crc: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(TRAILER_BYTES);
  bytes.writeUInt32LE(crc, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}
