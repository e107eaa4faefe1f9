/**
 * The bytes of a record as they stand in an uncompressed file: version line, fields, block and the two line ends, nothing understood.
 */
import { open } from 'node:fs/promises';
import { decoderAt } from '../codec/decoders.ts';
import { FileWindow } from '../window.ts';

/**
 * @param offset where the record begins in the (compressed) file; @param length its bytes there
 * @throws the system's error, or what its unit throws when it is damaged
 */
export async function* rawRecord(file: string, offset: number, length: number): AsyncGenerator<Buffer, void> {
  const handle = await open(file, 'r');
  try {
    const window = new FileWindow(handle, offset + length);
    const decoder = await decoderAt(window, offset);
    yield* decoder.open(window)(offset).data();
  } finally {
    await handle.close();
  }
}
