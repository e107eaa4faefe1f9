/**
 * The payload of a message as the inside of a JSON string, piece by piece.
 */
import type { Bytes } from '../util/spool.ts';

export type Payload = 'text' | 'base64';

const BASE64_UNIT = 3;

/** @throws TypeError for text that is no UTF-8 */
export async function* payloadPieces(bytes: Bytes, as: Payload): AsyncGenerator<Buffer, void> {
  const encode = as === 'text' ? textEncoder() : base64Encoder();
  for await (const piece of bytes.read()) yield encode(piece, false);
  yield encode(Buffer.alloc(0), true);
}

type Encode = (piece: Buffer, last: boolean) => Buffer;

function textEncoder(): Encode {
  // A byte order mark is a part of the message.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (piece, last) => Buffer.from(JSON.stringify(decoder.decode(piece, { stream: !last })).slice(1, -1));
}

function base64Encoder(): Encode {
  let kept = Buffer.alloc(0);
  return (piece, last) => {
    const all = kept.length === 0 ? piece : Buffer.concat([kept, piece]);
    const whole = last ? all.length : all.length - (all.length % BASE64_UNIT);
    kept = Buffer.from(all.subarray(whole));
    return Buffer.from(all.toString('base64', 0, whole), 'latin1');
  };
}
