/**
 * What an archived WebSocket said, read back from its lines of JSON, as far as it is played: what came from the origin, and how it ended.
 *
 * Holds one line. Lines of other tools are read as well as they can be: what is not understood is left out.
 * Source: iipc/warc-specifications 115; capture/message-log.ts writes them.
 */
import { BINARY, PING, TEXT } from '../websocket/messages.ts';

export type Played =
  /** @property atMs since the 101 */
  | { readonly kind: 'message'; readonly atMs: number; readonly opcode: number; readonly payload: Buffer }
  | { readonly kind: 'closed'; readonly atMs: number; readonly code: number; readonly reason: string };

/** A longer line is left out: it would have to be held whole. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;
const ABNORMAL = 1006;

/** @param onLeftOut told of a line that is too long */
export async function* playedOf(block: AsyncIterable<Uint8Array>, onLeftOut: () => void): AsyncGenerator<Played, void> {
  for await (const line of linesOf(block, onLeftOut)) {
    const played = readLine(line);
    if (played !== undefined) yield played;
  }
}

async function* linesOf(block: AsyncIterable<Uint8Array>, onLeftOut: () => void): AsyncGenerator<Buffer, void> {
  let kept: Buffer[] = [];
  let size = 0;
  for await (const piece of block) {
    let from = 0;
    for (let end = piece.indexOf(LINE_FEED); end !== -1; end = piece.indexOf(LINE_FEED, from)) {
      size += end - from;
      if (size > MAX_LINE_BYTES) onLeftOut();
      else yield Buffer.concat([...kept, piece.subarray(from, end)]);
      kept = [];
      size = 0;
      from = end + 1;
    }
    size += piece.length - from;
    if (size > MAX_LINE_BYTES) kept = [];
    // The next piece may be read into the same bytes.
    else if (from < piece.length) kept.push(Buffer.from(piece.subarray(from)));
  }
  if (size > 0 && size <= MAX_LINE_BYTES) yield Buffer.concat(kept);
}

function readLine(line: Buffer): Played | undefined {
  let read: Readonly<Record<string, unknown>> | null;
  try {
    read = JSON.parse(line.toString()) as Readonly<Record<string, unknown>> | null;
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null || typeof read.ts !== 'number' || !Number.isFinite(read.ts)) return undefined;
  const { ts, type, opcode, payloadData, encoding, code, reason } = read;
  const atMs = ts * 1000;
  if (type === 'closed')
    return { kind: 'closed', atMs, code: isCode(code) ? code : ABNORMAL, reason: typeof reason === 'string' ? reason : '' };
  if (type !== 'received' || typeof payloadData !== 'string' || (opcode !== TEXT && opcode !== BINARY && opcode !== PING)) return undefined;
  const isBase64 = opcode === BINARY || encoding === 'base64';
  return { kind: 'message', atMs, opcode, payload: Buffer.from(payloadData, isBase64 ? 'base64' : 'utf8') };
}

function isCode(code: unknown): code is number {
  return typeof code === 'number' && Number.isInteger(code) && code >= 0 && code <= 0xffff;
}
