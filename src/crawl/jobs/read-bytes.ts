/** Whole bodies in memory, without their content codings. */
import { Readable } from 'node:stream';
import { unpackers, type FetchedPage } from '../../page/fetched.ts';

/** @returns no more than the beginning of a larger one @throws what the body throws, or what unpacks it */
export function readBytes(page: Pick<FetchedPage, 'body' | 'header'>, maxBytes: number): Promise<Buffer> {
  return unpacked(page.body, page.header('content-encoding'), maxBytes);
}

/** As it is where the coding is not known. */
export async function unpacked(body: AsyncIterable<Buffer>, coding: string | undefined, maxBytes: number): Promise<Buffer> {
  const streams = unpackers(coding) ?? [];
  const source = Readable.from(body, { objectMode: false });
  let out: Readable = source;
  for (const stream of streams) out = out.on('error', (error) => stream.destroy(error)).pipe(stream);
  try {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of out as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size >= maxBytes) break;
    }
    return Buffer.concat(pieces).subarray(0, maxBytes);
  } finally {
    for (const stream of [source, ...streams]) stream.destroy();
  }
}
