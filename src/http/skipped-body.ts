/**
 * Reads past the body of a request that is refused, so that its client can ask again on the same connection.
 *
 * A body that is longer, or of unknown length, is not worth it: then the connection ends.
 */
import type { Framing } from './message.ts';
import type { RequestBody } from './sides.ts';

const MAX_SKIPPED_BYTES = 65_536;

export function worthSkipping(framing: Framing): boolean {
  return framing.kind === 'length' && framing.length <= MAX_SKIPPED_BYTES;
}

/** @param ended called when the request is complete */
export function skippedBody(ended: () => void): RequestBody {
  const nothing = () => undefined;
  return { write: () => true, endRequest: ended, clientGone: nothing, resumeResponse: nothing };
}
