/**
 * Which way of writing a file has, by its first bytes.
 */
import type { FileWindow } from '../window.ts';
import type { Decoder } from './codec.ts';
import { gzipDecoder } from './gzip/decoder.ts';
import { plainDecoder } from './none/decoder.ts';
import { zstdDecoder } from './zstd/decoder.ts';

const PACKED: readonly Decoder[] = [gzipDecoder, zstdDecoder];
const RECOGNISED_BYTES = 2;

/**
 * What is none of the packed ones is taken for plain.
 *
 * @param position where a record begins
 * @param bytes how many have to be there, and are looked at
 */
export async function decoderAt(window: FileWindow, position: number, bytes = RECOGNISED_BYTES): Promise<Decoder> {
  const first = await window.read(position, bytes);
  const begins = (magic: Buffer | undefined) => first.length === bytes && magic?.subarray(0, bytes).equals(first) === true;
  return PACKED.find(({ magic, alsoBegins }) => begins(magic) || begins(alsoBegins)) ?? plainDecoder;
}
