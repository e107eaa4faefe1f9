/** What waits in a stream that nobody else reads. */
import type { Readable } from 'node:stream';

/** All of it: one read() gives all in Node 20 to 24, and one piece of it from Node 26 on. */
export function readAllNow(stream: Readable): string {
  const pieces: Buffer[] = [];
  for (let piece = read(stream); piece !== null; piece = read(stream)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function read(stream: Readable): Buffer | null {
  return stream.read() as Buffer | null;
}
