/**
 * Waits for a client's whole ClientHello before TLS begins, so that origins can hear the same. Takes nothing away: TLS gets all the bytes.
 */
import type { Socket } from 'node:net';
import { MAX_HELLO_BYTES, parseClientHello } from '../tls/client-hello.ts';
import { imitationOf, type TlsImitation } from '../tls/imitation.ts';
import { timeLimit } from '../util/after-reading.ts';

/**
 * @param socket paused, and paused again when it is told
 * @param first what has come of it
 * @param limitMs for the whole of it; one that does not come is the end of the connection
 * @param then told once: everything that has come, and how it is to be said again; undefined for what is no hello, which TLS turns down
 */
export function readHello(
  socket: Socket,
  first: Buffer,
  limitMs: number,
  then: (bytes: Buffer, imitation: TlsImitation | undefined) => void,
): void {
  let bytes = first;
  const look = (): boolean => {
    const hello = parseClientHello(bytes);
    if (hello === 'more' && bytes.length <= MAX_HELLO_BYTES) return false;
    then(bytes, hello === undefined || hello === 'more' ? undefined : imitationOf(hello));
    return true;
  };
  if (look()) return;
  const stop = () => socket.destroy();
  const inTime = timeLimit(limitMs, stop);
  const onData = (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    socket.pause();
    if (!look()) return void socket.resume();
    inTime();
    socket.removeListener('data', onData).removeListener('end', stop).removeListener('close', inTime);
  };
  socket.on('data', onData).once('end', stop).once('close', inTime);
  socket.resume();
}
