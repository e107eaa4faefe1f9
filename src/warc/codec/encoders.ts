/**
 * The ways in which records can be written.
 */
import type { CodecName, Encoder } from './codec.ts';
import { createCompressor } from './gzip/compressor.ts';
import { gzipEncoder } from './gzip/encoder.ts';
import { plainEncoder } from './none/encoder.ts';
import type { Dictionary } from './zstd/dictionary.ts';
import { zstdEncoder } from './zstd/encoder.ts';

/** @param dictionary of zstd: all records are packed with it, and files begin with it */
export function createEncoder(codec: CodecName, dictionary?: Dictionary): Encoder {
  if (codec === 'zstd') return zstdEncoder(dictionary);
  return codec === 'gzip' ? gzipEncoder(createCompressor()) : plainEncoder;
}
