/**
 * A big record as a gzip member, piece by piece: deflated, or stored where its payload is compressed already.
 */
import { createGzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { pieces } from '../../layout.ts';
import type { RecordBytes } from '../../record.ts';
import type { Sink } from '../codec.ts';
import { looksDense, StoredMember } from './member.ts';

const STREAM_CHUNK_BYTES = 256 * 1024;

/** As `Encoder.stream`. */
export async function streamMember(record: RecordBytes, into: Buffer, sink: Sink): Promise<void> {
  if (await beginsDense(record)) return streamStored(record, into, sink);
  // Into fresh memory: when zlib has done with a piece is its own affair.
  const source = async function* () {
    for await (const some of pieces(record)) yield* some;
  };
  await pipeline(source, createGzip({ chunkSize: STREAM_CHUNK_BYTES }), async (members: AsyncIterable<Buffer>) => {
    for await (const piece of members) await sink([piece]);
  });
}

async function streamStored(record: RecordBytes, into: Buffer, sink: Sink): Promise<void> {
  let member: StoredMember | undefined;
  for await (const some of pieces(record, into)) {
    const parts: Buffer[] = [];
    for (const piece of some) {
      if (member === undefined) parts.push((member = new StoredMember(piece)).start);
      else parts.push(...member.store(piece));
    }
    await sink(parts);
  }
  if (member !== undefined) await sink([member.end()]);
}

async function beginsDense(record: RecordBytes): Promise<boolean> {
  for await (const piece of record.block.read()) return looksDense([piece.subarray(record.headSize)]);
  return false;
}
