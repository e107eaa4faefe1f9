/**
 * Bytes that stand in several buffers, one after the other.
 */

/** The bytes from `start` to before `end` of what stands in pieces. */
export function cut(pieces: readonly Buffer[], start: number, end: number): Buffer[] {
  const part: Buffer[] = [];
  let position = 0;
  for (const piece of pieces) {
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, piece.length);
    if (from < to) part.push(from === 0 && to === piece.length ? piece : piece.subarray(from, to));
    position += piece.length;
    if (position >= end) break;
  }
  return part;
}
