/**
 * The dictionary of a file: what its records have in common, in front of the first of them, so that each can still be read by itself.
 *
 * Source: RFC 8878 §5 (format); "Zstandard Compression for WARC Files" of the IIPC, §3.2, §4 (dictionary frame, limits).
 */
import { CutOffError } from '../../errors.ts';
import type { FileWindow } from '../../window.ts';
import { DICTIONARY_MAGIC, FRAME_MAGIC, frameHeader, SKIPPABLE_HEADER_BYTES } from './frame.ts';
import { loadZstd } from './library.ts';

export interface Dictionary {
  /** never 0, which is for none */
  readonly id: number;
  readonly bytes: Buffer;
}

/** What a reader has to take at least; we take no more. */
export const MAX_DICTIONARY_BYTES = 8 * 1024 * 1024;
const MAGIC = Buffer.from('37a430ec', 'hex');
const ID_BYTES = 4;

/** @throws when these bytes are none */
export function dictionaryOf(bytes: Buffer): Dictionary {
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length)) || bytes.length < MAGIC.length + ID_BYTES)
    throw new Error('is no dictionary of Zstandard, as "zstd --train" makes them');
  if (bytes.length > MAX_DICTIONARY_BYTES) throw new Error(`is a dictionary of more than ${MAX_DICTIONARY_BYTES} bytes`);
  const id = bytes.readUInt32LE(MAGIC.length);
  if (id === 0) throw new Error('is a dictionary without a number');
  return { id, bytes };
}

/** The frame that a file begins with. */
export async function dictionaryFrame({ bytes }: Dictionary): Promise<Buffer> {
  const packed = (await loadZstd()).pack(bytes);
  const header = Buffer.alloc(SKIPPABLE_HEADER_BYTES);
  DICTIONARY_MAGIC.copy(header);
  header.writeUInt32LE(packed.length, DICTIONARY_MAGIC.length);
  return Buffer.concat([header, packed]);
}

/** @returns what stands in front of the records of a file, where there is one. @throws when it is damaged */
export async function dictionaryIn(window: FileWindow): Promise<Dictionary | undefined> {
  const header = await window.read(0, SKIPPABLE_HEADER_BYTES);
  if (!header.subarray(0, DICTIONARY_MAGIC.length).equals(DICTIONARY_MAGIC)) return undefined;
  if (header.length < SKIPPABLE_HEADER_BYTES) throw new CutOffError('ends within its dictionary');
  const size = header.readUInt32LE(DICTIONARY_MAGIC.length);
  if (size > MAX_DICTIONARY_BYTES) throw new Error(`has a dictionary of more than ${MAX_DICTIONARY_BYTES} bytes`);
  const bytes = await window.read(SKIPPABLE_HEADER_BYTES, size);
  if (bytes.length < size) throw new CutOffError('ends within its dictionary');
  return dictionaryOf(FRAME_MAGIC.equals(bytes.subarray(0, FRAME_MAGIC.length)) ? await unpacked(bytes) : Buffer.from(bytes));
}

async function unpacked(frame: Buffer): Promise<Buffer> {
  const contentBytes = frameHeader(frame)?.contentBytes ?? 0;
  if (contentBytes > MAX_DICTIONARY_BYTES) throw new Error(`has a dictionary of more than ${MAX_DICTIONARY_BYTES} bytes`);
  return (await loadZstd()).unpack(frame, MAX_DICTIONARY_BYTES);
}
