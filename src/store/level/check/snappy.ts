/**
 * Snappy, decompressed: what LevelDB packs its blocks with. Bytes that are no Snappy give undefined.
 *
 * Source: https://github.com/google/snappy/blob/main/format_description.txt.
 */
import { varint } from './varint.ts';

/** More than any block of a table has. */
const MAX_BYTES = 64 * 1024 * 1024;

export function unsnappy(bytes: Buffer): Buffer | undefined {
  const [size, start] = varint(bytes, 0) ?? [MAX_BYTES + 1, 0];
  if (size > MAX_BYTES) return undefined;
  const out = Buffer.alloc(size);
  let at = start;
  let filled = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] ?? 0;
    if ((tag & 3) === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const width = length - 59;
        if (at + width > bytes.length) return undefined;
        length = bytes.readUIntLE(at, width);
        at += width;
      }
      length += 1;
      if (at + length > bytes.length || filled + length > size) return undefined;
      bytes.copy(out, filled, at, at + length);
      at += length;
      filled += length;
      continue;
    }
    const width = (tag & 3) === 3 ? 4 : tag & 3;
    if (at + width > bytes.length) return undefined;
    const near = width === 1;
    const length = near ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const distance = near ? ((tag >>> 5) << 8) | (bytes[at] ?? 0) : bytes.readUIntLE(at, width);
    at += width;
    if (distance === 0 || distance > filled || filled + length > size) return undefined;
    // What is copied may overlap what it makes.
    for (let count = 0; count < length; count++, filled++) out[filled] = out[filled - distance] ?? 0;
  }
  return filled === size ? out : undefined;
}
