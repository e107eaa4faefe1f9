/**
 * The ways in which records can be written.
 */
import type { CodecName, Encoder } from './codec.ts';
import { createCompressor } from './gzip/compressor.ts';
import { gzipEncoder } from './gzip/encoder.ts';
import { plainEncoder } from './none/encoder.ts';
import { zstdEncoder } from './zstd/encoder.ts';

export function createEncoder(codec: CodecName): Encoder {
  if (codec === 'zstd') return zstdEncoder;
  return codec === 'gzip' ? gzipEncoder(createCompressor()) : plainEncoder;
}
