const MAX_BYTES_OF_CHAR = 3;
const room = Buffer.allocUnsafeSlow(4096);

/** A text of its own: a piece that was cut out of another would keep all of that in memory. */
export function ownText(text: string): string {
  if (text.length * MAX_BYTES_OF_CHAR > room.length) return Buffer.from(text, 'utf8').toString('utf8');
  // Without a buffer for each: most are short, and many.
  return room.toString('utf8', 0, room.write(text, 'utf8'));
}
