/**
 * Appends the pieces of many records to a file in one write: joined where they are small, as they are where they are not.
 *
 * Owns the memory in which they are joined, and uses it over and over: fresh memory would have to be found, and come back by the collector.
 */
import type { OutputFile } from './output.ts';

/** Pieces smaller than this on average are joined: each costs more in a vectored write than copying it. */
const SMALL_PIECE_BYTES = 4096;
/** As many as a writer gathers, and what one record more may add. */
const SCRATCH_BYTES = 1280 * 1024;

let scratch: Buffer | undefined;

/** @param size bytes of all pieces */
export async function appendJoined(file: OutputFile, units: readonly (readonly Buffer[])[], size: number): Promise<void> {
  let count = 0;
  for (const unit of units) count += unit.length;
  if (count < 2 || size >= count * SMALL_PIECE_BYTES) return file.append(units.flat());
  const fits = size <= SCRATCH_BYTES;
  const own = (fits ? scratch : undefined) ?? Buffer.allocUnsafeSlow(fits ? SCRATCH_BYTES : size);
  // It is not there while another file is written to, and does not come back from a write that has failed.
  if (fits) scratch = undefined;
  let end = 0;
  for (const unit of units) {
    for (const piece of unit) {
      own.set(piece, end);
      end += piece.length;
    }
  }
  await file.append([own.subarray(0, size)]);
  if (fits) scratch = own;
}
