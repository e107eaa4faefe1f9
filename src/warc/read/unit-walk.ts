/**
 * Walks over a packed file from unit to unit, each unpacked: its checksum says whether it is whole.
 *
 * Source: ISO 28500:2017 Annex D.
 */
import type { Decoder, Unit } from '../codec/codec.ts';
import { RECORD_END } from '../layout.ts';
import type { FileWindow } from '../window.ts';
import { MAX_HEAD_BYTES, parseHead, type Head } from './head.ts';
import { OtherLayoutError, type Walk } from './walk.ts';

export function unitWalk(decoder: Decoder, window: FileWindow): Walk {
  const unitAt = decoder.open(window);
  const next = (start: number) => Promise.resolve(start + 1);
  return { magic: decoder.magic, recordEnd: (start, onPiece) => unitEnd(unitAt(start), onPiece), afterBroken: next, afterHopeless: next };
}

async function unitEnd(unit: Unit, onPiece?: (piece: Buffer) => void): Promise<number> {
  let head: Head | undefined;
  let seen: Buffer = Buffer.alloc(0);
  let size = 0;
  let end: Buffer = Buffer.alloc(0);
  for await (const piece of unit.data()) {
    size += piece.length;
    onPiece?.(piece);
    // The last four bytes of the record, which may come in two pieces.
    end = piece.length >= RECORD_END.length ? piece.subarray(-RECORD_END.length) : Buffer.concat([end, piece]).subarray(-RECORD_END.length);
    if (head === undefined) {
      seen = seen.length === 0 ? piece : Buffer.concat([seen, piece]);
      head = parseHead(seen);
      if (seen.length > MAX_HEAD_BYTES) throw new Error(`has a header of more than ${MAX_HEAD_BYTES} bytes`);
    }
    if (head === undefined) continue;
    const left = head.headBytes + head.contentLength + RECORD_END.length - size;
    if (left < 0) throw new OtherLayoutError('more than one record in a gzip member');
    if (left === 0) unit.last?.();
  }
  if (head === undefined || unit.end === undefined) throw new Error('is a gzip member without a WARC header');
  if (size !== head.headBytes + head.contentLength + RECORD_END.length || !end.equals(RECORD_END)) {
    throw new Error('has another length than its header says');
  }
  return unit.end;
}
