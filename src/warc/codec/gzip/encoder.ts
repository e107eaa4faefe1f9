/**
 * Each record as a gzip member: small and middling ones made ahead, big ones as a stream.
 *
 * Source: ISO 28500:2017 Annex D, RFC 1952.
 */
import type { Encoder } from '../codec.ts';
import type { Compressor } from './compressor.ts';
import { Members } from './members.ts';
import { streamMember } from './stream.ts';

/** @param compressor closed with the encoder */
export function gzipEncoder(compressor: Compressor): Encoder {
  return {
    suffix: '.warc.gz',
    units: (records) => new Members(records, compressor),
    stream: streamMember,
    close: () => compressor.close(),
  };
}
