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
const SKIPPABLE_HEADER_BYTES = 8;

export interface FrameHeader {
  readonly bytes: number;
  /** how far back a frame refers: so much has to be held to unpack it */
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
  /** 0 where there is none */
  readonly dictionaryId: number;
}

/** @returns undefined while it is not complete; @throws when it is no frame */
export function frameHeader(bytes: Buffer): FrameHeader | undefined {
  if (!FRAME_MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, 4))) throw new Error('not the start of a Zstandard frame');
  const descriptor = bytes[4];
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
  const contentBytes = sizeBytes === 8 ? Number(bytes.readBigUInt64LE(sizeAt)) : sizeBytes === 0 ? 0 : bytes.readUIntLE(sizeAt, sizeBytes);
  const windowBytes = isSingle ? contentBytes + (sizeBytes === 2 ? 256 : 0) : windowOf(bytes[windowAt] ?? 0);
  return { bytes: sizeAt + sizeBytes, windowBytes, hasChecksum: (descriptor & 4) !== 0, dictionaryId };
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
