/**
 * What a socket has read before a session of HTTP/2 takes it over.
 */
import type { Socket } from 'node:net';

/**
 * Make one piece of it. Node hands it to the session piece by piece, and throws where nobody can catch it when the first piece was reason
 * enough to end the session (lib/internal/http2/core.js, constructor of Http2Session).
 */
export function joinWhatWasRead(socket: Socket): void {
  if (socket.readableLength === 0) return;
  const pieces: Buffer[] = [];
  for (let piece = socket.read() as Buffer | null; piece !== null; piece = socket.read() as Buffer | null) pieces.push(piece);
  if (pieces.length > 0) socket.unshift(Buffer.concat(pieces));
}
