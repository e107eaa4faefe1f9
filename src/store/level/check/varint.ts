/** Numbers of seven bits a byte, the lowest first (LevelDB, Snappy, protocol buffers). */

/** @returns the number and where the next thing begins; undefined where there is none, or one beyond what is exact */
export function varint(bytes: Uint8Array, at: number): readonly [value: number, next: number] | undefined {
  let value = 0;
  for (let index = 0; index < 8; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return Number.isSafeInteger(value) ? [value, at + index + 1] : undefined;
  }
  return undefined;
}
