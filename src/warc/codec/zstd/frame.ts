/**
 * Frames of Zstandard: what their headers say, and where their blocks end, without unpacking them.
 *
 * Source: RFC 8878 §3.1.1 (frames, blocks), §3.1.2 (skippable frames).
 */

export const FRAME_MAGIC = Buffer.from('28b52ffd', 'hex');
/** Of a skippable frame that holds a dictionary. Source: "Zstandard Compression of WARC" of the IIPC, §3. */
export const DICTIONARY_MAGIC = Buffer.from('5d2a4d18', 'hex');
/** The longest header, of a frame or of a skippable one. */
export const MAX_HEADER_BYTES = 18;
export const BLOCK_HEADER_BYTES = 3;
export const CHECKSUM_BYTES = 4;
/** No block unpacks to more. Source: RFC 8878 §3.1.1.2.4. */
export const MAX_BLOCK_BYTES = 128 * 1024;
const DESCRIPTOR_AT = 4;
const CHECKSUM_FLAG = 0x04;
export const SKIPPABLE_HEADER_BYTES = 8;

export interface FrameHeader {
  readonly bytes: number;
  /** how far back a frame refers: so much has to be held to unpack it */
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
  /** what it unpacks to, as it says; undefined where it does not */
  readonly contentBytes: number | undefined;
  /** 0 where there is none */
  readonly dictionaryId: number;
}

/** @returns undefined while it is not complete; @throws when it is no frame */
export function frameHeader(bytes: Buffer): FrameHeader | undefined {
  if (!FRAME_MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, 4))) throw new Error('not the start of a Zstandard frame');
  const descriptor = bytes[DESCRIPTOR_AT];
  if (descriptor === undefined) return undefined;
  if ((descriptor & 0x08) !== 0) throw new Error('a Zstandard frame of a kind that is not known');
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const windowAt = 5;
  const dictionaryAt = windowAt + (isSingle ? 0 : 1);
  const sizeAt = dictionaryAt + dictionaryBytes;
  if (bytes.length < sizeAt + sizeBytes) return undefined;
  const dictionaryId = dictionaryBytes === 0 ? 0 : bytes.readUIntLE(dictionaryAt, dictionaryBytes);
  const contentBytes = sizeBytes === 0 ? undefined : contentBytesIn(bytes, sizeAt, sizeBytes);
  const windowBytes = isSingle ? (contentBytes ?? 0) : windowOf(bytes[windowAt] ?? 0);
  return { bytes: sizeAt + sizeBytes, windowBytes, hasChecksum: (descriptor & CHECKSUM_FLAG) !== 0, contentBytes, dictionaryId };
}

function contentBytesIn(bytes: Buffer, at: number, size: number): number {
  if (size === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}

/** A frame that has none, with the checksum of what it holds. @param checksum XXH64 of that; its low four bytes count */
export function withChecksum(frame: Buffer, checksum: bigint): Buffer {
  const whole = Buffer.allocUnsafe(frame.length + CHECKSUM_BYTES);
  frame.copy(whole);
  whole.writeUInt8((frame[DESCRIPTOR_AT] ?? 0) | CHECKSUM_FLAG, DESCRIPTOR_AT);
  whole.writeUInt32LE(Number(checksum & 0xffff_ffffn), frame.length);
  return whole;
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

export interface BlockHeader {
  readonly isLast: boolean;
  /** bytes behind the header */
  readonly bytes: number;
}

/** @throws when no block has such a header */
export function blockHeader(bytes: Buffer): BlockHeader {
  const value = bytes.readUIntLE(0, BLOCK_HEADER_BYTES);
  const kind = (value >> 1) & 3;
  if (kind === 3) throw new Error('a Zstandard block of a kind that is not known');
  // Of a run only the byte that it is made of.
  return { isLast: (value & 1) === 1, bytes: kind === 1 ? 1 : value >> 3 };
}

/** @returns bytes of a skippable frame; undefined when it is none, or its header is not complete */
export function skippableBytes(bytes: Buffer): number | undefined {
  if (bytes.length < SKIPPABLE_HEADER_BYTES || (bytes.readUInt32LE(0) & 0xfffffff0) >>> 0 !== 0x184d2a50) return undefined;
  return SKIPPABLE_HEADER_BYTES + bytes.readUInt32LE(4);
}

/** Whether so few bytes may be the beginning of a skippable frame, whose header is not complete. */
export function beginsSkippable(bytes: Buffer): boolean {
  const rest = Buffer.from('2a4d18', 'hex').subarray(0, Math.max(bytes.length - 1, 0));
  return bytes.length < SKIPPABLE_HEADER_BYTES && ((bytes[0] ?? 0) & 0xf0) === 0x50 && rest.equals(bytes.subarray(1, 4));
}
