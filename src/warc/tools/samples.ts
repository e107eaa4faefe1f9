/**
 * Records to make a dictionary of: the first of each file, whole or their beginnings, as many as memory may hold.
 */
import { rawRecords } from '../read/raw.ts';
import { WarcReadError } from '../errors.ts';

const MAX_BYTES = 16 * 1024 * 1024;
/** More of one record says nothing of the others. */
const MAX_SAMPLE_BYTES = 64 * 1024;

/** What cannot be read ends the samples of its file: who reads it next tells of it. */
export async function samplesOf(files: readonly string[]): Promise<Buffer[]> {
  const samples: Buffer[] = [];
  const perFile = Math.floor(MAX_BYTES / Math.max(files.length, 1));
  for (const file of files) {
    let left = perFile;
    try {
      for await (const { begin, bytes } of rawRecords(file, 0, MAX_SAMPLE_BYTES)) {
        // A copy: what is read stands in larger buffers.
        const sample = Buffer.from((bytes ?? begin).subarray(0, left));
        samples.push(sample);
        left -= sample.length;
        if (left <= 0) break;
      }
    } catch (error) {
      if (!(error instanceof WarcReadError)) throw error;
    }
  }
  return samples;
}
