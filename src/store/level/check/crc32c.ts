/**
 * CRC-32C as LevelDB writes it, "masked" so that a checksum of data that holds checksums stays a good one.
 *
 * Source: RFC 3720 §12.1; https://github.com/google/leveldb/blob/main/util/crc32c.h.
 */
const POLYNOMIAL = 0x82f6_3b78;
const MASK_DELTA = 0xa282_ead8;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc >>> 0;
});

export function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  const { length } = bytes;
  // Ten times as fast as an iterator.
  for (let at = 0; at < length;) crc = (TABLE[(crc ^ (bytes[at++] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
