/** A result as ZIP, made while it is read: files only, as people unpack it who know no tar. */
import { Readable } from 'node:stream';
import { openPieces } from './archive.ts';
import { readTar } from './tar-read.ts';

/** @param file a result. @throws what reading it throws, by the stream */
export async function zipOf(file: string): Promise<Readable> {
  const { ZipFile } = await import('yazl');
  const zip = new ZipFile();
  const output = zip.outputStream as unknown as Readable;
  let current: Readable | undefined;
  // Whoever reads has left: nothing more is read for it.
  output.once('close', () => current?.destroy());
  const fill = async () => {
    for await (const { name, kind, size, mtime, content } of readTar(await openPieces(file), Infinity)) {
      if (output.destroyed) return;
      if (kind !== 'file') continue;
      const stream = (current = Readable.from(content()));
      const ended = new Promise<void>((resolve, reject) => stream.on('close', resolve).on('error', reject));
      zip.addReadStream(stream, name, { mtime, mode: 0o100600, size });
      await ended;
    }
    zip.end();
  };
  fill().catch((error: unknown) => output.destroy(error as Error));
  return output;
}
