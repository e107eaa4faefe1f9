/**
 * Records that stand in the file as they are: only the header of each says where it ends.
 */
import type { Decoder } from '../codec.ts';

export const plainDecoder: Decoder = {
  magic: Buffer.from('WARC/'),
  delimits: false,
  open: (window) => (start) => ({ data: () => window.from(start), end: undefined }),
};
